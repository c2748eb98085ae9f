"""The port to what stands around workloads in a cluster: the HPAs that target them, and who else writes to them.

A floor is a raised `minReplicas` of an HPA. What stood there before, and until when the floor is meant, are noted on
the HPA itself (the annotation podium.dev/floor): whoever reads the HPA can give it back, with or without a Podium.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping
from typing import Protocol

from podium.model.identity import WorkloadKey


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Noted:
    """What the annotation of a floor says."""

    original: int  # minReplicas before
    raised: int  # minReplicas as Podium wrote it; another number there is somebody else's
    until: float  # Unix seconds: what it is worth without a Podium that renews it


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Autoscaler:
    """One HorizontalPodAutoscaler."""

    namespace: str
    name: str
    target: WorkloadKey
    minimum: int
    maximum: int
    resource_version: str
    epoch: int  # the claim it carries; 0: never claimed
    floor: Noted | None  # None: it bears no floor of ours
    owner: str = ""  # what made it, as in `ScaledObject web`; "": a person

    def __str__(self) -> str:
        return f"HPA {self.name}" + (f" of {self.owner}" if self.owner else "")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SetFloor:
    """Set `minReplicas` of one HPA, provided nobody touched it since it was read."""

    key: WorkloadKey  # the workload that it scales
    autoscaler: str  # its name, in the workload's namespace
    current: int  # minReplicas when it was decided
    minimum: int  # minReplicas to write; equal to `current`: only the note is written
    note: Noted | None  # None: given back, and nothing of ours stays
    resource_version: str
    epoch: int

    @property
    def words(self) -> str:
        """What it does, for people."""
        about = f"minReplicas of HPA {self.autoscaler}"
        if self.note is None:
            return (
                f"{about} {self.current} -> {self.minimum}, given back"
                if self.current != self.minimum
                else (f"{about} is left at {self.minimum}, which somebody else wrote")
            )
        if self.current == self.minimum:
            return f"{about} stays {self.minimum} (its own: {self.note.original}), renewed"
        return f"{about} {self.current} -> {self.minimum} (its own: {self.note.original})"


@dataclasses.dataclass(frozen=True, slots=True)
class Around:
    """What was found in some namespaces."""

    autoscalers: Mapping[WorkloadKey, tuple[Autoscaler, ...]]  # by the workload that they scale
    troubles: Mapping[str, str]  # namespace -> why nothing is known of its HPAs


class Surroundings(Protocol):
    """One cluster. Calls raise Temporary or Permanent of the cluster's port, writes also Conflict, StaleLeader."""

    async def autoscalers(self, namespaces: Collection[str]) -> Around:
        """The HPAs of these namespaces. What concerns one namespace is told in `troubles`."""

    async def set_floor(self, command: SetFloor) -> None:
        """Carry out one command. The cluster refuses it when the HPA has moved, or carries a later epoch."""

    async def claim(self, autoscalers: Collection[Autoscaler], epoch: int) -> None:
        """Mark HPAs as led by `epoch`: a write that was decided on an earlier reading is then refused."""

    async def pauses(self, namespaces: Collection[str]) -> Mapping[str, str]:
        """Namespace -> what its annotation podium.dev/paused says; only those that have one and can be read."""

    async def writer(self, key: WorkloadKey) -> str:
        """Who wrote a workload's replicas last, as its managed fields have it; "" where that is not known."""
