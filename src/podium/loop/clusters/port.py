"""The port: what the loop asks of a cluster.

Observation is one call for the whole fleet. A write carries its preconditions (`Scale.resource_version`,
`Scale.epoch`), and the cluster, not the caller, refuses it when they no longer hold.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from podium.model.arrays import Int64s
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Pods, Room, no_room


class Temporary(Exception):
    """The cluster did not answer, or asked to wait: ask again later."""


class Permanent(Exception):
    """Asking again will not help: a missing right, a missing object, an invalid value. The message names which."""


class Conflict(Exception):
    """A precondition no longer holds: read again and decide again."""


class StaleLeader(Conflict):
    """A later leader has claimed the workload: stop writing altogether."""


@dataclasses.dataclass(frozen=True, slots=True)
class Observation:
    """The cluster's side of a snapshot, a row per slot. `troubles` says per workload why it could not be read."""

    replicas: Int64s  # spec.replicas; UNKNOWN: not there, or not readable
    status_replicas: Int64s
    ready: Int64s  # pods Running and Ready, not being deleted
    resource_versions: tuple[str, ...]  # "" where unknown
    epochs: Int64s  # the claim each workload carries; 0: never claimed
    pods: Pods  # resource metrics (cpu in cores, memory in bytes) as samples where the cluster serves them
    pod_names: tuple[tuple[str, str], ...]  # (namespace, name) per row of `pods`, to join other sources' samples
    troubles: dict[WorkloadKey, str]
    marks: dict[WorkloadKey, dict[str, str]] = dataclasses.field(default_factory=dict)
    """What people wrote on workloads: annotations whose names begin with podium.dev/."""
    room: Room = dataclasses.field(default_factory=no_room)


@runtime_checkable
class Containers(Protocol):
    """A cluster that measures single containers, too: as requests and samples named `resource@container`."""

    containers: frozenset[str]  # those that are asked for, as in cpu@app


class Cluster(Protocol):
    """One cluster. Every call may raise Temporary or Permanent."""

    name: str

    async def observe(self, fleet: Fleet) -> Observation:
        """Everything the loop needs to know of the fleet's workloads in this cluster, in one consistent reading."""

    async def claim(self, keys: Sequence[WorkloadKey], epoch: int) -> None:
        """Mark workloads as led by `epoch`. Afterwards every write with a lower epoch or an older version is refused.

        Raises StaleLeader when a workload already carries a higher epoch.
        """

    async def scale(self, command: Scale) -> str:
        """Carry out one command; returns the new resource version. Raises Conflict, or StaleLeader."""

    async def close(self) -> None:
        """Release connections. The cluster is not used afterwards."""
