"""What a source said to one query, judged as the loop would: is any of it of use to a policy?"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from podium.model import clock
from podium.model.identity import WorkloadKey
from podium.signals.source import Reading, Subject


def trouble(reading: Reading, wanted: Iterable[WorkloadKey], stale_after_seconds: float, now: float | None) -> str:
    """Why nothing of an answer is of use, in words; "" when something is. `now` None: its times are not of today."""
    count = len(reading.subjects) + reading.unplaced
    if not count:
        return "no series at all"
    if not reading.subjects:
        return f"none of {count} series names a namespace and a pod or workload in its labels"
    known = {(key.namespace, key.name): key.kind for key in wanted}
    mine = np.array([_is_for(subject, known) for subject in reading.subjects])
    if known and not mine.any():
        return f"none of {count} series belongs to a workload that a policy names"
    at = reading.at[mine] if known else reading.at
    if now is not None and (now - at > stale_after_seconds).all():
        age = clock.duration(round(float(now - at.max())))
        return f"all {len(at)} values are too old: the newest is of {age} ago"
    return ""


def _is_for(subject: Subject, known: dict[tuple[str, str], str]) -> bool:
    """Whether a series can be one of the workloads'. Pods are theirs by name: the doctor reads no pods."""
    if subject.kind == "pod":
        return any(subject.namespace == space and subject.name.startswith(f"{name}-") for space, name in known)
    kind = known.get((subject.namespace, subject.name))
    return kind is not None and subject.kind in (kind, "workload")
