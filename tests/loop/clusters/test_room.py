"""Quotas, disruption budgets and full nodes, as an API server tells of them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tests.loop.clusters.small_server import DEPLOYMENTS, PODS, Reply, SmallServer, deployment, pod

from podium.clients.kubernetes import objects
from podium.loop.clusters.kubernetes.cluster import KubernetesCluster
from podium.loop.clusters.kubernetes.room import left, needed
from podium.model.arrays import UNKNOWN
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
ASKS = {"cpu": 250, "memory": UNKNOWN}


def quota(hard: dict[str, str], used: dict[str, str], **spec: Any) -> objects.ResourceQuota:
    written = {"metadata": {"namespace": "shop"}, "spec": spec, "status": {"hard": hard, "used": used}}
    return msgspec.convert(written, objects.ResourceQuota)


def budget(least: int | str, **labels: str) -> objects.PodDisruptionBudget:
    spec = {"minAvailable": least, "selector": {"matchLabels": labels}}
    return msgspec.convert({"metadata": {"namespace": "shop"}, "spec": spec}, objects.PodDisruptionBudget)


@pytest.mark.parametrize(
    ("quotas", "room"),
    [
        ([], UNKNOWN),
        ([quota({"pods": "10"}, {"pods": "7"})], 3),
        ([quota({"pods": "10", "requests.cpu": "2"}, {"pods": "2", "requests.cpu": "1500m"})], 2),
        ([quota({"pods": "10"}, {"pods": "7"}), quota({"cpu": "1"}, {"cpu": "1"})], 0),
        ([quota({"pods": "5"}, {"pods": "9"})], 0),  # it was lowered
        ([quota({"requests.memory": "1Gi"}, {})], UNKNOWN),  # what a pod takes of it is not known
        ([quota({"pods": "1"}, {"pods": "1"}, scopes=["BestEffort"])], UNKNOWN),
        ([quota({"pods": "many"}, {"pods": "1"})], UNKNOWN),
    ],
)
def test_the_tightest_quota_says_how_many_more(quotas: list[objects.ResourceQuota], room: int) -> None:
    assert left(quotas, ASKS) == room


def test_only_a_number_of_a_budget_for_these_pods_counts() -> None:
    budgets = [budget(2, app="web"), budget(3, app="web"), budget("80%", app="web"), budget(9, app="other")]
    assert (needed(budgets, {"app": "web"}), needed(budgets, {"app": "third"})) == (3, UNKNOWN)


def bounded(method: str, path: str) -> Reply | None:
    one = {"metadata": {"name": "one", "namespace": "shop"}}
    spec = {"minAvailable": 2, "selector": {"matchLabels": {"app": "web"}}}
    items = {
        "resourcequotas": one | {"status": {"hard": {"pods": "8"}, "used": {"pods": "3"}}},
        "poddisruptionbudgets": one | {"spec": spec},
    }
    found = items.get(path.rpartition("/")[2])
    return None if found is None else (200, {"metadata": {"resourceVersion": "1"}, "items": [found]})


async def test_a_workload_is_observed_with_what_bounds_it(server: SmallServer, cluster: KubernetesCluster) -> None:
    server.reply = bounded
    await server.put(DEPLOYMENTS, deployment("web", 3))
    for number in range(3):
        await server.put(PODS, pod(f"web-{number}", "web"))
    stuck = pod("web-3", "web")
    unplaced = {"type": "PodScheduled", "status": "False", "lastTransitionTime": "2026-01-01T12:00:00Z"}
    stuck["status"] = {"phase": "Pending", "conditions": [unplaced]}
    await server.put(PODS, stuck)
    fleet = Fleet().revised({WEB: ""})
    seen = await cluster.observe(fleet)
    assert [one.tolist() for one in (seen.room.quota, seen.room.budget, seen.room.unplaced)] == [[5], [2], [1]]
    server.asked.clear()
    await cluster.observe(fleet)
    again = [path.rpartition("/")[2] for _, path in server.asked]
    assert (again.count("resourcequotas"), again.count("poddisruptionbudgets")) == (1, 0)


async def test_who_may_not_read_them_is_not_bounded_and_not_hindered(
    server: SmallServer, cluster: KubernetesCluster
) -> None:
    kinds = ("resourcequotas", "poddisruptionbudgets")
    server.reply = lambda method, path: (403, {"message": "no"}) if path.endswith(kinds) else None
    await server.put(DEPLOYMENTS, deployment("web", 3))
    await server.put(PODS, pod("web-0", "web"))
    seen = [await cluster.observe(Fleet().revised({WEB: ""})) for _ in range(3)]
    assert [(one.troubles, len(one.room.quota)) for one in seen] == [({}, 0)] * 3
    assert sum(path.endswith(kinds) for _, path in server.asked) == 2
