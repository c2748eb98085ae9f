"""What the API server makes of a HorizontalPodAutoscaler: its defaults, and what it refuses, as `field: ErrorType`.

Source: `pkg/apis/autoscaling/validation` of Kubernetes 1.36 and the registry's strategy on create.
"""

from __future__ import annotations

import dataclasses
import itertools
import re
from collections.abc import Iterator

from podium.loop.evaluate import labels
from podium.loop.evaluate.autoscaler import (
    Identifier,
    Metric,
    Pods,
    Policy,
    Quantity,
    Reference,
    Resource,
    Rules,
    Spec,
    Target,
    defaulted,
)
from podium.loop.evaluate.cases import Line
from podium.loop.evaluate.quantity import is_negative, is_positive

REQUIRED, INVALID, UNSUPPORTED, FORBIDDEN = "Required value", "Invalid value", "Unsupported value", "Forbidden"
MAX_PERIOD, MAX_WINDOW = 1800, 3600  # seconds

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_STANDARD = ("cpu", "memory", "ephemeral-storage")  # of containers
_OBJECTS = "pods resourcequotas services replicationcontrollers secrets configmaps persistentvolumeclaims storage"
_COUNTED = (  # of quotas, too
    *_STANDARD,
    *(f"{side}.{name}" for side in ("requests", "limits") for name in _STANDARD),
    *_OBJECTS.split(),
    *("requests.storage", "services.nodeports", "services.loadbalancers"),
)

Found = tuple[str, str]  # field, error type


@dataclasses.dataclass(frozen=True, slots=True)
class Admitted:
    """One line with the HPA's defaults, and what the API server has against it."""

    line: Line
    spec: Spec
    invalid: tuple[str, ...]


def admit(line: Line) -> Admitted:
    """Defaults, then validation. Raises ValueError that shows a quantity that is none."""
    spec = defaulted(line.hpa.spec, tolerances=line.gate("HPAConfigurableTolerance"))
    found = [*_metadata(line), *_spec(spec, least=0 if line.gate("HPAScaleToZero") else 1)]
    return Admitted(line, spec, tuple(f"{field}: {kind}" for field, kind in _in_order(found)))


def _in_order(found: list[Found]) -> Iterator[Found]:
    """Sources that are too many come out of a Go map: they are put in order."""
    for kind, group in itertools.groupby(found, key=lambda one: one[1]):
        run = list(group)
        yield from sorted(run) if kind == FORBIDDEN else run


def _metadata(line: Line) -> Iterator[Found]:
    metadata = line.hpa.metadata
    if not metadata.name:
        yield "metadata.name", REQUIRED
    elif not _SUBDOMAIN.fullmatch(metadata.name):
        yield "metadata.name", INVALID
    if not metadata.namespace:
        yield "metadata.namespace", REQUIRED
    elif not _LABEL.fullmatch(metadata.namespace):
        yield "metadata.namespace", INVALID


def _spec(spec: Spec, *, least: int) -> Iterator[Found]:
    if spec.minimum < least:
        yield "spec.minReplicas", INVALID
    if spec.max_replicas == 0:
        yield "spec.maxReplicas", REQUIRED
    elif spec.max_replicas < 0:
        yield "spec.maxReplicas", INVALID
    if spec.max_replicas < spec.minimum:
        yield "spec.maxReplicas", INVALID
    yield from _reference(spec.scale_target_ref, "spec.scaleTargetRef", group=True)
    for number, metric in enumerate(spec.metrics or ()):
        yield from _metric(metric, f"spec.metrics[{number}]")
    if spec.minimum == 0 and not spec.counts_beyond_pods:
        yield "spec.metrics", FORBIDDEN
    if spec.behavior is not None:
        for name, rules in (("scaleUp", spec.behavior.scale_up), ("scaleDown", spec.behavior.scale_down)):
            yield from _rules(rules or Rules(), f"spec.behavior.{name}")


def _reference(reference: Reference, at: str, *, group: bool) -> Iterator[Found]:
    yield from _segment(reference.kind, f"{at}.kind")
    yield from _segment(reference.name, f"{at}.name")
    version = reference.api_version
    empty_group = "/" not in version or version.startswith("/")
    wanted = group and reference.kind != "ReplicationController"
    if version.count("/") > 1 or (wanted and empty_group):
        yield f"{at}.apiVersion", INVALID


def _segment(name: str, at: str) -> Iterator[Found]:
    """A name that may stand in a URL's path."""
    if not name:
        yield at, REQUIRED
    elif name in (".", ".."):
        yield at, INVALID
    else:
        yield from ((at, INVALID) for forbidden in "/%" if forbidden in name)


