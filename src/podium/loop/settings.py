"""The `loop` and `clusters` branches of the settings."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from podium.documents.shape import Objection, Shape
from podium.documents.values import Label, PositiveSeconds, Seconds, Share, Text
from podium.loop.modes.settings import ContestSettings, FloorSettings
from podium.loop.policy import Mode


class Simulation(Shape):
    """The built-in cluster."""

    scenario: pathlib.Path | None = None
    """A scenario file; left out, the built-in example runs."""
    speed: Annotated[float, Field(gt=0, le=10_000)] = 1.0
    """Simulated seconds per real second."""


class ClusterSettings(Shape):
    """One cluster that is scaled."""

    name: Label
    """The first part of every workload's key."""
    kind: Literal["simulated", "kubernetes"]
    """simulated needs nothing; kubernetes is the real thing."""
    kubeconfig: pathlib.Path | None = None
    """Left out: the pod's own service account, else $KUBECONFIG, else ~/.kube/config (kubernetes)."""
    context: Text | None = None
    """Which context of the kubeconfig; left out, its current one (kubernetes)."""
    simulation: Simulation = Simulation()
    """How the built-in cluster behaves (simulated)."""

    def objections(self) -> Iterator[Objection]:
        """Nothing is written that would do nothing."""
        if self.kind == "simulated":
            for field in ("kubeconfig", "context"):
                if getattr(self, field) is not None:
                    yield Objection((field,), "nothing here, because kind is simulated")
        elif "simulation" in self.model_fields_set:
            yield Objection(("simulation",), "nothing here, because kind is kubernetes")


class MaxReduction(Shape):
    """The guard on the whole fleet: no more than so much is taken away in so long."""

    fraction: Share = 0.1
    """Share of all replicas; a tenth is more than any ordinary evening takes in five minutes."""
    window: PositiveSeconds = 300.0
    """Over how long it is counted; the HPA's own patience on the way down."""


class Suspect(Shape):
    """When a source under which many workloads fall together is not believed."""

    fall: Share = 0.5
    """How far a workload's load must fall to count, as a share of what it was: real demand seldom halves at once."""
    share: Share = 0.5
    """Share of the source's workloads that fall together."""
    window: PositiveSeconds = 300.0
    """How close together."""
    believe_after: PositiveSeconds = 6 * 3600.0
    """How long a source is doubted at most; what it has said for six hours is taken for the truth."""


class Reactive(Shape):
    """The installation-wide numbers of the HPA's calculation: kube-controller-manager's flags, with their defaults."""

    tolerance: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Ratio to the target within which nothing changes."""
    cpu_initialization_period: Seconds = 300.0
    """How long after a pod's start its CPU samples are judged with care."""
    initial_readiness_delay: Seconds = 30.0
    """How long after a pod's start a change of readiness still counts as starting."""


class FleetReplicas(Shape):
    """Limits around every policy's own."""

    min: Annotated[int, Field(ge=1)] = 1
    """Fewest replicas of any workload, whatever its policy says."""
    max: Annotated[int, Field(ge=1)] | None = None
    """Most replicas of any workload, whatever its policy says; left out, there is no common limit."""

    def objections(self) -> Iterator[Objection]:
        """The limits leave room."""
        if self.max is not None and self.min > self.max:
            yield Objection(("min",), f"at most max, which is {self.max}")


class Rules(Shape):
    """The rules of policies."""

    limit: PositiveSeconds = 0.5
    """How long all rules together may take in one turn, the start of the process that answers them left out."""


class PartSettings(Shape):
    """Which part of an installation one process leads, where several share it."""

    cluster: Label | None = None
    """Which of `clusters` this process leads; needed where there are several, and then in database.url as {cluster}."""
    shards: Annotated[int, Field(ge=1, le=1024)] = 1
    """How many parts the workloads are split into; each has a database of its own, named by {shard} in database.url."""
    shard: Annotated[int, Field(ge=0, le=1023)] | None = None
    """Which shard, from 0 on; left out, one whose Lease is free (Kubernetes)."""
    by: Literal["namespace", "workload"] = "namespace"
    """What stays together: a tenant's namespace, or nothing but the workload itself."""
    leases: Label = "podium"
    """The namespace in which the Leases podium-shard-0, podium-shard-1 … lie."""


class LoopSettings(Shape):
    """The control loop."""

    interval: PositiveSeconds = 15.0
    """Between two ticks; the HPA's own period, and the usual scrape interval."""
    early: bool = True
    """Whether what is pushed and matters brings the next tick forward: at most once a second, and over time at most
    half as often as ticks come by themselves."""
    lease: PositiveSeconds = 15.0
    """How long a leader's claim lasts without renewal; the next leader waits this long after a crash."""
    mode: Mode = "own"
    """The most that any policy may do: recommend touches nothing anywhere, own leaves it to each policy."""
    replicas: FleetReplicas = FleetReplicas()
    """Limits around every policy's own."""
    max_reduction: MaxReduction = MaxReduction()
    """The guard on the whole fleet."""
    suspect: Suspect = Suspect()
    """When a source is not believed."""
    floor: FloorSettings = FloorSettings()
    """How mode floor keeps an HPA's minimum raised."""
    contest: ContestSettings = ContestSettings()
    """When Podium yields to somebody else who writes what it leads."""
    history: Seconds = 3 * 86400.0
    """How much of the past is learned before the very first turn, from sources that can tell: three days show a day's
    rhythm and how well it is known."""
    lead_time: PositiveSeconds = 120.0
    """How far ahead to look until a workload's own time to ready is learned: pulling an image and starting up."""
    reactive: Reactive = Reactive()
    """The numbers of the HPA's calculation."""
    rules: Rules = Rules()
    """The rules of policies."""
