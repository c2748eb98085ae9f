"""Kubernetes' own shapes, as autoscaling/v2 has them: target references, metric specs, behaviour and its defaults.

The limits are those of the API server's validation of HorizontalPodAutoscaler.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from podium.documents.shape import Objection, Shape
from podium.documents.values import NotNegativeMilli, PositiveMilli, Text

PositiveInt = Annotated[int, Field(gt=0, le=2**31 - 1)]


class TargetRef(Shape):
    """An object by API version, kind and name, in the document's own namespace."""

    api_version: str = ""
    """Group and version, as in apps/v1; empty for the core group."""
    kind: Text
    """The kind as its manifest has it, such as Deployment."""
    name: Text
    """The object's name."""

    @property
    def group(self) -> str:
        """The API group: `apps` of apps/v1, empty for the core group."""
        group, slash, _ = self.api_version.partition("/")
        return group if slash else ""


class LabelSelectorRequirement(Shape):
    """One condition on a label."""

    key: Text
    """The label."""
    operator: Literal["In", "NotIn", "Exists", "DoesNotExist"]
    """How it is compared."""
    values: Annotated[tuple[str, ...], Field(max_length=100)] = ()
    """With what; for In and NotIn alone."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        listed = "self.operator in ['In', 'NotIn']"
        return ((f"({listed}) == (has(self.values) && size(self.values) > 0)", "values belong to In and NotIn alone"),)

    def objections(self) -> Iterator[Objection]:
        """A list of values belongs to In and NotIn alone."""
        wants = self.operator in ("In", "NotIn")
        if wants != bool(self.values):
            yield Objection(("values",), f"{'at least one value' if wants else 'no values'} with {self.operator}")


class LabelSelector(Shape):
    """Which labels an object must carry; all conditions hold together."""

    match_labels: dict[str, str] = Field(default_factory=dict)
    """Labels with the values that they must have."""
    match_expressions: Annotated[tuple[LabelSelectorRequirement, ...], Field(max_length=32)] = ()
    """Further conditions on labels."""


_TARGETS = {"Utilization": "averageUtilization", "Value": "value", "AverageValue": "averageValue"}


class MetricTarget(Shape):
    """How much of a metric is wanted: one of `value`, `averageValue` and `averageUtilization`, named by `type`."""

    type: Literal["Utilization", "Value", "AverageValue"]
    """Which of the three is written."""
    value: PositiveMilli | None = None
    """Of all pods together."""
    average_value: PositiveMilli | None = None
    """Of each pod, on average."""
    average_utilization: PositiveInt | None = None
    """Per cent of what the pods request."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return tuple(
            (f"(self.type == '{kind}') == has(self.{name})", f"{name} is written with type {kind}, and then alone")
            for kind, name in _TARGETS.items()
        )

    def objections(self) -> Iterator[Objection]:
        """The field that `type` names is there, and no other."""
        fields = {
            "Utilization": ("averageUtilization", self.average_utilization),
            "Value": ("value", self.value),
            "AverageValue": ("averageValue", self.average_value),
        }
        for kind, (name, value) in fields.items():
            if kind == self.type and value is None:
                yield Objection((name,), f"a number, because type is {self.type}")
            elif kind != self.type and value is not None:
                yield Objection((name,), f"nothing here, because type is {self.type}")


class MetricIdentifier(Shape):
    """A metric by name, optionally narrowed by labels."""

    name: Text
    """The metric's name: a Signal of the same namespace, else one of the cluster's own metrics APIs."""
    selector: LabelSelector | None = None
    """Which of its series, by their labels; not beside a Signal."""


class ResourceMetric(Shape):
    """A resource of all containers of each pod, such as cpu."""

    name: Text
    """cpu or memory."""
    target: MetricTarget
    """How much of it is wanted."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (("self.target.type != 'Value'", "Utilization or AverageValue for a resource"),)

    def objections(self) -> Iterator[Objection]:
        """A resource has no total to compare with."""
        if self.target.type == "Value":
            yield Objection(("target", "type"), "Utilization or AverageValue for a resource")


class ContainerResourceMetric(Shape):
    """A resource of one named container of each pod."""

    name: Text
    """cpu or memory."""
    container: Text
    """The container's name."""
    target: MetricTarget
    """How much of it is wanted."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (("self.target.type != 'Value'", "Utilization or AverageValue for a resource"),)

    def objections(self) -> Iterator[Objection]:
        """A resource has no total to compare with."""
        if self.target.type == "Value":
            yield Objection(("target", "type"), "Utilization or AverageValue for a resource")


class PodsMetric(Shape):
    """A metric of each pod, averaged."""

    metric: MetricIdentifier
    """Which metric."""
    target: MetricTarget
    """How much of it is wanted."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (("self.target.type == 'AverageValue'", "AverageValue for a metric of pods"),)

    def objections(self) -> Iterator[Objection]:
        """Pods are averaged, so only an average can be wanted."""
        if self.target.type != "AverageValue":
            yield Objection(("target", "type"), "AverageValue for a metric of pods")


