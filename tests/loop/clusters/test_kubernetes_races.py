"""The Kubernetes cluster between two requests: what happens in the gap must never look like the right to write."""

from __future__ import annotations

import pytest
from tests.loop.clusters.small_server import DEPLOYMENTS, FLEETS, PODS, Reply, SmallServer, deployment, pod

from podium.loop.clusters.kubernetes.cluster import KubernetesCluster
from podium.loop.clusters.port import StaleLeader, Temporary
from podium.model.arrays import UNKNOWN
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
API = WorkloadKey("local", "shop", "deployment", "apps", "api")
BOATS = WorkloadKey("local", "shop", "fleet", "sea.example", "boats")
PATH = "/apis/apps/v1/namespaces/shop/deployments/web"


def workload(version: str, epoch: int = 0) -> Reply:
    annotations = {"podium.dev/epoch": str(epoch)}
    return 200, {"metadata": {"name": "web", "resourceVersion": version, "annotations": annotations}}


def fleet_of(*keys: WorkloadKey) -> Fleet:
    return Fleet().revised(dict.fromkeys(keys, "someone"))


async def test_a_claim_is_written_for_the_version_it_was_read_at(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    version = (await server.put(DEPLOYMENTS, deployment("web")))["metadata"]["resourceVersion"]
    await cluster.claim([WEB], 3)
    assert server.patches == [{"metadata": {"resourceVersion": version, "annotations": {"podium.dev/epoch": "3"}}}]


async def test_a_claim_that_is_overtaken_by_a_later_leader_gives_up(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    def reply(method: str, path: str) -> Reply:
        return (409, {}) if method == "PATCH" else (workload("6", epoch=9) if server.patches else workload("5"))

    server.reply = reply
    with pytest.raises(StaleLeader, match="epoch 9, later than 3"):
        await cluster.claim([WEB], 3)
    assert len(server.patches) == 1


async def test_a_claim_that_is_overtaken_by_a_rollout_tries_again(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    def reply(method: str, path: str) -> Reply:
        status = 409 if method == "PATCH" and len(server.patches) < 3 else 200
        return status, workload(str(5 + len(server.patches)))[1]

    server.reply = reply
    await cluster.claim([WEB], 3)
    assert [patch["metadata"]["resourceVersion"] for patch in server.patches] == ["5", "6", "7"]


async def test_a_claim_without_end_in_sight_is_temporary(server: SmallServer, cluster: KubernetesCluster) -> None:
    server.reply = lambda method, path: (409, {}) if method == "PATCH" else workload("5")
    with pytest.raises(Temporary, match="web changes too fast to be claimed"):
        await cluster.claim([WEB], 3)


async def test_the_epoch_is_read_after_the_version_that_a_write_will_carry(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    await server.put(FLEETS, deployment("boats"))
    path = "/apis/sea.example/v1/namespaces/shop/fleets/boats"
    newer = {"name": "boats", "resourceVersion": "90", "annotations": {"podium.dev/epoch": "4"}}
    scale = {"metadata": newer, "spec": {"replicas": 7}, "status": {"replicas": 2, "selector": "app=boats"}}
    server.reply = lambda method, asked: (200, scale) if asked == f"{path}/scale" else _only(asked == path, newer)
    seen = await cluster.observe(fleet_of(BOATS))
    assert (seen.replicas.tolist(), seen.epochs.tolist(), seen.resource_versions) == ([7], [4], ("90",))
    assert [asked for _, asked in server.asked if "boats" in asked] == [f"{path}/scale", path]


def _only(wanted: bool, metadata: dict[str, object]) -> Reply | None:
    return (200, {"metadata": metadata}) if wanted else None


async def test_one_workload_that_cannot_be_read_does_not_hide_the_others(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    await server.put(DEPLOYMENTS, deployment("web"))
    await server.put(DEPLOYMENTS, deployment("api", **{"podium.dev/epoch": "soon"}))
    seen = await cluster.observe(fleet_of(API, WEB))
    assert (seen.replicas.tolist(), seen.ready.tolist()) == ([UNKNOWN, 2], [UNKNOWN, 0])
    assert (list(seen.troubles), "is 'soon'; expected a whole number" in seen.troubles[API]) == ([API], True)


async def test_when_no_workload_can_be_read_the_cluster_is_silent(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    server.reply = lambda method, path: (503, {"message": "starting"})
    with pytest.raises(Temporary, match="HTTP 503: starting"):
        await cluster.observe(fleet_of(API, WEB))


async def test_pods_that_cannot_be_followed_leave_ready_unknown(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    await server.put(DEPLOYMENTS, deployment("web"))
    await server.put(PODS, pod("web-1", "web"))
    server.reply = lambda method, path: (403, {"message": "no"}) if "/pods?watch" in path else None
    seen = await cluster.observe(fleet_of(WEB))
    assert (seen.replicas.tolist(), seen.ready.tolist(), len(seen.pods)) == ([2], [UNKNOWN], 0)
    assert "the right to watch pods in namespace shop is missing" in seen.troubles[WEB]
