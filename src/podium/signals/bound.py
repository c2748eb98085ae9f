"""A Signal document bound to a source: what is asked, for which namespace, and how the answer is judged."""

from __future__ import annotations

import dataclasses
from typing import Literal

from podium.signals.signal import Reduce, Unit

# A ratio may be one of change, below zero; the others count or measure something that is there or not.
NEVER_NEGATIVE = frozenset({"cores", "bytes", "per_second", "seconds", "count"})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class BoundSignal:
    """One Signal of one namespace. It acts on that namespace alone, whatever else its query answers."""

    namespace: str
    name: str
    source: str  # name of the source
    query: str  # PromQL, or the name of a recorded series
    past_query: str = ""  # what to ask of times whose pods are gone; "": the query itself
    unit: Unit
    reduce: Reduce = "sum"  # of several series of one workload, or of one pod, into one value
    stale_after_seconds: float = 60.0  # an older value is missing
    of: Literal["workloads", "pods"] = "workloads"  # pods: keep a sample per pod, too
    window_seconds: float = 60.0  # what each value is a mean over; a minute is what the HPA assumes when nobody says
    cluster: str = ""  # of the workloads it measures; "": the fleet has one cluster
