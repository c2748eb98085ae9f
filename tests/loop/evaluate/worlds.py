"""HPA cases as short as they can be said: worlds in the shape of Kubernetes' own objects, and their lines.

Everything that a case does not say is quiet: pods are old and ready, samples are fresh, the HPA has wide limits.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from podium.loop.evaluate.answers import answers
from podium.model import clock

ZERO = clock.parse_rfc3339("2000-01-02T00:00:00Z")

Object = dict[str, Any]


def moment(at: float) -> str:
    """Seconds after zero as RFC 3339."""
    return clock.rfc3339(ZERO + at)


def pod(
    name: str,
    *,
    age: float = 3600,
    ready: str | None = "True",
    ready_for: float | None = None,
    phase: str = "Running",
    cpu: str | None = "100m",
    deleted: bool = False,
) -> Object:
    """A v1 Pod. Its Ready condition changed `ready_for` seconds ago; left out, as it started."""
    since = age if ready_for is None else ready_for
    conditions = [{"type": "Ready", "status": ready, "lastTransitionTime": moment(-since)}] if ready else []
    requests = {"cpu": cpu} if cpu else {}
    return {
        "metadata": {"name": name} | ({"deletionTimestamp": moment(0)} if deleted else {}),
        "spec": {"containers": [{"name": "app", "resources": {"requests": requests}}]},
        "status": {"phase": phase, "startTime": moment(-age), "conditions": conditions},
    }


def pods(count: int, **details: Any) -> list[Object]:
    """`web-0`, `web-1`, ... all alike."""
    return [pod(f"web-{number}", **details) for number in range(count)]


def used(name: str, *, at: float = 0, window: str = "30s", **usage: str) -> Object:
    """The PodMetrics of one pod."""
    containers = [{"name": "app", "usage": usage}]
    return {"metadata": {"name": name}, "timestamp": moment(at), "window": window, "containers": containers}


def loads(count: int, **usage: str) -> list[Object]:
    """The same usage of `web-0`, `web-1`, ..."""
    return [used(f"web-{number}", **usage) for number in range(count)]


def of_pods(name: str, values: Mapping[str, str]) -> list[Object]:
    """Custom metric values of pods."""
    return [_value({"kind": "Pod", "name": pod}, name, value) for pod, value in values.items()]


def of_service(name: str, value: str) -> list[Object]:
    """The custom metric value of the Service `front`."""
    return [_value({"kind": "Service", "name": "front"}, name, value)]


def _value(described: Object, name: str, value: str) -> Object:
    return {"describedObject": described, "metric": {"name": name}, "timestamp": moment(0), "value": value}


def series(name: str, *values: str, **labels: str) -> list[Object]:
    """External metric values with the same labels."""
    return [{"metricName": name, "metricLabels": labels, "timestamp": moment(0), "value": value} for value in values]


def resource(name: str, **target: Any) -> Object:
    """A Resource metric, as `resource("cpu", averageUtilization=50)`."""
    return {"type": "Resource", "resource": {"name": name, "target": _target(target)}}


def per_pod(name: str, value: str) -> Object:
    """A Pods metric."""
    return {"type": "Pods", "pods": {"metric": {"name": name}, "target": _target({"averageValue": value})}}


def external(name: str, **target: Any) -> Object:
    """An External metric."""
    return {"type": "External", "external": {"metric": {"name": name}, "target": _target(target)}}


def of_object(name: str, **target: Any) -> Object:
    """An Object metric, of the Service `front`."""
    described = {"apiVersion": "v1", "kind": "Service", "name": "front"}
    part = {"describedObject": described, "metric": {"name": name}, "target": _target(target)}
    return {"type": "Object", "object": part}


def _target(target: Object) -> Object:
    kinds = {"averageUtilization": "Utilization", "averageValue": "AverageValue", "value": "Value"}
    return {"type": kinds[next(iter(target))], **target}


def spec(*metrics: Object, least: int = 1, most: int = 1000, behavior: Object | None = None) -> Object:
    """The spec of a HorizontalPodAutoscaler of the Deployment `web`."""
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
    out = {"scaleTargetRef": target, "minReplicas": least, "maxReplicas": most, "metrics": list(metrics)}
    return out if behavior is None else out | {"behavior": behavior}


def line(wanted: Object, **members: Any) -> Object:
    """One line for an HPA of this spec."""
    return {"id": "case", "hpa": {"metadata": {"name": "web", "namespace": "shop"}, "spec": wanted}, **members}


def answer(case: Object, *, full: bool = False) -> Object:
    """What Podium answers to one line."""
    (only,) = answered([case], full=full)
    return only


def answered(cases: Sequence[Object], *, full: bool = False) -> list[Object]:
    """What Podium answers to lines."""
    return [json.loads(one) for one in answers([json.dumps(case).encode() for case in cases], full=full)]
