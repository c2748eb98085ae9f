"""autoscaling/v2 HorizontalPodAutoscaler as people write it, and what the API server fills in."""

from __future__ import annotations

import datetime
from typing import Annotated

import msgspec

from podium.clients.kubernetes.objects import LabelSelector, Struct

Int32 = Annotated[int, msgspec.Meta(ge=-(2**31), le=2**31 - 1)]
Quantity = str | int | float


class Reference(Struct, frozen=True):
    """CrossVersionObjectReference."""

    kind: str = ""
    name: str = ""
    api_version: str = ""


class Identifier(Struct, frozen=True):
    """MetricIdentifier."""

    name: str = ""
    selector: LabelSelector | None = None


class Target(Struct, frozen=True):
    """MetricTarget."""

    type: str = ""
    value: Quantity | None = None
    average_value: Quantity | None = None
    average_utilization: Int32 | None = None


class Resource(Struct, frozen=True):
    """ResourceMetricSource; with a container, ContainerResourceMetricSource."""

    name: str = ""
    target: Target = Target()
    container: str = ""


class Pods(Struct, frozen=True):
    """PodsMetricSource and ExternalMetricSource."""

    metric: Identifier = Identifier()
    target: Target = Target()


class Described(Struct, frozen=True):
    """ObjectMetricSource."""

    described_object: Reference = Reference()
    metric: Identifier = Identifier()
    target: Target = Target()


class Metric(Struct, frozen=True):
    """MetricSpec."""

    type: str = ""
    object: Described | None = None
    pods: Pods | None = None
    resource: Resource | None = None
    container_resource: Resource | None = None
    external: Pods | None = None


class Policy(Struct, frozen=True):
    """HPAScalingPolicy."""

    type: str = ""
    value: Int32 = 0
    period_seconds: Int32 = 0


class Rules(Struct, frozen=True):
    """HPAScalingRules."""

    stabilization_window_seconds: Int32 | None = None
    select_policy: str | None = None
    policies: list[Policy] | None = None
    tolerance: Quantity | None = None


class Behavior(Struct, frozen=True):
    """HorizontalPodAutoscalerBehavior."""

    scale_up: Rules | None = None
    scale_down: Rules | None = None


class Spec(Struct, frozen=True):
    """HorizontalPodAutoscalerSpec."""

    scale_target_ref: Reference = Reference()
    min_replicas: Int32 | None = None
    max_replicas: Int32 = 0
    metrics: list[Metric] | None = None
    behavior: Behavior | None = None

    @property
    def minimum(self) -> int:
        """`minReplicas`, 1 where nobody wrote it."""
        return 1 if self.min_replicas is None else self.min_replicas

    @property
    def counts_beyond_pods(self) -> bool:
        """Whether some metric can be measured without a pod."""
        return any(metric.type in ("Object", "External") for metric in self.metrics or ())


class Condition(Struct, frozen=True):
    """HorizontalPodAutoscalerCondition."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class Status(Struct, frozen=True):
    """HorizontalPodAutoscalerStatus, the part that a controller goes on from."""

    current_replicas: Int32 = 0
    desired_replicas: Int32 = 0
    last_scale_time: datetime.datetime | None = None
    conditions: list[Condition] | None = None


class Metadata(Struct, frozen=True):
    """metav1.ObjectMeta; whoever leaves the names out means one HPA in one namespace."""

    name: str = "web"
    namespace: str = "default"


class Autoscaler(Struct, frozen=True):
    """HorizontalPodAutoscaler."""

    metadata: Metadata = Metadata()
    spec: Spec = Spec()
    status: Status = Status()


DEFAULT_METRICS = [
    Metric(type="Resource", resource=Resource("cpu", Target(type="Utilization", average_utilization=80)))
]
DEFAULT_UP = Rules(0, "Max", [Policy("Pods", 4, 15), Policy("Percent", 100, 15)])
DEFAULT_DOWN = Rules(None, "Max", [Policy("Percent", 100, 15)])


def defaulted(spec: Spec, *, tolerances: bool) -> Spec:
    """With what the API server fills in; without `tolerances`, those of the behaviour are dropped by a feature gate."""
    behavior = spec.behavior
    if behavior is not None:
        behavior = Behavior(
            _filled(behavior.scale_up, DEFAULT_UP, tolerances=tolerances),
            _filled(behavior.scale_down, DEFAULT_DOWN, tolerances=tolerances),
        )
    return Spec(spec.scale_target_ref, spec.minimum, spec.max_replicas, spec.metrics or list(DEFAULT_METRICS), behavior)


def _filled(given: Rules | None, default: Rules, *, tolerances: bool) -> Rules:
    if given is None:
        return default
    window = given.stabilization_window_seconds
    return Rules(
        default.stabilization_window_seconds if window is None else window,
        default.select_policy if given.select_policy is None else given.select_policy,
        default.policies if given.policies is None else given.policies,
        given.tolerance if tolerances else None,
    )
