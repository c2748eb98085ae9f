"""A container measured by itself: from the answers of an API server to the replicas that a policy on it asks for."""

from __future__ import annotations

import datetime
from typing import Any

import msgspec
import pytest

from podium.clients.kubernetes import objects, selectors
from podium.loop.clusters.kubernetes import kept
from podium.loop.clusters.kubernetes.reading import Namespace, observation
from podium.loop.clusters.port import Observation
from podium.model.arrays import UNKNOWN
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

KEY = WorkloadKey.parse("local/shop/deployment.apps/web")
FLEET = Fleet().revised({KEY: ""})


def pod(name: str, **requests: str | None) -> dict[str, Any]:
    """A pod with these containers; `log` is a sidecar, an init container that always restarts."""
    asked = {one: {"cpu": cpu} if cpu else {} for one, cpu in requests.items()}
    containers: list[dict[str, Any]] = [{"name": one, "resources": {"requests": asked[one]}} for one in asked]
    for one in containers:
        one["restartPolicy"] = "Always" if one["name"] == "log" else ""
    return {
        "metadata": {"name": name, "labels": {"app": "web"}},
        "spec": {
            "containers": [one for one in containers if one["name"] != "log"],
            "initContainers": [one for one in containers if one["name"] == "log"],
            "resources": {"requests": {"cpu": "9"}},
        },
        "status": {"phase": "Running"},
    }


def used(name: str, **cpu: str) -> dict[str, Any]:
    containers = [{"name": one, "usage": {"cpu": value}} for one, value in cpu.items()]
    return {
        "metadata": {"name": name, "labels": {"app": "web"}},
        "timestamp": datetime.datetime(2026, 11, 21, tzinfo=datetime.UTC).isoformat(),
        "window": "30s",
        "containers": containers,
    }


def seen(pods: list[dict[str, Any]], metrics: list[dict[str, Any]], *containers: str) -> Observation:
    found = [kept.pod(one) for one in msgspec.convert(pods, list[objects.Pod])]
    space = Namespace(found, msgspec.convert(metrics, list[objects.PodMetrics]))
    workload = kept.Workload(2, 2, "1", 1, selectors.parse("app=web"), {})
    return observation(FLEET, {KEY: workload}, {"shop": space}, {}, containers)


PODS = [pod("a", app="500m", log="100m"), pod("b", app="500m", log=None), pod("c", other="1")]
USAGE = [used("a", app="250m", log="50m"), used("b", app="1", log="0"), used("c", other="2"), used("gone", app="3")]


@pytest.mark.parametrize(
    ("metric", "requests", "samples"),
    [
        ("cpu@app", [500, 500, UNKNOWN, UNKNOWN], [250, 1000, UNKNOWN, 3000]),
        ("cpu@log", [100, UNKNOWN, UNKNOWN, UNKNOWN], [50, 0, UNKNOWN, UNKNOWN]),
        ("cpu@nobody", [UNKNOWN] * 4, [UNKNOWN] * 4),
        ("memory@app", [UNKNOWN] * 4, [UNKNOWN] * 4),
        ("cpu", [9000, 9000, 9000, UNKNOWN], [300, 1000, 2000, 3000]),
    ],
)
def test_a_container_has_its_own_request_and_its_own_use(metric: str, requests: list[int], samples: list[int]) -> None:
    found = seen(PODS, USAGE, "cpu@app", "cpu@log", "cpu@nobody", "memory@app").pods
    assert found.requests[metric].tolist() == requests
    assert found.samples[metric].milli.tolist() == samples


def test_only_the_containers_that_are_asked_for_are_measured() -> None:
    found = seen(PODS, USAGE, "cpu@app").pods
    assert set(found.requests) == set(found.samples) == {"cpu", "memory", "cpu@app"}
    assert set(seen(PODS, USAGE).pods.samples) == {"cpu", "memory"}


def test_without_metrics_there_is_a_request_and_no_sample() -> None:
    found = seen(PODS[:2], [], "cpu@app").pods
    assert (found.requests["cpu@app"].tolist(), found.samples) == ([500, 500], {})
