"""Which scores are asked for: Signals with `anomaly`, as they are recorded with the policies, and as rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from podium.loop.decide.table import Scored
from podium.model.fleet import Fleet


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class AnomalySignal:
    """A Signal that judges another one, `of`, of the same namespace, at each new reading."""

    namespace: str
    name: str
    of: str
    threshold: float
    step_seconds: float  # the interval of the one that is judged


def scored(signals: Sequence[AnomalySignal], fleet: Fleet) -> tuple[Scored, ...]:
    """What is asked of whom, over `fleet`: signals alike in all but their namespace together."""
    groups: dict[tuple[str, str, float, float], list[str]] = {}
    for one in sorted(signals):
        groups.setdefault((one.name, one.of, one.threshold, one.step_seconds), []).append(one.namespace)
    rows = []
    for (name, of, threshold, step), namespaces in sorted(groups.items()):
        slots = [fleet.by_namespace[space] for space in namespaces if space in fleet.by_namespace]
        if slots:
            rows.append(Scored(name, of, threshold, step, np.sort(np.concatenate(slots)).astype(np.int32)))
    return tuple(rows)
