"""The Kubernetes cluster by list and watch: a quiet turn asks for little, and what is out of touch is never empty."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from tests.loop.clusters.small_server import DEPLOYMENTS, FLEETS, PODS, SmallServer, deployment, pod

from podium.loop.clusters.kubernetes import cache
from podium.loop.clusters.kubernetes.cluster import KubernetesCluster
from podium.loop.clusters.port import Conflict, Observation, Temporary
from podium.model.arrays import UNKNOWN
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
BOATS = WorkloadKey("local", "shop", "fleet", "sea.example", "boats")


def fleet_of(*keys: WorkloadKey) -> Fleet:
    return Fleet().revised(dict.fromkeys(keys, "someone"))


def scale_to(replicas: int, key: WorkloadKey, seen: Observation) -> Scale:
    return Scale(slot=0, key=key, current=2, replicas=replicas, resource_version=seen.resource_versions[0], epoch=0)


async def until(cluster: KubernetesCluster, fleet: Fleet, done: Callable[[Observation], Any]) -> Observation:
    async with asyncio.timeout(10):
        while not done(seen := await cluster.observe(fleet)):  # noqa: ASYNC110  (each look is the question)
            await asyncio.sleep(0.01)
    return seen


@pytest.fixture
async def web(server: SmallServer) -> Fleet:
    await server.put(DEPLOYMENTS, deployment("web"))
    for number in range(2):
        await server.put(PODS, pod(f"web-{number}", "web"))
    return fleet_of(WEB)


async def test_a_quiet_turn_lists_nothing(server: SmallServer, cluster: KubernetesCluster, web: Fleet) -> None:
    first = await cluster.observe(web)
    server.asked.clear()
    again = await cluster.observe(web)
    assert server.asked == [("GET", "/readyz")]
    assert (first.ready.tolist(), again.ready.tolist(), again.pods.requests["cpu"].tolist()) == ([2], [2], [250, 250])
    assert cluster.counted == {"deployments": 1, "pods": 2}


async def test_what_changes_is_told_and_not_asked_for(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet
) -> None:
    await cluster.observe(web)
    server.asked.clear()
    await server.put(DEPLOYMENTS, deployment("web", 5))
    await server.remove(PODS, "shop", "web-0")
    seen = await until(cluster, web, lambda seen: seen.replicas[0] == 5 and seen.ready[0] == 1)
    assert seen.pod_names == (("shop", "web-1"),)
    assert {path for _, path in server.asked} == {"/readyz"}


async def test_a_watch_that_breaks_off_goes_on_and_nothing_is_lost(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet
) -> None:
    await cluster.observe(web)
    server.cut()
    await server.remove(PODS, "shop", "web-0")
    seen = await until(cluster, web, lambda seen: seen.ready[0] == 1)
    assert (seen.replicas.tolist(), seen.troubles) == ([2], {})


async def test_a_watch_that_stays_away_leaves_the_workload_unknown_and_says_why(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "RECONNECT_SECONDS", 0.2)
    await cluster.observe(web)
    server.reply = lambda method, path: (503, {"message": "away"}) if "pods?watch" in path else None
    server.cut()
    seen = await until(cluster, web, lambda seen: seen.troubles)
    assert (seen.replicas.tolist(), seen.ready.tolist(), len(seen.pods)) == ([2], [UNKNOWN], 0)
    assert "out of touch for " in seen.troubles[WEB]
    assert "HTTP 503: away" in seen.troubles[WEB]
    server.reply = lambda method, path: None
    assert (await until(cluster, web, lambda seen: not seen.troubles)).ready.tolist() == [2]


async def test_a_cluster_whose_workloads_are_all_out_of_touch_is_silent(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "RECONNECT_SECONDS", 0.2)
    await cluster.observe(web)
    server.reply = lambda method, path: (503, {"message": "away"}) if "?watch" in path else None
    server.cut()
    with pytest.raises(Temporary, match="out of touch for"):
        await until(cluster, web, lambda seen: False)


async def test_a_store_that_is_gone_is_known_in_the_same_turn(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet
) -> None:
    await cluster.observe(web)
    server.reply = lambda method, path: (500, {"message": "etcd failed"}) if path == "/readyz" else None
    with pytest.raises(Temporary, match="etcd failed"):
        await cluster.observe(web)


async def test_who_may_not_ask_whether_the_server_is_ready_observes_all_the_same(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet
) -> None:
    server.reply = lambda method, path: (403, {"message": "no"}) if path == "/readyz" else None
    assert (await cluster.observe(web)).ready.tolist() == [2]


async def test_after_our_own_write_no_older_version_is_taken_for_the_present(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet
) -> None:
    seen = await cluster.observe(web)
    server.muted = True
    version = await cluster.scale(scale_to(4, WEB, seen))
    asyncio.get_running_loop().call_later(0.3, lambda: asyncio.ensure_future(server.unmute()))
    again = await cluster.observe(web)
    assert (again.replicas.tolist(), again.resource_versions) == ([4], (version,))


async def test_a_watch_that_does_not_tell_of_our_own_write_leaves_a_gap(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "CATCH_UP_SECONDS", 0.2)
    await server.put(DEPLOYMENTS, deployment("api"))
    both = fleet_of(WEB, WorkloadKey("local", "shop", "deployment", "apps", "api"))
    slot = both.index[WEB]
    seen = await cluster.observe(both)
    server.muted = True
    one = scale_to(4, WEB, seen)
    await cluster.scale(
        Scale(slot=slot, key=WEB, current=2, replicas=4, resource_version=seen.resource_versions[slot], epoch=one.epoch)
    )
    again = await cluster.observe(both)
    assert (again.replicas[slot], again.replicas.max()) == (UNKNOWN, 2)
    assert "the watch has not told of our own write" in again.troubles[WEB]
    await server.unmute()
    assert (await until(cluster, both, lambda seen: not seen.troubles)).replicas[slot] == 4


async def test_a_write_carries_the_version_that_the_watch_told(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet
) -> None:
    seen = await cluster.observe(web)
    await server.put(DEPLOYMENTS, deployment("web", 3))
    with pytest.raises(Conflict, match="web has changed since it was read"):
        await cluster.scale(scale_to(9, WEB, seen))
    assert server.get(DEPLOYMENTS, "shop", "web")["spec"]["replicas"] == 3


async def test_a_write_that_wins_while_another_of_ours_is_refused_is_a_write(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet
) -> None:
    seen = await cluster.observe(web)
    commands = [scale_to(replicas, WEB, seen) for replicas in range(3, 9)]
    results = await asyncio.gather(*map(cluster.scale, commands), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Conflict"] * 5 + ["str"]


async def test_the_scale_of_another_kind_is_asked_for_only_when_it_moved(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    await server.put(FLEETS, deployment("boats"))
    fleet, path = fleet_of(BOATS), "/apis/sea.example/v1/namespaces/shop/fleets/boats/scale"
    await cluster.observe(fleet)
    await cluster.observe(fleet)
    assert [asked for _, asked in server.asked].count(path) == 1
    await server.put(FLEETS, deployment("boats", 6))
    seen = await until(cluster, fleet, lambda seen: seen.replicas[0] == 6)
    assert [asked for _, asked in server.asked].count(path) == 2
    assert (seen.troubles, seen.resource_versions) == ({}, (str(server.version),))


async def test_many_namespaces_are_one_watch_where_that_is_allowed(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    keys = await spread(server, cache.APART + 1)
    seen = await cluster.observe(fleet_of(*keys))
    assert (seen.ready.tolist(), seen.troubles) == ([1] * len(keys), {})
    assert watches(server) == ["/api/v1/pods?watch", "/apis/apps/v1/deployments?watch"]


async def test_many_namespaces_are_followed_one_by_one_where_the_whole_cluster_is_forbidden(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    keys = await spread(server, cache.APART + 1)
    server.reply = lambda method, path: (
        (403, {"message": "no"}) if "?watch" in path and "namespaces" not in path else None
    )
    seen = await cluster.observe(fleet_of(*keys))
    assert (seen.ready.tolist(), seen.troubles) == ([1] * len(keys), {})
    assert len(watches(server)) == 2 * (len(keys) + 1)
    server.asked.clear()
    await cluster.observe(fleet_of(*keys))
    assert watches(server) == []


async def test_what_people_wrote_on_a_workload_is_observed(server: SmallServer, cluster: KubernetesCluster) -> None:
    await server.put(DEPLOYMENTS, deployment("web", **{"podium.dev/off": "true", "others.example/x": "y"}))
    assert (await cluster.observe(fleet_of(WEB))).marks == {WEB: {"podium.dev/off": "true"}}


async def test_nothing_runs_on_once_the_cluster_is_closed(
    server: SmallServer, cluster: KubernetesCluster, web: Fleet
) -> None:
    before = asyncio.all_tasks()
    await cluster.observe(web)
    await cluster.close()
    assert {task for task in asyncio.all_tasks() - before if "informer" in repr(task).lower()} == set()


async def spread(server: SmallServer, namespaces: int) -> list[WorkloadKey]:
    for number in range(namespaces):
        await server.put(DEPLOYMENTS, deployment("web", 1, f"n{number}"))
        await server.put(PODS, pod("web-0", "web", f"n{number}"))
    return [WorkloadKey("local", f"n{number}", "deployment", "apps", "web") for number in range(namespaces)]


def watches(server: SmallServer) -> list[str]:
    return sorted(path for _, path in server.asked if "?watch" in path)
