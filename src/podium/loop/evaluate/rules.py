"""One HPA's spec as numbers: what a row of a `PolicyTable` needs, and which array holds each metric's samples."""

from __future__ import annotations

import dataclasses

from podium.loop.decide.table import MetricKind, Select
from podium.loop.evaluate import labels, quantity
from podium.loop.evaluate.autoscaler import Metric, Quantity, Rules, Spec
from podium.model.clock import parse_duration

FAILED_REASONS = {
    "Resource": "FailedGetResourceMetric",
    "ContainerResource": "FailedGetContainerResourceMetric",
    "Pods": "FailedGetPodsMetric",
    "Object": "FailedGetObjectMetric",
    "External": "FailedGetExternalMetric",
}


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """One metric of an HPA. `signal` names the array that holds it, which all HPAs with such a metric there share."""

    metric: Metric
    position: int
    kind: MetricKind | None  # None: it asks for nothing that can be calculated
    signal: str
    target: int  # per cent for UTILISATION, thousandths otherwise
    problem: str = ""  # why nothing can be asked

    @property
    def utilised(self) -> bool:
        """Whether it is measured against requests."""
        return self.kind is MetricKind.UTILISATION


@dataclasses.dataclass(frozen=True, slots=True)
class Direction:
    """One direction of the behaviour."""

    window: float  # seconds
    select: Select
    tolerance: float
    policies: tuple[tuple[bool, int, float], ...]  # (is it per cent, value, period in seconds)

    @property
    def longest(self) -> float:
        """The longest period, seconds."""
        return max((period for _, _, period in self.policies), default=0.0)


@dataclasses.dataclass(frozen=True, slots=True)
class Ruled:
    """A spec with its defaults, as numbers."""

    spec: Spec
    asked: tuple[Asked, ...]
    up: Direction
    down: Direction

    @property
    def behaved(self) -> bool:
        """Whether there is a behaviour at all."""
        return self.spec.behavior is not None


@dataclasses.dataclass(frozen=True, slots=True)
class Settings:
    """The controller's, in seconds."""

    window: float
    tolerance: float
    initialization: float
    readiness: float

    @classmethod
    def of(cls, window: str, tolerance: float, initialization: str, readiness: str) -> Settings:
        """From durations as Go writes them. Raises ValueError."""
        return cls(parse_duration(window), tolerance or 0.1, parse_duration(initialization), parse_duration(readiness))


def ruled(spec: Spec, settings: Settings) -> Ruled:
    """A spec that has its defaults, as numbers. Raises ValueError that shows a quantity that is none."""
    behavior = spec.behavior
    up = down = Rules()
    if behavior is not None:
        up, down = behavior.scale_up or up, behavior.scale_down or down
    return Ruled(
        spec,
        tuple(_selecting(_asked(metric, position)) for position, metric in enumerate(spec.metrics or ())),
        _direction(up, settings, 0.0),
        _direction(down, settings, float(int(settings.window))),
    )


def _direction(rules: Rules, settings: Settings, window: float) -> Direction:
    given = rules.stabilization_window_seconds
    return Direction(
        window=window if given is None else float(given),
        # Upstream takes whatever is neither Disabled nor Min for Max.
        select={"Disabled": Select.DISABLED, "Min": Select.MIN}.get(rules.select_policy or "", Select.MAX),
        tolerance=settings.tolerance if rules.tolerance is None else quantity.approximate(str(rules.tolerance)),
        policies=tuple((one.type == "Percent", one.value, float(one.period_seconds)) for one in rules.policies or ()),
    )


def _selecting(asked: Asked) -> Asked:
    """The same; of a metric whose selector is none, the problem."""
    part = {"Pods": asked.metric.pods, "Object": asked.metric.object, "External": asked.metric.external}.get(
        asked.metric.type
    )
    if part is None or asked.problem:
        return asked
    try:
        labels.of(part.metric.selector)
    except ValueError as error:
        return dataclasses.replace(asked, problem=str(error))
    return asked


def _asked(metric: Metric, position: int) -> Asked:
    match metric.type:
        case "Resource" if metric.resource is not None:
            cpu = metric.resource.name == "cpu"
            return _of_pods(metric, position, "cpu" if cpu else f"resource.{position}")
        case "ContainerResource" if metric.container_resource is not None:
            name = "cpu" if metric.container_resource.name == "cpu" else "resource"
            return _of_pods(metric, position, f"{name}@{position}")
        case "Pods" if metric.pods is not None:
            return _of_pods(metric, position, f"pods.{position}")
        case "Object" if metric.object is not None:
            return _of_object(metric, position)
        case "External" if metric.external is not None:
            target, words = metric.external.target, "external"
            if target.average_value is not None:
                return _valued(metric, position, MetricKind.AVERAGE_VALUE, target.average_value)
            if target.value is not None:
                return _valued(metric, position, MetricKind.VALUE, target.value)
            return _nothing(metric, position, f"invalid {words} metric source: {_NEITHER}")
    return _nothing(metric, position, f'unknown metric source type "{metric.type}"')


_NEITHER = "neither a value target nor an average value target was set"


def _of_pods(metric: Metric, position: int, signal: str) -> Asked:
    """Upstream never reads the type of such a target: an average value wins, then the utilisation."""
    part = metric.resource or metric.container_resource or metric.pods
    assert part is not None  # noqa: S101  the caller looked
    target = part.target
    if target.average_value is not None:
        return Asked(metric, position, MetricKind.AVERAGE, signal, quantity.milli(target.average_value))
    if target.average_utilization is not None and metric.type != "Pods":
        return Asked(metric, position, MetricKind.UTILISATION, signal, target.average_utilization)
    neither = "neither an average utilization target nor an average value (usage) target was set"
    return _nothing(metric, position, f"invalid resource metric source: {neither}")


def _of_object(metric: Metric, position: int) -> Asked:
    """Of an object the type binds; where it and the value do not meet, every reconciliation fails."""
    assert metric.object is not None  # noqa: S101  the caller looked
    target = metric.object.target
    if target.type == "Value" and target.value is not None:
        return _valued(metric, position, MetricKind.VALUE, target.value)
    if target.type == "AverageValue" and target.average_value is not None:
        return _valued(metric, position, MetricKind.AVERAGE_VALUE, target.average_value)
    return _nothing(metric, position, f"invalid object metric source: {_NEITHER}")


def _valued(metric: Metric, position: int, kind: MetricKind, target: Quantity) -> Asked:
    return Asked(metric, position, kind, f"value.{position}", quantity.milli(target))


def _nothing(metric: Metric, position: int, problem: str) -> Asked:
    return Asked(metric, position, None, "", 0, problem)
