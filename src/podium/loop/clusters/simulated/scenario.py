"""The Scenario document: which workloads and nodes a simulated cluster has, and what load they get.

A file only, for the whole cluster; policies and signals are documents of their own.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from podium.documents.document import Document
from podium.documents.loading import loads
from podium.documents.problem import Invalid, Problem, unreadable
from podium.documents.shape import Objection, Shape
from podium.documents.values import Label, ObjectName, PositiveMilli, PositiveSeconds, Seconds, Text, unexpected
from podium.loop.clusters.simulated.shape import (
    NodeShape,
    Resources,
    Startup,
    Usage,
    WorkloadShape,
    WorldShape,
)
from podium.model import clock
from podium.model.identity import WorkloadKey

Probability = Annotated[float, Field(ge=0, lt=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


def _moment(value: str) -> str:
    try:
        clock.parse_rfc3339(value)
    except ValueError:
        raise unexpected("a time in RFC 3339, as in 2026-11-21T09:30:00Z") from None
    return value


Moment = Annotated[str, pydantic.AfterValidator(_moment)]


class ResourcesSpec(Shape):
    """CPU and memory, as Kubernetes writes them."""

    cpu: PositiveMilli | None = None
    """In cores."""
    memory: PositiveMilli | None = None
    """In bytes."""

    def plain(self) -> Resources:
        """Cores and bytes."""
        return Resources(
            cores=None if self.cpu is None else self.cpu / 1000,
            bytes=None if self.memory is None else self.memory / 1000,
        )


class StartupSpec(Shape):
    """How pods start, and how starts go wrong."""

    distribution: Literal["lognormal", "uniform"] = "lognormal"
    """lognormal has the long tail of real starts."""
    median: PositiveSeconds = 30.0
    """From the container's start to Ready."""
    spread: Probability = 0.25
    """lognormal: standard deviation of the delay's logarithm; uniform: share of the median to either side."""
    pull: Seconds = 3.0
    """Time to fetch the image."""
    pull_failures: Probability = 0.0
    """Probability that one attempt to pull fails; the next follows after 10, 20, 40 … 300 s."""
    crashes: Probability = 0.0
    """Probability that one start ends in a crash; the next follows after the same waits."""
    burst: PositiveMilli | None = None
    """Cores used while starting."""


class UsageSpec(Shape):
    """What serving costs one pod."""

    idle: ResourcesSpec = ResourcesSpec.model_validate({"cpu": "5m", "memory": "64Mi"})
    """At rest; what a small idle process takes."""
    per_load: ResourcesSpec = ResourcesSpec()
    """Per unit of load on that pod, as in 10m of a core per request a second."""
    noise: Probability = 0.02
    """CPU samples lie within this share of the truth: real ones are never twice the same."""


class SurgeSpec(Shape):
    """The load times `factor`, between linear ramps."""

    after: Seconds
    """From the scenario's start to the end of the ramp up."""
    duration: PositiveSeconds
    """How long the whole factor holds."""
    factor: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """How many times the load."""
    ramp: Seconds = 0.0
    """From nothing to the whole factor, and back."""


class OutageSpec(Shape):
    """The signal says nothing while the load goes on."""

    after: Seconds
    """From the scenario's start."""
    duration: PositiveSeconds
    """How long values are missing."""


class LoadSpec(Shape):
    """The load of one workload: a column of a recording, (value - less) x scale."""

    recording: Label
    """A recording of this scenario."""
    column: Text
    """The column that holds the values."""
    query: Text = "requests_per_second"
    """Under which name the replay source serves it: what a Signal writes as replay.column."""
    skip: Seconds = 0.0
    """Where in the recording the history begins; what is skipped follows at its end."""
    less: Finite = 0.0
    """Taken away first: what machines do when nobody asks anything of them."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0
    """Load per unit of the recording."""
    what: Text = "scaled to requests/s"
    """What was done to the recording, for its label."""
    surges: tuple[SurgeSpec, ...] = ()
    """Surges that never happened."""
    outages: tuple[OutageSpec, ...] = ()
    """Times without a signal that never happened."""


class RecordingSpec(Shape):
    """A CSV file with a header and no times: row after row at a fixed step."""

    name: Label
    """What workloads call it."""
    package: Text | None = None
    """The installed Python package that carries the file; left out, the path is relative to the scenario's file."""
    file: Text
    """Path of the file."""
    step: PositiveSeconds
    """From one row to the next."""
    period: PositiveSeconds
    """Rows up to here are played, over and over: a whole number of days keeps the time of day right."""
    dataset: Text
    """Its name for people."""

    def objections(self) -> Iterator[Objection]:
        """A period has whole rows."""
        if self.period % self.step:
            yield Objection(("period",), f"a multiple of the step of {clock.duration(self.step)}")


