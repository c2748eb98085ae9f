"""Why a metric proposes nothing, in upstream's words: its calculator's, and what the controller wraps around them."""

from __future__ import annotations

from podium.clients.kubernetes.objects import Pod
from podium.loop.clusters.kubernetes import requests
from podium.loop.decide.metrics import Trouble
from podium.loop.decide.table import MetricKind
from podium.loop.evaluate import gotext, rows
from podium.loop.evaluate.rows import Rows, Scene
from podium.loop.evaluate.rules import Asked

_NO_POD = "no pods returned by selector while calculating replica count"
_NONE_MEASURED = "did not receive metrics for targeted pods (pods might be unready)"
_NO_MATCH = "no metrics returned matched known pods"


def told(asked: Asked, trouble: int, seen: Rows, scene: Scene, namespace: str) -> str:
    """What the replica calculator returns as its error."""
    if asked.problem:
        return asked.problem
    if not seen.answered[asked.position]:
        return _unanswered(asked, scene, namespace)
    if asked.metric.type in ("Object", "External"):
        return f"unable to calculate ready pods: {_NO_POD}"
    if not seen.pods:
        return _NO_POD
    if trouble == Trouble.NO_REQUEST:
        return _no_request(asked, seen)
    return _NO_MATCH if trouble == Trouble.NO_MATCH else _NONE_MEASURED


def _unanswered(asked: Asked, scene: Scene, namespace: str) -> str:
    metric = asked.metric
    if metric.pods is not None and metric.type == "Pods":
        return f"unable to get metric {metric.pods.metric.name}: no metrics returned from custom metrics API"
    if metric.external is not None and metric.type == "External":
        name = f"{namespace}/{metric.external.metric.name}/{gotext.selector(metric.external.metric.selector)}"
        return f"unable to get external metric {name}: no metrics returned from external metrics API"
    if metric.object is not None and metric.type == "Object":
        described, count = metric.object.described_object, len(rows.objects_of(scene, asked, namespace))
        results = f"the custom metrics API server returned {count} results when we asked for exactly one"
        # Upstream hands its format the arguments in another order than it asks for them.
        return (
            f"unable to get metric {metric.object.metric.name}: {described.kind} on {namespace} {described.name}/"
            f"unable to fetch metrics from custom metrics API: {results}"
        )
    part = metric.resource or metric.container_resource
    name = part.name if part is not None else ""
    return f"unable to get metrics for resource {name}: no metrics returned from resource metrics API"


def _no_request(asked: Asked, seen: Rows) -> str:
    part = asked.metric.resource or asked.metric.container_resource
    assert part is not None  # noqa: S101  only resources are requested
    container = part.container if asked.metric.type == "ContainerResource" else ""
    silent = next(pod for pod in seen.pods if rows.request(pod, part.name, container) < 0)
    return _silent(silent, part.name, container)


def _silent(pod: Pod, resource: str, container: str) -> str:
    name = pod.metadata.name
    if not container and requests.is_asked_as_a_whole(pod.spec):
        return f"missing pod-level request for {resource} in Pod {name}"
    for one in requests.counted_containers(pod.spec):
        if container in ("", one.name) and resource not in (one.resources.requests or {}):
            return f"missing request for {resource} in container {one.name} of Pod {name}"
    return f"container {container} not found in Pod {name}"


def condition(asked: Asked, error: str) -> str:
    """What the controller says of it in the condition `ScalingActive`."""
    metric = asked.metric
    part = metric.resource or metric.container_resource
    if metric.type in ("Resource", "ContainerResource") and part is not None and asked.kind is not None:
        what = "utilization" if asked.kind is MetricKind.UTILISATION else "usage"
        return f"failed to get {part.name} {what}: {error}"
    return error


def returned(asked: Asked, error: str) -> str:
    """What the controller returns of one failing metric."""
    metric = asked.metric
    shared = asked.kind is MetricKind.AVERAGE_VALUE and (metric.type == "External" or not asked.problem)
    if metric.type == "Resource" and metric.resource is not None:
        return f"failed to get {metric.resource.name} resource metric value: {condition(asked, error)}"
    if metric.type == "ContainerResource" and metric.container_resource is not None:
        container = metric.container_resource.container
        return f"failed to get {container} container metric value: {condition(asked, error)}"
    if metric.type == "Pods":
        return f"failed to get pods metric value: {error}"
    if metric.type == "Object" and metric.object is not None:
        inner = f"failed to get {metric.object.metric.name} object metric: {error}" if shared else error
        return f"failed to get object metric value: {inner}"
    if metric.type == "External" and metric.external is not None:
        name = metric.external.metric.name
        inner = error
        if asked.kind is not None:
            inner = f"failed to get {f'{name} external metric' if shared else f'external metric {name}'}: {error}"
        return f"failed to get {name} external metric value: {inner}"
    return error


def name(asked: Asked) -> str:
    """What the controller calls a metric that gives the number."""
    metric = asked.metric
    if metric.pods is not None and metric.type == "Pods":
        return f"pods metric {metric.pods.metric.name}"
    if metric.object is not None and metric.type == "Object" and asked.kind is MetricKind.VALUE:
        return f"{metric.object.described_object.kind} metric {metric.object.metric.name}"
    if metric.type in ("Object", "External"):
        source = metric.object if metric.type == "Object" else metric.external
        assert source is not None  # noqa: S101  it was calculated
        return f"external metric {source.metric.name}({gotext.selector(source.metric.selector)})"
    part = metric.resource or metric.container_resource
    assert part is not None  # noqa: S101  it was calculated
    if asked.kind is MetricKind.AVERAGE:
        return f"{part.name} resource"
    container = " container" if metric.type == "ContainerResource" else ""
    return f"{part.name}{container} resource utilization (percentage of request)"
