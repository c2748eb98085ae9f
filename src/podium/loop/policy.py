"""ScalingPolicy: what a workload's owner asks of the loop."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import Field

from podium.documents.document import Document
from podium.documents.kubernetes import Behavior, MetricSpec, TargetRef
from podium.documents.shape import Objection, Shape
from podium.documents.values import Cel, Cron, LeadTime, ObjectName, PositiveMilli, PositiveSeconds, TimeZone
from podium.model.identity import WorkloadKey

Mode: TypeAlias = Literal["recommend", "metric", "floor", "own"]
Pause: TypeAlias = Literal["none", "up", "down", "both"]

Count: TypeAlias = Annotated[int, Field(ge=1, le=1_000_000)]


# Where the kinds live that people write without a thought for their group; in the core group there is none of them.
HOMES = dict.fromkeys(("deployment", "statefulset", "replicaset", "daemonset"), "apps/v1")
HOMES |= dict.fromkeys(("job", "cronjob"), "batch/v1")


def grouped(target: str) -> str:
    """CEL: the target names its group, where its kind lives in one that people leave out."""
    kinds = ", ".join(f"'{kind}'" for kind in HOMES)
    return (
        f"!({target}.kind.lowerAscii() in [{kinds}]) || (has({target}.apiVersion) && {target}.apiVersion.contains('/'))"
    )


_LIMITED = (
    "!has(self.minReplicas) || !has(self.maxReplicas) || self.minReplicas <= self.maxReplicas",
    "min is above max",
)


class Replicas(Shape):
    """The limits that no decision leaves."""

    min: Annotated[int, Field(ge=0, le=1_000_000)] = 1
    """Fewest replicas. Zero takes an `activation`; without one a workload at zero was put there by a person, and is not
    touched."""
    max: Count
    """Most replicas."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (("self.min <= self.max", "min is above max"),)

    def objections(self) -> Iterator[Objection]:
        """The limits leave room."""
        if self.min > self.max:
            yield Objection(("min",), f"at most max, which is {self.max}")


class Saturation(Shape):
    """How full a replica is, by a measure of its own: busy workers, connections, the length of a queue."""

    signal: ObjectName
    """A Signal of the same namespace; of several pods it should be their mean or the fullest, as its `reduce` says."""
    below: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Up to this, in the signal's unit, a replica serves well."""


class Load(Shape):
    """What is forecast: the demand on the workload, and how much of it one replica serves."""

    signal: ObjectName
    """A Signal of the same namespace."""
    capacity_per_replica: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    """Load that one replica serves, in the signal's unit; left out, it is learned, with its uncertainty."""
    saturation: Saturation | None = None
    """What tells that a replica is full, where its capacity is learned; beside it the latency of the objective and the
    CPU target among the metrics tell it, and without any of the three 80 % of the CPU that its pods request."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (("!(has(self.capacityPerReplica) && has(self.saturation))", "saturation is for learning a capacity"),)

    def objections(self) -> Iterator[Objection]:
        """Either known or learned."""
        if self.capacity_per_replica is not None and self.saturation is not None:
            yield Objection(("saturation",), "nothing here, because capacityPerReplica says what a replica serves")


class Latency(Shape):
    """A quantile of the response time to stay below."""

    quantile: Annotated[float, Field(gt=0, lt=1)]
    """Which quantile, as in 0.99."""
    below: PositiveSeconds
    """The bound, as in 250ms."""
    signal: ObjectName = "latency"
    """A Signal of the same namespace that measures this quantile, in seconds."""


class Objective(Shape):
    """How good is good enough: one of the two."""

    unserved_fraction: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Share of the load that may find no capacity."""
    latency: Latency | None = None
    """A bound on the response time."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (("has(self.unservedFraction) != has(self.latency)", "one of unservedFraction and latency"),)

    def objections(self) -> Iterator[Objection]:
        """Exactly one objective."""
        if self.unserved_fraction is None and self.latency is None:
            yield Objection(("unservedFraction",), "an objective: unservedFraction or latency")
        if self.unserved_fraction is not None and self.latency is not None:
            yield Objection(("latency",), "nothing here, because the objective is unservedFraction")


class Forecast(Shape):
    """Whether to scale ahead of the load, and how far."""

    enabled: bool = True
    """False leaves the reactive part alone."""
    lead_time: LeadTime = "learned"
    """How far ahead: `learned` takes the workload's own measured time to ready, a duration fixes it."""


