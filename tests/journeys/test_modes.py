"""Modes metric and floor beside Kubernetes' own HPA controller, and what is left when Podium is killed."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.deployments import SIGNAL, Deployments
from tests.journeys.installation import Installation
from tests.journeys.loads import LoadServer, serving, steady

from testbed import binaries
from testbed.control_plane import ControlPlane, _free_ports

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

POLICY = """\
---
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  mode: {mode}
  replicas: {{min: 1, max: 40}}
  load: {{signal: load, capacityPerReplica: 10}}
  forecast: {{enabled: false}}
  behavior: {{scaleDown: {{stabilizationWindowSeconds: 0}}}}
"""


@pytest.fixture(scope="module")
def quick(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlPlane]:
    """A control plane whose HPA controller looks every second."""
    folder = tmp_path_factory.mktemp("quick")
    with ControlPlane(folder, binaries.all_programs(print), nodes=1, hpa_seconds=1) as running:
        yield running


@pytest.fixture
def shop(quick: ControlPlane, request: pytest.FixtureRequest) -> Iterator[Deployments]:
    name = re.sub(r"[^a-z]+", "-", request.node.name.lower())[:50].strip("-")
    quick.kubectl("create", "namespace", name)
    made = Deployments(quick, name)
    made.make({"web": 2, "cart": 2, "mail": 2})
    yield made
    quick.kubectl("delete", "namespace", name, "--wait=false")


@pytest.fixture
def loads(shop: Deployments) -> Iterator[LoadServer]:
    with serving(shop.namespace, load(40.0)) as server:
        yield server


def installed(shop: Deployments, folder: Path, loads: LoadServer, mode: str, *, more: str = "") -> Installation:
    modes = {"web": mode, "cart": "recommend", "mail": "recommend"}
    documents = SIGNAL.format(namespace=shop.namespace) + "".join(
        POLICY.format(namespace=shop.namespace, name=name, mode=one) for name, one in modes.items()
    )
    cluster = f"kind: kubernetes, kubeconfig: {shop.control_plane.kubeconfig}"
    source = f'kind: prometheus, url: "{loads.url}"'
    place = Installation.written(folder, cluster, source, documents, shop.writes, loop="interval: 1s, lease: 2s")
    settings = folder / "podium.yaml"
    settings.write_text(settings.read_text() + more)
    return place


def hpa(shop: Deployments, minimum: int, metrics: list[dict[str, Any]], maximum: int = 30) -> dict[str, Any]:
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "web", "namespace": shop.namespace},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": minimum,
            "maxReplicas": maximum,
            "metrics": metrics,
            "behavior": {"scaleDown": {"stabilizationWindowSeconds": 0}},
        },
    }


def load(web: float) -> Any:
    """What they get. The two that stand still keep their source from looking as if all of it had leapt."""
    return steady({"web": web, "cart": 20.0, "mail": 20.0})


EXTERNAL = {
    "type": "External",
    "external": {
        "metric": {"name": "podium-replicas", "selector": {"matchLabels": {"workload": "web"}}},
        "target": {"type": "AverageValue", "averageValue": "1"},
    },
}
CPU = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}


def read(shop: Deployments, kind: str = "hpa", name: str = "web") -> Any:
    return json.loads(shop.control_plane.kubectl("-n", shop.namespace, "get", kind, name, "-o", "json"))


def until(done: Callable[[], Any], seconds: float = 60.0) -> Any:
    deadline = time.monotonic() + seconds
    while not (found := done()):
        assert time.monotonic() < deadline
        time.sleep(0.3)
    return found


def condition(shop: Deployments, kind: str) -> dict[str, Any]:
    found = read(shop).get("status", {}).get("conditions", [])
    return next((one for one in found if one["type"] == kind), {})


def scaled_by(shop: Deployments) -> set[str]:
    """Whoever wrote a scale of the namespace, as the API server's audit log has it."""
    writes = [one for one in shop.control_plane.audit() if one["objectRef"].get("namespace") == shop.namespace]
    return {
        one["user"]["username"]
        for one in writes
        if one["objectRef"].get("subresource") == "scale" and one["verb"] != "get"
    }


@pytest.fixture
def served(shop: Deployments) -> Iterator[int]:
    """The port to which the API server passes on external.metrics.k8s.io."""
    (port,) = _free_ports(1)
    about = {"name": "v1beta1.external.metrics.k8s.io"}
    service = {"name": "podium", "namespace": shop.namespace, "port": port}
    api = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": about,
        "spec": {
            "group": "external.metrics.k8s.io", "version": "v1beta1", "service": service,
            "insecureSkipTLSVerify": True, "groupPriorityMinimum": 100, "versionPriority": 100,
        },
    }  # fmt: skip
    local = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "podium", "namespace": shop.namespace},
        "spec": {"type": "ExternalName", "externalName": "localhost", "ports": [{"port": port}]},
    }
    shop.apply([local, api])
    yield port
    shop.control_plane.kubectl("delete", "apiservice", about["name"])


def test_an_hpa_follows_podiums_metric_and_is_not_scaled_down_by_its_silence(
    shop: Deployments, loads: LoadServer, served: int, tmp_path: Path
) -> None:
    more = f'metric: {{listen: "127.0.0.1:{served}"}}\n'
    with installed(shop, tmp_path / "here", loads, "metric", more=more) as place:
        place.start()
        place.until_ready()
        shop.apply([hpa(shop, 1, [EXTERNAL])])
        for replicas in (5, 7, 10, 8):
            loads.loads = load(10.0 * replicas)
            shop.until(lambda seen, replicas=replicas: seen["web"] == (replicas, replicas))
        place.kill()
        silent = until(lambda: condition(shop, "ScalingActive").get("reason") == "FailedGetExternalMetric")
        time.sleep(5.0)  # five looks of the HPA controller
        assert (silent, shop.replicas()["web"]) == (True, (8, 8))
        loads.loads = load(60.0)
        place.start()  # and it is heard again, as if nothing had been
        shop.until(lambda seen: seen["web"] == (6, 6))
    assert scaled_by(shop) == {"system:serviceaccount:kube-system:horizontal-pod-autoscaler"}