def _metric(metric: Metric, at: str) -> Iterator[Found]:
    sources = {
        "object": metric.object,
        "external": metric.external,
        "pods": metric.pods,
        "resource": metric.resource,
        "containerResource": metric.container_resource,
    }
    expected = metric.type[:1].lower() + metric.type[1:]
    known = metric.type in ("Object", "External", "Pods", "Resource", "ContainerResource")
    if not metric.type:
        yield f"{at}.type", REQUIRED
    if not known:
        yield f"{at}.type", UNSUPPORTED
    there = [name for name, source in sources.items() if source is not None]
    if there:
        yield from _source(metric, there[0], f"{at}.{there[0]}")
    if not known:
        yield f"{at}.type", UNSUPPORTED
    elif sources[expected] is None:
        yield f"{at}.{expected}", REQUIRED
    if len(there) != 1:
        yield from ((f"{at}.{name}", FORBIDDEN) for name in there if not known or name != expected)


def _source(metric: Metric, name: str, at: str) -> Iterator[Found]:
    if name == "object" and metric.object is not None:
        yield from _reference(metric.object.described_object, f"{at}.describedObject", group=False)
        yield from _valued(metric.object.metric, metric.object.target, at)
    elif name == "external" and metric.external is not None:
        yield from _valued(metric.external.metric, metric.external.target, at)
        if metric.external.target.value is not None and metric.external.target.average_value is not None:
            yield f"{at}.target.value", FORBIDDEN
    elif name == "pods" and metric.pods is not None:
        yield from _averaged(metric.pods, at)
    elif name == "resource" and metric.resource is not None:
        if not metric.resource.name:
            yield f"{at}.name", REQUIRED
        yield from _requested(metric.resource.target, at)
    elif metric.container_resource is not None:
        yield from _of_container(metric.container_resource, at)
        yield from _requested(metric.container_resource.target, at)


def _valued(identifier: Identifier, target: Target, at: str) -> Iterator[Found]:
    yield from _segment(identifier.name, f"{at}.metric.name")
    yield from _target(target, f"{at}.target")
    if target.value is None and target.average_value is None:
        yield f"{at}.target.averageValue", REQUIRED


def _averaged(metric: Pods, at: str) -> Iterator[Found]:
    yield from _segment(metric.metric.name, f"{at}.metric.name")
    yield from _target(metric.target, f"{at}.target")
    if metric.target.average_value is None:
        yield f"{at}.target.averageValue", REQUIRED


def _of_container(resource: Resource, at: str) -> Iterator[Found]:
    if not resource.name:
        yield f"{at}.name", REQUIRED
    else:
        yield from ((f"{at}.name", INVALID) for _ in _name_mistakes(resource.name))
    if not resource.container:
        yield f"{at}.container", REQUIRED
    elif not _LABEL.fullmatch(resource.container):
        yield f"{at}.container", INVALID


def _name_mistakes(name: str) -> Iterator[str]:
    """What is wrong with the name of a container's resource, one by one."""
    unqualified = labels.key_mistakes(name)
    yield from unqualified
    if "/" in name:
        native = "kubernetes.io/" in name
        if not native and (name.startswith("requests.") or unqualified):
            yield "no extended resource"
    elif not name.startswith("hugepages-"):
        if name not in _COUNTED and not unqualified:
            yield "not a standard resource"
        if name not in _STANDARD:
            yield "not a standard resource of containers"


def _requested(target: Target, at: str) -> Iterator[Found]:
    yield from _target(target, f"{at}.target")
    if target.average_utilization is None and target.average_value is None:
        yield f"{at}.target.averageUtilization", REQUIRED
    if target.average_utilization is not None and target.average_value is not None:
        yield f"{at}.target.averageValue", FORBIDDEN


def _target(target: Target, at: str) -> Iterator[Found]:
    if not target.type:
        yield f"{at}.type", REQUIRED
    if target.type not in ("Utilization", "Value", "AverageValue"):
        yield f"{at}.type", INVALID
    if not _is_positive(target.value):
        yield f"{at}.value", INVALID
    if not _is_positive(target.average_value):
        yield f"{at}.averageValue", INVALID
    if target.average_utilization is not None and target.average_utilization < 1:
        yield f"{at}.averageUtilization", INVALID


def _is_positive(quantity: Quantity | None) -> bool:
    return quantity is None or is_positive(quantity)


def _rules(rules: Rules, at: str) -> Iterator[Found]:
    window = rules.stabilization_window_seconds
    if window is not None and not 0 <= window <= MAX_WINDOW:
        yield f"{at}.stabilizationWindowSeconds", INVALID
    if rules.select_policy not in ("Max", "Min", "Disabled"):
        yield f"{at}.selectPolicy", UNSUPPORTED
    if not rules.policies:
        yield f"{at}.policies", REQUIRED
    for number, policy in enumerate(rules.policies or ()):
        yield from _policy(policy, f"{at}.policies[{number}]")
    if rules.tolerance is not None and is_negative(rules.tolerance):
        yield f"{at}.tolerance", INVALID


def _policy(policy: Policy, at: str) -> Iterator[Found]:
    if policy.type not in ("Pods", "Percent"):
        yield f"{at}.type", UNSUPPORTED
    if policy.value <= 0:
        yield f"{at}.value", INVALID
    if not 0 < policy.period_seconds <= MAX_PERIOD:
        yield f"{at}.periodSeconds", INVALID
