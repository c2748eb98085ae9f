"""Policies that lie in the cluster: followed as they are applied, changed and taken away, and told how they stand."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.deployments import SIGNAL, Deployments
from tests.journeys.installation import BY_LOAD_ALONE, POLICY, Installation
from tests.journeys.loads import LoadServer, serving, steady

from testbed.control_plane import ControlPlane

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture
def deployments(served: ControlPlane, namespace: str) -> Deployments:
    made = Deployments(served, namespace)
    made.make({"web": 2})
    return made


@pytest.fixture
def loads(namespace: str) -> Iterator[LoadServer]:
    with serving(namespace, steady({"web": 20.0})) as server:
        yield server


@pytest.fixture
def place(deployments: Deployments, loads: LoadServer, tmp_path: Path) -> Iterator[Installation]:
    with deployments.installation(tmp_path / "here", loads.url) as laid:
        settings = laid.folder / "podium.yaml"
        settings.write_text(settings.read_text().replace("{path: policies}", "{authority: kubernetes}"))
        (laid.folder / "policies" / "shop.yaml").unlink()
        yield laid


def apply(deployments: Deployments, text: str) -> None:
    deployments.control_plane.kubectl("apply", "-f", "-", input=text)


def policy(deployments: Deployments, name: str, lowest: int) -> str:
    text = POLICY.format(name=name, namespace=deployments.namespace) + BY_LOAD_ALONE
    return text.replace("min: 1", f"min: {lowest}")


def until_ready(deployments: Deployments, name: str, status: str) -> dict[str, Any]:
    """Wait until a policy's condition Ready has this status; the condition."""
    deadline = time.monotonic() + 60
    while True:
        text = deployments.control_plane.kubectl("-n", deployments.namespace, "get", "spol", name, "-o", "json")
        conditions = json.loads(text).get("status", {}).get("conditions", [])
        found = next((one for one in conditions if one["type"] == "Ready" and one["status"] == status), None)
        if found is not None:
            return found
        assert time.monotonic() < deadline, conditions
        time.sleep(0.2)


def test_policies_are_followed_where_they_lie_and_say_how_they_stand(
    place: Installation, deployments: Deployments
) -> None:
    apply(deployments, SIGNAL.format(namespace=deployments.namespace) + policy(deployments, "web", 3))
    place.start()
    deployments.until(lambda seen: seen["web"] == (3, 3))
    assert until_ready(deployments, "web", "True")["reason"] == "InForce"

    apply(deployments, policy(deployments, "web", 4))
    deployments.until(lambda seen: seen["web"] == (4, 4))

    apply(deployments, policy(deployments, "cart", 1).replace("signal: load", "signal: lead"))
    wrong = until_ready(deployments, "cart", "False")
    assert wrong["message"] == (
        f"spec.load.signal: expected the name of a Signal in namespace {deployments.namespace}; "
        "did you mean load?; got lead"
    )
    apply(deployments, policy(deployments, "web", 5))
    deployments.until(lambda seen: seen["web"] == (5, 5))

    deployments.control_plane.kubectl("-n", deployments.namespace, "delete", "spol", "web")
    place.until_said("documents changed", 3)
    time.sleep(3)  # turns of a second each
    assert deployments.replicas()["web"] == (5, 5)


def test_whoever_may_not_read_them_is_told_which_right_is_missing(
    place: Installation, deployments: Deployments
) -> None:
    token = deployments.token({"pods": ["list"]})
    kubeconfig = deployments.kubeconfig(place.folder / "limited", token=token)
    settings = place.folder / "podium.yaml"
    settings.write_text(settings.read_text().replace(str(deployments.control_plane.kubeconfig), str(kubeconfig)))
    place.start()
    assert place.ended(30) == 2
    assert "the right to list scalingpolicies.podium.dev in all namespaces is missing" in place.log.read_text()
