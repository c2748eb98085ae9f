"""Modes metric and floor beside Kubernetes' own HPA controller, and what is left when Podium is killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.deployments import SIGNAL, Deployments
from tests.journeys.installation import Installation
from tests.journeys.loads import LoadServer, serving, steady

from podium.loop.remember.floors import FLOORS, read_floors
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
def shop(quick: ControlPlane) -> Iterator[Deployments]:
    name = f"t{uuid.uuid4().hex[:10]}"
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
    return json.loads(
        shop.control_plane.kubectl("-n", shop.namespace, "get", kind, name, "-o", "json", "--show-managed-fields")
    )


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
    """Which people and Podiums wrote a scale of the namespace: the audit log leaves Kubernetes' own controllers out."""
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
    assert scaled_by(shop) == set()


def note(shop: Deployments) -> dict[str, Any]:
    return json.loads(read(shop)["metadata"].get("annotations", {}).get("podium.dev/floor", "{}"))


def managers(shop: Deployments) -> set[str]:
    return {one["manager"] for one in read(shop)["metadata"]["managedFields"]}


def podium(shop: Deployments, *arguments: str) -> str:
    """The command line, as a CronJob would call it."""
    command = [sys.executable, "-m", "podium.cli.main", *arguments]
    environment = os.environ | {"KUBECONFIG": str(shop.control_plane.kubeconfig)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_a_floor_is_raised_outlives_podium_and_is_given_back_without_it(
    shop: Deployments, loads: LoadServer, tmp_path: Path
) -> None:
    shop.apply([hpa(shop, 2, [CPU])])
    with installed(shop, tmp_path / "here", loads, "floor") as place:
        loads.loads = load(60.0)
        place.start()
        place.until_ready()
        shop.until(lambda seen: seen["web"] == (6, 6))  # by the HPA controller, which knows no CPU here
        raised, noted = read(shop)["spec"]["minReplicas"], note(shop)
        place.kill()
        time.sleep(3.0)
        left = read(shop)["spec"]["minReplicas"]
        told = podium(shop, "floor", "give-back", "--expired", "--namespace", shop.namespace)
        given = podium(shop, "floor", "give-back", "--all", "--namespace", shop.namespace)
        ledger = place.ledger()
        written = [one.command for entry in ledger.entries([FLOORS]) for one in read_floors(entry)]
        ledger.close()
    assert (raised, noted["original"], noted["raised"], left) == (6, 2, 6, 6)
    assert told == "nothing had to be given back\n"  # its half hour is not over
    assert given == f"{shop.namespace}: minReplicas of HPA web 6 -> 2, given back: written\n"
    assert (read(shop)["spec"]["minReplicas"], note(shop)) == (2, {})
    assert "podium" not in managers(shop)
    assert scaled_by(shop) == set()
    assert (written[0].current, written[0].note.original if written[0].note else None) == (2, 2)
    shop.apply([hpa(shop, 3, [CPU])])  # as people go on, client-side …
    again = json.dumps(hpa(shop, 4, [CPU]))
    shop.control_plane.kubectl("apply", "--server-side", "--force-conflicts", "-f", "-", input=again)  # … or not
    assert read(shop)["spec"]["minReplicas"] == 4


def test_who_changes_the_minimum_meanwhile_has_the_last_word_and_theirs_is_the_new_original(
    shop: Deployments, loads: LoadServer, tmp_path: Path
) -> None:
    shop.apply([hpa(shop, 2, [CPU])])
    with installed(shop, tmp_path / "here", loads, "floor") as place:
        loads.loads = load(60.0)
        place.start()
        until(lambda: note(shop).get("raised") == 6)
        shop.apply([hpa(shop, 4, [CPU])])  # kubectl apply, client-side: its last word was 2
        until(lambda: note(shop).get("original") == 4)
        loads.loads = load(36.0)
        until(lambda: read(shop)["spec"]["minReplicas"] == 4 and not note(shop))
        told = place.asked(f"/api/v1/workloads/local/{shop.namespace}/deployment.apps/web")
    assert [one for one in told["troubles"] if "somebody else overwrote" in one]


@pytest.mark.parametrize("of", ["deployment", "namespace"])
def test_the_annotation_stops_writes_until_it_is_taken_away(
    shop: Deployments, loads: LoadServer, tmp_path: Path, of: str
) -> None:
    named = ["deployment", "web"] if of == "deployment" else ["namespace", shop.namespace]
    with installed(shop, tmp_path / "here", loads, "own") as place:
        loads.loads = load(40.0)
        place.start()
        shop.until(lambda seen: seen["web"] == (4, 4))
        annotate = ["-n", shop.namespace, "annotate", *named]
        shop.control_plane.kubectl(*annotate, "podium.dev/paused=true")
        loads.loads = load(60.0)
        path = f"/api/v1/workloads/local/{shop.namespace}/deployment.apps/web"
        until(lambda: place.asked(path)["paused"] == "both")
        time.sleep(3.0)
        held, by = shop.replicas()["web"], place.asked(path)["pauses"][0]["by"]
        shop.control_plane.kubectl(*annotate, "podium.dev/paused-")
        shop.until(lambda seen: seen["web"] == (6, 6))
    assert (held, by) == ((4, 4), "annotation podium.dev/paused")


def test_an_hpa_on_a_workload_that_podium_leads_is_named_and_not_fought(
    shop: Deployments, loads: LoadServer, tmp_path: Path
) -> None:
    shop.apply([hpa(shop, 2, [CPU], maximum=3)])
    with installed(shop, tmp_path / "here", loads, "own") as place:
        loads.loads = load(60.0)
        place.start()
        place.until_said("workload.shared.began")
        path = f"/api/v1/workloads/local/{shop.namespace}/deployment.apps/web"
        troubles = until(lambda: [one for one in place.asked(path)["troubles"] if "Podium yields" in one])
        written = len([one for one in shop.answered() if one[:2] == ("web", 200)])
        time.sleep(4.0)
        after = len([one for one in shop.answered() if one[:2] == ("web", 200)])
        assert place.said("workload.contested.began")
    assert troubles[0].startswith("HPA web overwrites what Podium writes: Podium yields until ")
    assert (written, after, shop.replicas()["web"][0]) == (3, 3, 3)
