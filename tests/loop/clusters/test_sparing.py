"""Before a workload shrinks its least busy pods are marked: they go first."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from tests.loop.clusters.small_server import DEPLOYMENTS, PODS, Reply, SmallServer, deployment, pod

from podium.clients.kubernetes import objects
from podium.loop.clusters.kubernetes import kept
from podium.loop.clusters.kubernetes.cluster import KubernetesCluster
from podium.loop.clusters.kubernetes.sparing import OURS, Marks, first_to_go
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
BUSY = {"a": 900, "b": 20, "c": 500, "d": 30}


def one(name: str, *, cost: str = "", ready: bool = True) -> kept.Pod:
    written: dict[str, Any] = pod(name, "web")
    written["metadata"]["annotations"] = {kept.COST: cost} if cost else {}
    written["status"]["conditions"][0]["status"] = str(ready)
    return kept.pod(msgspec.convert(written, objects.Pod))


FOUR = [one(name) for name in BUSY]


@pytest.mark.parametrize(
    ("pods", "fewer", "marks"),
    [
        (FOUR, 2, Marks(("b", "d"))),
        ([one("e", ready=False), *FOUR], 2, Marks(("b",))),  # what is not ready goes first in any case
        ([*FOUR, one("unmeasured")], 9, Marks(("b", "d", "c", "a"))),
        ([one("a", cost=OURS), *FOUR[1:]], 1, Marks(("b",), ("a",))),  # a mark of an earlier time is taken back
        ([*FOUR[:1], one("b", cost=OURS), *FOUR[2:]], 1, Marks()),  # it is there already
        ([*FOUR, one("theirs", cost="10")], 2, Marks()),  # its owner says who goes
    ],
)
def test_the_least_busy_go_first(pods: list[kept.Pod], fewer: int, marks: Marks) -> None:
    assert first_to_go(pods, BUSY, fewer) == marks


def measured(method: str, path: str) -> Reply | None:
    """What metrics-server says."""
    if not path.startswith("/apis/metrics.k8s.io"):
        return None
    items = [
        {
            "metadata": {"name": name, "namespace": "shop", "labels": {"app": "web"}},
            "timestamp": "2026-11-21T12:05:00Z",
            "window": "15s",
            "containers": [{"name": "main", "usage": {"cpu": f"{milli}m"}}],
        }
        for name, milli in BUSY.items()
    ]
    return 200, {"metadata": {"resourceVersion": "1"}, "items": items}


async def test_before_the_write_and_only_on_the_way_down(server: SmallServer, cluster: KubernetesCluster) -> None:
    server.reply = measured
    await server.put(DEPLOYMENTS, deployment("web", 4))
    for name in BUSY:
        await server.put(PODS, pod(name, "web"))
    seen = await cluster.observe(Fleet().revised({WEB: ""}))
    up = Scale(slot=0, key=WEB, current=4, replicas=5, resource_version=seen.resource_versions[0], epoch=0)
    version = await cluster.scale(up)
    server.asked.clear()
    await cluster.scale(dataclasses.replace(up, current=5, replicas=3, resource_version=version))
    changes = [(method, path.rpartition("/shop/")[2]) for method, path in server.asked if method != "GET"]
    assert sorted(changes[:-1]) == [("PATCH", "pods/b"), ("PATCH", "pods/d")]
    assert changes[-1] == ("PUT", "deployments/web/scale")
    assert server.get(PODS, "shop", "b")["metadata"]["annotations"] == {kept.COST: OURS}


async def test_without_the_right_to_mark_it_shrinks_as_well(server: SmallServer, cluster: KubernetesCluster) -> None:
    def refuses(method: str, path: str) -> Reply | None:
        return (403, {"message": "no"}) if method == "PATCH" else measured(method, path)

    server.reply = refuses
    await server.put(DEPLOYMENTS, deployment("web", 4))
    for name in BUSY:
        await server.put(PODS, pod(name, "web"))
    seen = await cluster.observe(Fleet().revised({WEB: ""}))
    await cluster.scale(
        Scale(slot=0, key=WEB, current=4, replicas=2, resource_version=seen.resource_versions[0], epoch=0)
    )
    assert server.get(DEPLOYMENTS, "shop", "web")["spec"]["replicas"] == 2
