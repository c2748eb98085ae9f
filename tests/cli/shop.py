"""A small shop in a cluster that nobody prepared: what a first look and an adoption find there."""

from __future__ import annotations

import copy
from typing import Any

from tests.servers.apiserver import ApiServer

RESOURCES: tuple[str, ...] = ("deployments.apps", "statefulsets.apps", "pods", "horizontalpodautoscalers.autoscaling")
RESOURCES += ("poddisruptionbudgets.policy", "nodes", "pods.metrics.k8s.io")

CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}


def open_shop(server: ApiServer) -> None:
    """Every list that a first look asks for is served."""
    server.served |= set(RESOURCES)


def workload(
    server: ApiServer,
    name: str,
    replicas: int = 3,
    *,
    kind: str = "Deployment",
    requests: dict[str, str] | None = None,
    limits: dict[str, str] | None = None,
    used: tuple[str, str] | None = ("100m", "100Mi"),
    namespace: str = "shop",
) -> list[dict[str, Any]]:
    """A workload with its pods, which use so much CPU and memory each; the pods."""
    resources = {"requests": requests or {}, "limits": limits or {}}
    container = {"name": "main", "image": "x", "resources": resources}
    template = {"metadata": {"labels": {"app": name}}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, "template": template}
    server.put("apps/v1", f"{kind.lower()}s", {"metadata": {"name": name, "namespace": namespace}, "spec": spec})
    pods = []
    for number in range(replicas):
        owner = {"kind": "ReplicaSet", "name": f"{name}-abc", "controller": True}
        if kind != "Deployment":
            owner = {"kind": kind, "name": name, "controller": True}
        labels = {"app": name, "pod-template-hash": "abc"}
        metadata = {"name": f"{name}-{number}", "namespace": namespace, "labels": labels, "ownerReferences": [owner]}
        pod = {"metadata": metadata, "spec": copy.deepcopy(template["spec"]), "status": {"phase": "Running"}}
        pods.append(server.put("v1", "pods", pod))
        if used is not None:
            usage = [{"name": "main", "usage": {"cpu": used[0], "memory": used[1]}}]
            whole = {"metadata": {"name": f"{name}-{number}", "namespace": namespace}, "containers": usage}
            whole |= {"timestamp": "2026-11-22T00:00:00Z", "window": "12.4s"}
            server.put("metrics.k8s.io/v1beta1", "pods", whole)
    return pods


def hpa(server: ApiServer, name: str, low: int = 2, high: int = 10, **more: Any) -> dict[str, Any]:
    """An HPA on CPU at 60 %; `status` and fields of the spec may be given."""
    status, target = more.pop("status", {}), more.pop("target", name)
    namespace, annotations = more.pop("namespace", "shop"), more.pop("annotations", {})
    kind = more.pop("kind", "Deployment")
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": kind, "name": target},
        "minReplicas": low,
        "maxReplicas": high,
        "metrics": [CPU],
    } | more
    metadata = {"name": name, "namespace": namespace, "annotations": annotations}
    value = {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": metadata}
    return server.put("autoscaling/v2", "horizontalpodautoscalers", value | {"spec": spec, "status": status})


def budget(server: ApiServer, name: str, allowed: int = 1, namespace: str = "shop") -> None:
    """A PodDisruptionBudget over the pods of one workload."""
    server.put(
        "policy/v1",
        "poddisruptionbudgets",
        {
            "metadata": {"name": name, "namespace": namespace},
            "spec": {"selector": {"matchLabels": {"app": name}}},
            "status": {"disruptionsAllowed": allowed, "expectedPods": 3},
        },
    )