class NodeSpec(Shape):
    """Nodes of one size."""

    count: Annotated[int, Field(ge=1, le=10_000)]
    """How many."""
    cpu: PositiveMilli
    """Cores that pods may request of each."""
    memory: PositiveMilli
    """Bytes that pods may request of each."""


class WorkloadSpec(Shape):
    """One simulated Deployment."""

    namespace: Label
    """Where it lives."""
    name: ObjectName
    """What it is called."""
    replicas: Annotated[int, Field(ge=0, le=10_000)] = 1
    """Before anybody writes."""
    startup: StartupSpec = StartupSpec()
    """How its pods start."""
    termination: Seconds = 5.0
    """From a pod's deletion until it is gone."""
    requests: ResourcesSpec = ResourcesSpec()
    """What each pod requests."""
    limits: ResourcesSpec = ResourcesSpec()
    """What each pod cannot exceed."""
    usage: UsageSpec = UsageSpec()
    """What serving costs."""
    load: LoadSpec | None = None
    """What it has to serve; left out, nobody knows."""

    def key(self, cluster: str) -> WorkloadKey:
        """The workload's key in `cluster`."""
        return WorkloadKey(cluster, self.namespace, "deployment", "apps", self.name)

    def plain(self, cluster: str) -> WorkloadShape:
        """The same in plain numbers."""
        startup, idle, per_load = self.startup, self.usage.idle.plain(), self.usage.per_load.plain()
        return WorkloadShape(
            key=self.key(cluster),
            replicas=self.replicas,
            startup=Startup(
                distribution=startup.distribution,
                median=startup.median,
                spread=startup.spread,
                pull=startup.pull,
                pull_failures=startup.pull_failures,
                crashes=startup.crashes,
                burst_cores=(startup.burst or 0) / 1000,
            ),
            usage=Usage(
                idle_cores=idle.cores or 0.0,
                cores_per_load=per_load.cores or 0.0,
                idle_bytes=idle.bytes or 0.0,
                bytes_per_load=per_load.bytes or 0.0,
                noise=self.usage.noise,
            ),
            requests=self.requests.plain(),
            limits=self.limits.plain(),
            termination=self.termination,
        )


class ScenarioSpec(Shape):
    """A world to try Podium in."""

    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    """The same seed gives the same start-up times and failures."""
    start: Moment
    """What the simulated clock shows at first."""
    history: PositiveSeconds = 4 * 86400.0
    """How much recorded load lies before the start, to learn from."""
    nodes: tuple[NodeSpec, ...] = ()
    """Left out, there is always room."""
    recordings: tuple[RecordingSpec, ...] = ()
    """Files with load."""
    workloads: Annotated[tuple[WorkloadSpec, ...], Field(min_length=1)]
    """What runs."""

    def objections(self) -> Iterator[Objection]:
        """Names are unique, and loads come from recordings there are."""
        recordings = Counter(recording.name for recording in self.recordings)
        workloads = Counter((workload.namespace, workload.name) for workload in self.workloads)
        for number, recording in enumerate(self.recordings):
            if recordings[recording.name] > 1:
                yield Objection(("recordings", number, "name"), "a name that no other recording has")
        for number, workload in enumerate(self.workloads):
            if workloads[workload.namespace, workload.name] > 1:
                yield Objection(("workloads", number, "name"), "a name that no other workload of the namespace has")
            if workload.load is not None and workload.load.recording not in recordings:
                known = ", ".join(sorted(recordings)) or "there are none"
                yield Objection(("workloads", number, "load", "recording"), f"one of the recordings: {known}")

    @property
    def start_seconds(self) -> float:
        """The start in Unix seconds."""
        return clock.parse_rfc3339(self.start)


class Scenario(Document):
    """What a simulated cluster is made of."""

    kind: Literal["Scenario"] = "Scenario"
    spec: ScenarioSpec

    @classmethod
    def cluster_scoped(cls) -> bool:
        """A scenario is a whole cluster."""
        return True

    def shape(self, cluster: str) -> WorldShape:
        """The world of the cluster called `cluster`."""
        return WorldShape(
            workloads=tuple(workload.plain(cluster) for workload in self.spec.workloads),
            nodes=tuple(
                NodeShape(count=node.count, cores=node.cpu / 1000, bytes=node.memory / 1000) for node in self.spec.nodes
            ),
            seed=self.spec.seed,
        )


def read_scenario(path: Path) -> Scenario:
    """The one scenario in a file. Raises documents.problem.Invalid with every mistake, by line and field."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Invalid([Problem(str(path), 0, 0, "", "a scenario that can be read", unreadable(error))]) from error
    found = loads(data, str(path), {"Scenario": Scenario})
    if len(found) != 1 or not isinstance(found[0], Scenario):
        raise Invalid([Problem(str(path), 0, 0, "", "one scenario", f"{len(found)} documents")])
    return found[0]
