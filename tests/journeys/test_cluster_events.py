"""Events on a real API server: seen where people look, said once and counted, and never without the right."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.deployments import Deployments

from podium.clients.kubernetes import kubeconfig
from podium.clients.kubernetes.client import Client
from podium.loop.clusters.kubernetes.events import AGAIN_SECONDS, Events, Happened
from podium.model.clock import wall_clock
from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.cluster


@pytest.fixture
async def events(control_plane: ControlPlane) -> AsyncIterator[Events]:
    made = Events(Client(kubeconfig.load([control_plane.kubeconfig], None)))
    yield made
    await made.close()


@pytest.fixture
def scaled(control_plane: ControlPlane, namespace: str) -> Happened:
    Deployments(control_plane, namespace).make({"web": 1})
    return Happened("apps", "deployment", namespace, "web", True, "Scaled", "Podium scaled it from 1 to 3 replicas")


def written(control_plane: ControlPlane, namespace: str) -> list[dict[str, Any]]:
    text = control_plane.kubectl("get", "events.events.k8s.io", "-n", namespace, "-o", "json")
    return [one for one in json.loads(text)["items"] if one.get("reportingController") == "podium.dev/podium"]


async def test_what_happened_is_shown_with_the_object(
    control_plane: ControlPlane, events: Events, scaled: Happened
) -> None:
    await events.write(scaled, wall_clock())
    described = control_plane.kubectl("describe", "deployment", "web", "-n", scaled.namespace)
    (line,) = [line for line in described.splitlines() if "Podium scaled it" in line]
    assert line.split()[:2] == ["Normal", "Scaled"]


async def test_the_same_again_is_counted_and_later_said_anew(
    control_plane: ControlPlane, events: Events, scaled: Happened
) -> None:
    now = wall_clock()
    for seconds in (0.0, 10.0, 20.0, AGAIN_SECONDS + 30.0):
        await events.write(scaled, now + seconds)
    await events.write(dataclasses.replace(scaled, reason="NotScaled", right=False), now)
    counts = [(one["type"], one.get("series", {}).get("count", 1)) for one in written(control_plane, scaled.namespace)]
    assert sorted(counts) == [("Normal", 1), ("Normal", 3), ("Warning", 1)]


async def test_without_the_right_nothing_is_tried(
    control_plane: ControlPlane, namespace: str, scaled: Happened, tmp_path: Path
) -> None:
    deployments = Deployments(control_plane, namespace)
    limited = deployments.kubeconfig(tmp_path / "limited", token=deployments.token({"deployments": ["get"]}))
    events = Events(Client(kubeconfig.load([limited], None)))
    before = len(control_plane.audit())
    events.tell([scaled], wall_clock())
    await asyncio.wait_for(events.run(), 10)  # it ends by itself
    await events.close()
    tried = [one for one in control_plane.audit()[before:] if one["objectRef"].get("resource") == "events"]
    assert [one for one in tried if one["user"]["username"].startswith("system:serviceaccount:")] == []


async def test_a_flood_loses_the_oldest_and_never_waits(events: Events, scaled: Happened) -> None:
    events.tell([dataclasses.replace(scaled, note=str(number)) for number in range(1000)], 0.0)
    first, _ = events._waiting.get_nowait()
    assert first.note == "744"
