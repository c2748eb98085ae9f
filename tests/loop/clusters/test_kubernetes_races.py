"""The Kubernetes cluster between two requests: what happens in the gap must never look like the right to write."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from podium.clients.kubernetes.access import Access
from podium.clients.kubernetes.client import Client
from podium.loop.clusters.kubernetes.cluster import KubernetesCluster
from podium.loop.clusters.port import StaleLeader, Temporary
from podium.model.arrays import UNKNOWN
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
API = WorkloadKey("local", "shop", "deployment", "apps", "api")

Reply = tuple[int, dict[str, Any]]


class Script:
    """An API server of two Deployments that answers by a function of method and path, and writes down what it got."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []
        self.patches: list[dict[str, Any]] = []
        self.reply: Callable[[str, str], Reply] = lambda method, path: good(path)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.method == "PATCH":
            self.patches.append(await request.json())
        if request.path.startswith("/apis/apps") and "namespaces" not in request.path:
            return web.json_response(DISCOVERY[request.path])
        self.asked.append((request.method, request.path.rpartition("/shop/")[2]))
        status, body = self.reply(*self.asked[-1])
        return web.json_response(body, status=status)


VERSION = {"groupVersion": "apps/v1", "version": "v1"}
NAMES = ("deployments", "Deployment"), ("deployments/scale", "Scale")
DISCOVERY: dict[str, Any] = {
    "/apis/apps": {"preferredVersion": VERSION, "versions": [VERSION]},
    "/apis/apps/v1": {"resources": [{"name": name, "kind": kind, "namespaced": True} for name, kind in NAMES]},
}


def workload(version: str, epoch: int = 0) -> dict[str, Any]:
    return {"metadata": {"name": "web", "resourceVersion": version, "annotations": {"podium.dev/epoch": str(epoch)}}}


def good(path: str) -> Reply:
    if path.endswith("/scale"):
        return 200, workload("5") | {"spec": {"replicas": 2}, "status": {"replicas": 2, "selector": "app=web"}}
    return 200, workload("5") if path.startswith("deployments") else {"metadata": {}, "items": []}


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
async def cluster(script: Script) -> AsyncIterator[KubernetesCluster]:
    runner = web.ServerRunner(web.Server(script.answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made = KubernetesCluster("local", Client(Access(server=f"http://127.0.0.1:{runner.addresses[0][1]}")))
    yield made
    await made.close()
    await runner.cleanup()


def fleet_of(*keys: WorkloadKey) -> Fleet:
    return Fleet().revised(dict.fromkeys(keys, "someone"))


async def test_a_claim_is_written_for_the_version_it_was_read_at(script: Script, cluster: KubernetesCluster) -> None:
    await cluster.claim([WEB], 3)
    assert script.patches == [{"metadata": {"resourceVersion": "5", "annotations": {"podium.dev/epoch": "3"}}}]


async def test_a_claim_that_is_overtaken_by_a_later_leader_gives_up(script: Script, cluster: KubernetesCluster) -> None:
    def reply(method: str, path: str) -> Reply:
        return (409, {}) if method == "PATCH" else (200, workload("6", epoch=9) if script.patches else workload("5"))

    script.reply = reply
    with pytest.raises(StaleLeader, match="epoch 9, later than 3"):
        await cluster.claim([WEB], 3)
    assert len(script.patches) == 1


async def test_a_claim_that_is_overtaken_by_a_rollout_tries_again(script: Script, cluster: KubernetesCluster) -> None:
    def reply(method: str, path: str) -> Reply:
        return 409 if method == "PATCH" and len(script.patches) < 3 else 200, workload(str(5 + len(script.patches)))

    script.reply = reply
    await cluster.claim([WEB], 3)
    assert [patch["metadata"]["resourceVersion"] for patch in script.patches] == ["5", "6", "7"]


async def test_a_claim_without_end_in_sight_is_temporary(script: Script, cluster: KubernetesCluster) -> None:
    script.reply = lambda method, path: (409, {}) if method == "PATCH" else (200, workload("5"))
    with pytest.raises(Temporary, match="web changes too fast to be claimed"):
        await cluster.claim([WEB], 3)


async def test_the_epoch_is_read_after_the_version_that_a_write_will_carry(
    script: Script, cluster: KubernetesCluster
) -> None:
    await cluster.observe(fleet_of(WEB))
    assert script.asked[:2] == [("GET", "deployments/web/scale"), ("GET", "deployments/web")]


async def test_one_workload_that_cannot_be_read_does_not_hide_the_others(
    script: Script, cluster: KubernetesCluster
) -> None:
    script.reply = lambda method, path: (500, {"message": "conversion failed"}) if "api" in path else good(path)
    seen = await cluster.observe(fleet_of(API, WEB))
    assert (seen.replicas.tolist(), seen.ready.tolist()) == ([UNKNOWN, 2], [UNKNOWN, 0])
    assert (list(seen.troubles), "HTTP 500: conversion failed" in seen.troubles[API]) == ([API], True)


async def test_when_no_workload_can_be_read_the_cluster_is_silent(script: Script, cluster: KubernetesCluster) -> None:
    script.reply = lambda method, path: (503, {"message": "starting"})
    with pytest.raises(Temporary, match="HTTP 503: starting"):
        await cluster.observe(fleet_of(API, WEB))


async def test_pods_that_cannot_be_listed_leave_ready_unknown(script: Script, cluster: KubernetesCluster) -> None:
    script.reply = lambda method, path: (200, {"items": 7}) if path == "pods" else good(path)
    seen = await cluster.observe(fleet_of(WEB))
    assert (seen.replicas.tolist(), seen.ready.tolist(), len(seen.pods)) == ([2], [UNKNOWN], 0)
    assert "is not what the API promises" in seen.troubles[WEB]