class ObjectMetric(Shape):
    """A metric of one other object of the namespace."""

    described_object: TargetRef
    """The object that is measured."""
    metric: MetricIdentifier
    """Which metric."""
    target: MetricTarget
    """How much of it is wanted."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (("self.target.type != 'Utilization'", "Value or AverageValue for a metric of an object"),)

    def objections(self) -> Iterator[Objection]:
        """Utilization is a share of requests, which only pods have."""
        if self.target.type == "Utilization":
            yield Objection(("target", "type"), "Value or AverageValue for a metric of an object")


class ExternalMetric(Shape):
    """A metric that belongs to nothing in the cluster, such as the length of a queue."""

    metric: MetricIdentifier
    """Which metric."""
    target: MetricTarget
    """How much of it is wanted."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (("self.target.type != 'Utilization'", "Value or AverageValue for an external metric"),)

    def objections(self) -> Iterator[Objection]:
        """Utilization is a share of requests, which only pods have."""
        if self.target.type == "Utilization":
            yield Objection(("target", "type"), "Value or AverageValue for an external metric")


_METRICS = ("Resource", "ContainerResource", "Pods", "Object", "External")


class MetricSpec(Shape):
    """One metric of the reactive part: the field that `type` names."""

    type: Literal["Resource", "ContainerResource", "Pods", "Object", "External"]
    """Which of the five is written."""
    resource: ResourceMetric | None = None
    """A resource of all containers of each pod."""
    container_resource: ContainerResourceMetric | None = None
    """A resource of one container of each pod."""
    pods: PodsMetric | None = None
    """A metric of each pod."""
    object: ObjectMetric | None = None
    """A metric of another object of the namespace."""
    external: ExternalMetric | None = None
    """A metric of nothing in the cluster."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        kinds = {kind: kind[0].lower() + kind[1:] for kind in _METRICS}
        return tuple(
            (f"(self.type == '{kind}') == has(self.{name})", f"{name} is written with type {kind}, and then alone")
            for kind, name in kinds.items()
        )

    def objections(self) -> Iterator[Objection]:
        """The field that `type` names is there, and no other."""
        wanted = self.type[0].lower() + self.type[1:]
        fields = {
            "resource": self.resource,
            "containerResource": self.container_resource,
            "pods": self.pods,
            "object": self.object,
            "external": self.external,
        }
        for name, value in fields.items():
            if name == wanted and value is None:
                yield Objection((name,), f"the metric's details under {name}, because type is {self.type}")
            elif name != wanted and value is not None:
                yield Objection((name,), f"nothing here, because type is {self.type}")

    @property
    def identifier(self) -> MetricIdentifier | None:
        """The metric's name and selector; None for the two kinds of resources."""
        for part in (self.pods, self.object, self.external):
            if part is not None:
                return part.metric
        return None

    @property
    def target(self) -> MetricTarget:
        """What is wanted of the metric."""
        for part in (self.resource, self.container_resource, self.pods, self.object, self.external):
            if part is not None:
                return part.target
        raise ValueError(f"a metric of type {self.type} without its details")


class ScalingPolicyRule(Shape):
    """At most so many pods, or per cent of the pods, in so many seconds."""

    type: Literal["Pods", "Percent"]
    """What is counted."""
    value: PositiveInt
    """How many at most."""
    period_seconds: Annotated[int, Field(gt=0, le=1800)]
    """In how long."""


class ScalingRules(Shape):
    """How fast to scale in one direction, and how long to wait and see first."""

    stabilization_window_seconds: Annotated[int, Field(ge=0, le=3600)] | None = None
    """Seconds of past recommendations to consider."""
    select_policy: Literal["Max", "Min", "Disabled"] = "Max"
    """Which of the policies counts: the one that allows most, or least; Disabled stops this direction."""
    policies: Annotated[tuple[ScalingPolicyRule, ...], Field(min_length=1)] | None = None
    """How many pods may come or go in how long."""
    tolerance: NotNegativeMilli | None = None
    """How far from its target a metric may be without any change, as a ratio: 100m is ten per cent."""


# What autoscaling/v2 fills in. The 300 seconds on the way down are the controller's own default.
DEFAULT_UP = ScalingRules(
    stabilization_window_seconds=0,
    select_policy="Max",
    policies=(
        ScalingPolicyRule(type="Pods", value=4, period_seconds=15),
        ScalingPolicyRule(type="Percent", value=100, period_seconds=15),
    ),
    tolerance=None,
)
DEFAULT_DOWN = ScalingRules(
    stabilization_window_seconds=300,
    select_policy="Max",
    policies=(ScalingPolicyRule(type="Percent", value=100, period_seconds=15),),
    tolerance=None,
)


class Behavior(Shape):
    """How fast to scale, as autoscaling/v2 has it."""

    scale_up: ScalingRules | None = None
    """On the way up."""
    scale_down: ScalingRules | None = None
    """On the way down."""

    @property
    def up(self) -> ScalingRules:
        """The rules on the way up with every default filled in (a tolerance of None is the installation's own)."""
        return _filled(self.scale_up, DEFAULT_UP)

    @property
    def down(self) -> ScalingRules:
        """The rules on the way down with every default filled in (a tolerance of None is the installation's own)."""
        return _filled(self.scale_down, DEFAULT_DOWN)


def _filled(given: ScalingRules | None, default: ScalingRules) -> ScalingRules:
    if given is None:
        return default
    window = given.stabilization_window_seconds
    # Copied, not built anew: a tolerance of 50m is read already, and read again its 50 thousandths would be 50.
    return given.model_copy(
        update={
            "stabilization_window_seconds": default.stabilization_window_seconds if window is None else window,
            "policies": given.policies or default.policies,
        }
    )