class Outcome(Shape):
    """What a rule does while it holds."""

    min_replicas: Count | None = None
    """Raises the lower limit."""
    max_replicas: Count | None = None
    """Lowers the upper limit."""
    pause: Pause | None = None
    """Stops scaling up, down, or both."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        some = "has(self.minReplicas) || has(self.maxReplicas) || has(self.pause)"
        return ((some, "at least one of minReplicas, maxReplicas and pause"), _LIMITED)

    def objections(self) -> Iterator[Objection]:
        """A rule does something, and not two opposite things."""
        if self.min_replicas is None and self.max_replicas is None and self.pause is None:
            yield Objection((), "at least one of minReplicas, maxReplicas and pause")
        if self.min_replicas is not None and self.max_replicas is not None and self.min_replicas > self.max_replicas:
            yield Objection(("minReplicas",), f"at most maxReplicas, which is {self.max_replicas}")


class Rule(Shape):
    """A condition over signals and what holds while it is true."""

    when: Cel
    """A CEL expression over the signals of the namespace, `replicas`, `ready` (pods that serve), and the parts of now
    in UTC: `minute`, `hour`, `weekday` (0 is Sunday), `day`, `month`. All are fractions: compare with 5 or 5.0,
    calculate with 5.0. In a signal's name every sign that is no letter, digit or `_` is written `_`."""
    then: Outcome
    """What holds then."""


class Window(Shape):
    """A recurring stretch of time with limits of its own."""

    cron: Cron
    """When it begins: five cron fields."""
    time_zone: TimeZone = "UTC"
    """Where the clock of `cron` hangs."""
    duration: PositiveSeconds
    """How long it lasts."""
    min_replicas: Count | None = None
    """Raises the lower limit."""
    max_replicas: Count | None = None
    """Lowers the upper limit."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        some = "has(self.minReplicas) || has(self.maxReplicas)"
        return ((some, "at least one of minReplicas and maxReplicas"), _LIMITED)

    def objections(self) -> Iterator[Objection]:
        """A window does something, and leaves room."""
        if self.min_replicas is None and self.max_replicas is None:
            yield Objection((), "at least one of minReplicas and maxReplicas")
        if self.min_replicas is not None and self.max_replicas is not None and self.min_replicas > self.max_replicas:
            yield Objection(("minReplicas",), f"at most maxReplicas, which is {self.max_replicas}")


class Activation(Shape):
    """When a workload may rest at zero replicas, and what wakes it."""

    signal: ObjectName
    """A Signal of the same namespace that does not need the workload's own pods: the length of a queue, requests that a
    proxy counts."""
    above: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 0.0
    """Above this, in the signal's unit, there is work: at least one replica."""
    idle: PositiveSeconds = 300.0
    """How long it stays at or below that before the last replica goes."""


class Dependency(Shape):
    """Something that the workload leans on, and how it is known to fail."""

    target_ref: TargetRef | None = None
    """A workload of the same namespace with a ScalingPolicy: its own value of the signal counts. Left out, the value
    that the signal has for the policy's workload counts, as of its calls to a database."""
    signal: ObjectName
    """A Signal of the same namespace: an error ratio, a latency, a queue."""
    below: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Up to this, in the signal's unit, the dependency is well."""


class ResourceBound(Shape):
    """Limits of one container's request of one resource."""

    min: PositiveMilli | None = None
    """Least request."""
    max: PositiveMilli | None = None
    """Largest request."""

    def objections(self) -> Iterator[Objection]:
        """The limits leave room."""
        if self.min is not None and self.max is not None and self.min > self.max:
            yield Objection(("min",), "at most max")


class ContainerRequests(Shape):
    """Limits of one container's requests."""

    cpu: ResourceBound | None = None
    """In cores."""
    memory: ResourceBound | None = None
    """In bytes."""


class Requests(Shape):
    """Rightsizing of CPU and memory requests."""

    containers: dict[str, ContainerRequests] = Field(default_factory=dict)
    """Limits per container; `*` stands for every container not named."""
    mode: Literal["off", "recommend", "own"] = "recommend"
    """recommend says what fits; own writes it."""


