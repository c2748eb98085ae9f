"""The objects of the bench: Deployments of many tenants, and what tells Podium and the HPA controller to scale them."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.where import Where

PER_REPLICA = 10.0
GROUPS = {
    "v1": "",
    "apps/v1": "apps",
    "autoscaling/v2": "autoscaling",
    "apiregistration.k8s.io/v1": "apiregistration.k8s.io",
}
AT_ONCE = 16

Key = tuple[str, str]  # namespace, name


def namespace(name: str) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}


def deployment(key: Key, replicas: int) -> dict[str, Any]:
    labels = {"app": key[1]}
    container = {"name": "main", "image": "none", "resources": {"requests": {"cpu": "1m", "memory": "1Mi"}}}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": key[1], "namespace": key[0]},
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
    }


def autoscaler(key: Key) -> dict[str, Any]:
    metric = {"name": "load", "selector": {"matchLabels": {"deployment": key[1]}}}
    target = {"type": "AverageValue", "averageValue": str(round(PER_REPLICA))}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": key[1], "namespace": key[0]},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": key[1]},
            "minReplicas": 1,
            "maxReplicas": 500,
            "metrics": [{"type": "External", "external": {"metric": metric, "target": target}}],
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    }


def external_metrics(port: int) -> list[dict[str, Any]]:
    """The aggregated API `external.metrics.k8s.io`, answered by this machine."""
    about = {"name": "loads", "namespace": "default"}
    service = {"apiVersion": "v1", "kind": "Service", "metadata": about}
    api = {
        "group": "external.metrics.k8s.io",
        "version": "v1beta1",
        "groupPriorityMinimum": 100,
        "versionPriority": 100,
        "insecureSkipTLSVerify": True,
        "service": about | {"port": port},
    }
    return [
        service | {"spec": {"type": "ExternalName", "externalName": "localhost"}},
        {
            "apiVersion": "apiregistration.k8s.io/v1",
            "kind": "APIService",
            "metadata": {"name": "v1beta1.external.metrics.k8s.io"},
            "spec": api,
        },
    ]


ASKED, PUSHED = "prometheus: {query: load}", "push: {metric: load}"


def policies(keys: Iterable[Key], origin: str = ASKED) -> str:
    """Podium's documents: a Signal for each namespace, a policy for each Deployment that does what the HPA does."""
    head = "apiVersion: podium.dev/v1alpha1\n"
    found = [
        f"{head}kind: Signal\nmetadata: {{name: load, namespace: {space}}}\n"
        f"spec: {{unit: per_second, {origin}, interval: 1s, staleAfter: 10s}}\n"
        for space in sorted({key[0] for key in keys})
    ]
    found += [
        f"{head}kind: ScalingPolicy\nmetadata: {{name: {name}, namespace: {space}}}\nspec:\n"
        f"  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}\n"
        "  mode: own\n  replicas: {min: 1, max: 500}\n"
        f"  load: {{signal: load, capacityPerReplica: {PER_REPLICA:g}}}\n"
        "  forecast: {enabled: false}\n  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}\n"
        for space, name in keys
    ]
    return "---\n".join(found)


async def create(client: Client, documents: Iterable[dict[str, Any]]) -> None:
    """Create them, a few at once; what is there already stays."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(document: dict[str, Any]) -> None:
        async with gate:
            for _ in range(10):
                try:
                    await client.create(_where(document), document, objects.Object)
                    return
                except errors.Conflict:
                    return
                except errors.Temporary:
                    await asyncio.sleep(1.0)
            raise SystemExit(f"{document['metadata']} cannot be created")

    await asyncio.gather(*map(one, documents))


def _where(document: dict[str, Any]) -> Where:
    version = document["apiVersion"]
    plural = "apiservices" if document["kind"] == "APIService" else f"{document['kind'].lower()}s"
    return Where(
        group=GROUPS[version],
        version=version.rpartition("/")[2],
        resource=plural,
        namespace=document["metadata"].get("namespace", ""),
    )
