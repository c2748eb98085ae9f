"""Commands: what to change, and what must still be true when it is changed. Data, handed to whoever carries it out."""

from __future__ import annotations

import dataclasses

from podium.model.identity import WorkloadKey


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """Set `spec.replicas` of one workload, provided nobody touched it since it was observed."""

    slot: int
    key: WorkloadKey
    current: int  # replicas when it was decided
    replicas: int  # replicas wanted
    resource_version: str  # of the scale when it was observed: the server refuses the write if it moved
    epoch: int  # of the leadership that decided: a later leader's claim makes this one stale