class ScalingPolicySpec(Shape):
    """How one workload is scaled."""

    target_ref: TargetRef
    """The workload: anything with a scale subresource, in the same namespace."""
    mode: Mode = "recommend"
    """recommend touches nothing; metric feeds an HPA; floor raises an HPA's minimum; own writes replicas."""
    replicas: Replicas
    """The limits that no decision leaves."""
    metrics: Annotated[tuple[MetricSpec, ...], Field(max_length=64)] = ()
    """The reactive part: HPA v2 metrics."""
    behavior: Behavior = Behavior()
    """How fast to scale: HPA v2 behaviour."""
    load: Load | None = None
    """What is forecast; without it nothing is."""
    objective: Objective = Objective(unserved_fraction=0.001)
    """How good is good enough; one request in a thousand may wait, as in the usual 99.9 per cent objective."""
    forecast: Forecast = Forecast()
    """Scaling ahead of the load."""
    rules: Annotated[tuple[Rule, ...], Field(max_length=64)] = ()
    """Conditions that change the limits or pause scaling."""
    schedule: Annotated[tuple[Window, ...], Field(max_length=64)] = ()
    """Recurring stretches of time with limits of their own."""
    activation: Activation | None = None
    """To zero replicas and back; takes `replicas: {min: 0}`."""
    dependencies: Annotated[tuple[Dependency, ...], Field(max_length=64)] = ()
    """What the workload leans on: while one of them fails, nothing is added that would press it harder."""
    requests: Requests = Requests()
    """Rightsizing of requests."""
    pause: Pause = "none"
    """Stops scaling up, down, or both, until it is taken away."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        bounds = ("self.rules.all(one, {})", "one.then"), ("self.schedule.all(one, {})", "one")
        room = (
            "(!has({0}.minReplicas) || {0}.minReplicas <= self.replicas.max) && "
            "(!has({0}.maxReplicas) || {0}.maxReplicas >= self.replicas.min)"
        )
        return (
            (grouped("self.targetRef"), "apiVersion of the target, as in apps/v1"),
            ("has(self.activation) == (self.replicas.min == 0)", "activation and replicas.min of 0 go together"),
            *((every.format(room.format(part)), "rules and windows stay within replicas") for every, part in bounds),
        )

    def objections(self) -> Iterator[Objection]:
        """The target has its group. Rules and windows stay inside the limits, or they could never do anything."""
        group = HOMES.get(self.target_ref.kind.casefold())
        if group is not None and not self.target_ref.group:
            expected = f"apiVersion, as in {group} for a {self.target_ref.kind}"
            yield Objection(("targetRef", "apiVersion"), expected)
        if self.replicas.min == 0 and self.activation is None:
            yield Objection(("replicas", "min"), "at least 1, or an activation, which says what wakes it from zero")
        if self.activation is not None and self.replicas.min > 0:
            yield Objection(("activation",), f"nothing here, because replicas.min is {self.replicas.min}")
        parts: list[tuple[tuple[str | int, ...], Outcome | Window]] = []
        parts += [(("rules", number, "then"), rule.then) for number, rule in enumerate(self.rules)]
        parts += [(("schedule", number), window) for number, window in enumerate(self.schedule)]
        for path, part in parts:
            if part.min_replicas is not None and part.min_replicas > self.replicas.max:
                yield Objection((*path, "minReplicas"), f"at most replicas.max, which is {self.replicas.max}")
            if part.max_replicas is not None and part.max_replicas < self.replicas.min:
                yield Objection((*path, "maxReplicas"), f"at least replicas.min, which is {self.replicas.min}")

    @property
    def signals(self) -> tuple[tuple[tuple[str | int, ...], str], ...]:
        """Every Signal it names, with the path of the field that names it (relative to the document)."""
        named: list[tuple[tuple[str | int, ...], str]] = []
        if self.load is not None:
            named.append((("spec", "load", "signal"), self.load.signal))
            if self.load.saturation is not None:
                named.append((("spec", "load", "saturation", "signal"), self.load.saturation.signal))
        if self.objective.latency is not None:
            path = ("spec", "objective", "latency", "signal")
            written = "signal" in self.objective.latency.model_fields_set
            named.append((path if written else path[:3], self.objective.latency.signal))
        if self.activation is not None:
            named.append((("spec", "activation", "signal"), self.activation.signal))
        for number, dependency in enumerate(self.dependencies):
            named.append((("spec", "dependencies", number, "signal"), dependency.signal))
        for number, metric in enumerate(self.metrics):
            if metric.identifier is not None:
                part = metric.type[0].lower() + metric.type[1:]
                named.append((("spec", "metrics", number, part, "metric", "name"), metric.identifier.name))
        return tuple(named)


class ScalingPolicy(Document):
    """How one workload of the document's namespace is scaled."""

    plural: ClassVar[str] = "scalingpolicies"
    short_names: ClassVar[tuple[str, ...]] = ("spol",)
    columns: ClassVar[tuple[tuple[str, str, str], ...]] = (
        ("Target", "string", ".spec.targetRef.name"),
        ("Mode", "string", ".spec.mode"),
        ("Min", "integer", ".spec.replicas.min"),
        ("Max", "integer", ".spec.replicas.max"),
        ("Pause", "string", ".spec.pause"),
    )

    kind: Literal["ScalingPolicy"] = "ScalingPolicy"
    spec: ScalingPolicySpec

    def workload(self, cluster: str) -> WorkloadKey:
        """The workload it speaks of, in `cluster`."""
        target = self.spec.target_ref
        return WorkloadKey(cluster, self.namespace, target.kind.lower(), target.group, target.name)
