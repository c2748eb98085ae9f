"""Every `Cluster` adapter, the same questions. A new adapter joins by adding itself to the fixture `adapter`.

`make(workloads)` gives a cluster that holds these workloads with as many ready replicas; `advance(seconds)` lets time
pass, `settle()` waits until what was asked for is ready. Keys are of the cluster `local`; each pod requests 250m of
CPU and 64Mi of memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Protocol

import numpy as np
import pytest

from podium.clients.kubernetes import kubeconfig
from podium.clients.kubernetes.client import Client
from podium.loop.clusters.kubernetes.cluster import KubernetesCluster
from podium.loop.clusters.port import Cluster, Conflict, Observation, Permanent, StaleLeader
from podium.loop.clusters.simulated.cluster import SimulatedCluster
from podium.loop.clusters.simulated.shape import Resources, Startup, Usage, WorkloadShape, WorldShape
from podium.model.arrays import UNKNOWN
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Phase, Ready
from testbed.control_plane import ControlPlane


class Adapter(Protocol):
    """What the suite needs of a kind of cluster besides the port."""

    async def make(self, workloads: dict[WorkloadKey, int]) -> Cluster: ...
    async def advance(self, seconds: float) -> None: ...
    async def settle(self) -> None: ...
    async def close(self) -> None: ...


class Simulated:
    """The simulated cluster on a clock that the test turns."""

    def __init__(self) -> None:
        self._now = 1_800_000_000.0
        self._made: list[Cluster] = []

    async def make(self, workloads: dict[WorkloadKey, int]) -> Cluster:
        shape = WorldShape(
            workloads=tuple(
                WorkloadShape(
                    key=key,
                    replicas=replicas,
                    startup=Startup(distribution="uniform", median=10.0, spread=0.5, pull=0.0),
                    usage=Usage(cores_per_load=0.01),
                    requests=Resources(cores=0.25, bytes=2**26),
                )
                for key, replicas in workloads.items()
            )
        )
        cluster = SimulatedCluster("local", shape, clock=lambda: self._now, load=lambda key, at: 10.0)
        self._made.append(cluster)
        return cluster

    async def advance(self, seconds: float) -> None:
        self._now += seconds

    async def settle(self) -> None:
        await self.advance(60)

    async def close(self) -> None:
        for cluster in self._made:
            await cluster.close()


class Real:
    """A real API server, whose time cannot be turned: `settle` waits until the pods are as they should be."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self._workloads: list[WorkloadKey] = []
        self._made: list[Cluster] = []

    async def make(self, workloads: dict[WorkloadKey, int]) -> Cluster:
        self._workloads = list(workloads)
        namespaces = [NAMESPACE.format(name=name) for name in {key.namespace for key in workloads}]
        deployments = [
            DEPLOYMENT.format(namespace=key.namespace, name=key.name, replicas=replicas)
            for key, replicas in workloads.items()
        ]
        self._control_plane.kubectl("apply", "-f", "-", input="\n---\n".join([*namespaces, *deployments]))
        await self.settle()
        cluster = KubernetesCluster("local", Client(kubeconfig.load([self._control_plane.kubeconfig])))
        self._made.append(cluster)
        return cluster

    async def advance(self, seconds: float) -> None:
        await asyncio.sleep(min(seconds, 1.0))

    async def settle(self) -> None:
        for key in self._workloads:
            where = ["-n", key.namespace, f"deployment/{key.name}"]
            self._control_plane.kubectl("rollout", "status", *where, "--timeout=60s")
        deadline = asyncio.get_running_loop().time() + 30
        while any(self._unsettled(key) for key in self._workloads):
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.2)
        await asyncio.sleep(0.5)  # what the API server has answered to others, it tells a watch a moment later

    async def close(self) -> None:
        for cluster in self._made:
            await cluster.close()
        for key in self._workloads:
            where = ["-n", key.namespace, f"deployment/{key.name}"]
            self._control_plane.kubectl("delete", *where, "--cascade=foreground", "--timeout=60s")

    def _unsettled(self, key: WorkloadKey) -> bool:
        """Whether its pods are other than its ready replicas, or its own controllers still have something to write."""
        ask = ["get", "-n", key.namespace, "-o"]
        pods = self._control_plane.kubectl(*ask, "name", "pods", "-l", f"app={key.name}").split()
        numbers = "{.spec.replicas} {.status.readyReplicas} {.status.observedGeneration} {.metadata.generation}"
        found = self._control_plane.kubectl(*ask, f"jsonpath={numbers}", f"deployment/{key.name}").split(" ")
        wanted, ready, observed, generation = (int(number or 0) for number in found)
        return (len(pods), ready, observed) != (wanted, wanted, generation)


NAMESPACE = "{{apiVersion: v1, kind: Namespace, metadata: {{name: {name}}}}}"

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}, annotations: {{testbed.podium.dev/ready-after: 2s}}}}
    spec: {{containers: [{{name: main, image: none, resources: {{requests: {{cpu: 250m, memory: 64Mi}}}}}}]}}
"""


@pytest.fixture(params=["simulated", pytest.param("kubernetes", marks=pytest.mark.cluster)])
async def adapter(request: pytest.FixtureRequest) -> AsyncIterator[Adapter]:
    if request.param == "kubernetes":
        one: Adapter = Real(request.getfixturevalue("control_plane"))
    else:
        one = Simulated()
    yield one
    await one.close()


WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
CART = WorkloadKey("local", "shop", "deployment", "apps", "cart")
OTHER_WEB = WorkloadKey("local", "lab", "deployment", "apps", "web")


def fleet_of(*keys: WorkloadKey) -> Fleet:
    return Fleet().revised(dict.fromkeys(keys, "someone"))


def scale_to(replicas: int, key: WorkloadKey, fleet: Fleet, seen: Observation, *, epoch: int = 0) -> Scale:
    slot = fleet.index[key]
    return Scale(
        slot=slot,
        key=key,
        current=int(seen.replicas[slot]),
        replicas=replicas,
        resource_version=seen.resource_versions[slot],
        epoch=epoch,
    )


async def test_an_empty_fleet_is_observed_as_nothing(adapter: Adapter) -> None:
    seen = await (await adapter.make({WEB: 2})).observe(Fleet())
    assert (len(seen.replicas), len(seen.pods), seen.resource_versions, seen.pod_names) == (0, 0, (), ())
    assert seen.troubles == {}


async def test_a_workload_is_observed_with_its_replicas_and_pods(adapter: Adapter) -> None:
    fleet = fleet_of(WEB)
    seen = await (await adapter.make({WEB: 3})).observe(fleet)
    assert (seen.replicas.tolist(), seen.status_replicas.tolist(), seen.ready.tolist()) == ([3], [3], [3])
    assert seen.pods.slot.tolist() == [0, 0, 0]
    assert set(seen.pods.phase.tolist()) == {Phase.RUNNING}
    assert set(seen.pods.ready.tolist()) == {Ready.TRUE}
    assert (seen.troubles, seen.epochs.tolist(), bool(seen.resource_versions[0])) == ({}, [0], True)


async def test_every_pod_has_a_name_a_start_and_requests(adapter: Adapter) -> None:
    seen = await (await adapter.make({WEB: 3})).observe(fleet_of(WEB))
    namespaces, names = zip(*seen.pod_names, strict=True)
    assert (set(namespaces), len(set(names))) == ({"shop"}, 3)
    assert (seen.pods.start <= seen.pods.transition).all()
    assert seen.pods.requests["cpu"].tolist() == [250] * 3
    assert seen.pods.requests["memory"].tolist() == [2**26 * 1000] * 3


async def test_an_unknown_workload_is_unknown_and_named(adapter: Adapter) -> None:
    fleet = fleet_of(WEB, CART)
    seen = await (await adapter.make({WEB: 2})).observe(fleet)
    slot = fleet.index[CART]
    assert (seen.replicas[slot], seen.status_replicas[slot], seen.ready[slot]) == (UNKNOWN, UNKNOWN, UNKNOWN)
    assert seen.resource_versions[slot] == ""
    assert list(seen.troubles) == [CART]
    assert "cart" in seen.troubles[CART]


async def test_a_slot_that_nobody_holds_is_unknown_and_no_trouble(adapter: Adapter) -> None:
    fleet = fleet_of(CART, WEB).revised({WEB: "someone"})
    seen = await (await adapter.make({WEB: 2})).observe(fleet)
    assert seen.replicas.tolist() == [UNKNOWN, 2]
    assert seen.troubles == {}


async def test_a_workload_of_another_cluster_is_not_ours_to_miss(adapter: Adapter) -> None:
    elsewhere = WorkloadKey("elsewhere", "shop", "deployment", "apps", "web")
    seen = await (await adapter.make({WEB: 2})).observe(fleet_of(elsewhere))
    assert (seen.replicas.tolist(), seen.troubles) == ([UNKNOWN], {})


async def test_the_same_name_in_two_namespaces_is_two_workloads(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2, OTHER_WEB: 5}), fleet_of(WEB, OTHER_WEB)
    await cluster.scale(scale_to(3, WEB, fleet, await cluster.observe(fleet)))
    await adapter.settle()
    seen = await cluster.observe(fleet)
    assert seen.ready[[fleet.index[WEB], fleet.index[OTHER_WEB]]].tolist() == [3, 5]


async def test_names_at_their_longest_are_workloads_like_others(adapter: Adapter) -> None:
    longest = WorkloadKey("local", "n" * 63, "deployment", "apps", "a" * 63)
    cluster, fleet = await adapter.make({longest: 2}), fleet_of(longest)
    await cluster.claim([longest], 1)
    await cluster.scale(scale_to(1, longest, fleet, await cluster.observe(fleet), epoch=1))
    await adapter.settle()
    seen = await cluster.observe(fleet)
    assert (seen.replicas.tolist(), seen.ready.tolist()) == ([1], [1])
    assert all(len(name) <= 63 for _, name in seen.pod_names)


async def test_more_replicas_become_ready_over_time(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    await cluster.scale(scale_to(6, WEB, fleet, await cluster.observe(fleet)))
    at_once = await cluster.observe(fleet)
    await adapter.settle()
    later = await cluster.observe(fleet)
    assert (at_once.replicas.tolist(), later.replicas.tolist()) == ([6], [6])
    assert at_once.ready[0] < 6
    assert (later.status_replicas.tolist(), later.ready.tolist(), len(later.pods)) == ([6], [6], 6)


async def test_pods_that_start_are_not_ready_since_they_started(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 1}), fleet_of(WEB)
    await cluster.scale(scale_to(4, WEB, fleet, await cluster.observe(fleet)))
    seen = await cluster.observe(fleet)
    starting = (seen.pods.ready != Ready.TRUE) & ~seen.pods.deleting
    assert int(starting.sum()) + int(seen.ready[0]) == len(seen.pods)
    assert set(seen.pods.ready[starting].tolist()) <= {Ready.FALSE, Ready.ABSENT}


async def test_fewer_replicas_leave_deleting_pods_out_of_the_ready_ones(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 5}), fleet_of(WEB)
    await cluster.scale(scale_to(2, WEB, fleet, await cluster.observe(fleet)))
    await adapter.advance(1)
    soon = await cluster.observe(fleet)
    await adapter.settle()
    later = await cluster.observe(fleet)
    assert (soon.replicas.tolist(), soon.ready.tolist()) == ([2], [2])
    assert int(soon.pods.deleting.sum()) == len(soon.pods) - 2
    assert (len(later.pods), later.pods.deleting.any()) == (2, False)


async def test_zero_replicas_leave_no_pod(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    await cluster.scale(scale_to(0, WEB, fleet, await cluster.observe(fleet)))
    await adapter.settle()
    seen = await cluster.observe(fleet)
    assert (seen.replicas.tolist(), seen.ready.tolist(), len(seen.pods)) == ([0], [0], 0)


async def test_a_write_returns_the_version_that_the_next_write_needs(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    seen = await cluster.observe(fleet)
    version = await cluster.scale(scale_to(3, WEB, fleet, seen))
    assert version not in ("", seen.resource_versions[0])


async def test_a_write_on_an_outdated_reading_is_refused_and_changes_nothing(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    seen = await cluster.observe(fleet)
    await cluster.scale(scale_to(4, WEB, fleet, seen))
    with pytest.raises(Conflict, match="web") as refused:
        await cluster.scale(scale_to(1, WEB, fleet, seen))
    assert not isinstance(refused.value, StaleLeader)
    assert (await cluster.observe(fleet)).replicas.tolist() == [4]


async def test_of_two_writers_at_once_one_wins(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    seen = await cluster.observe(fleet)
    commands = [scale_to(wanted, WEB, fleet, seen) for wanted in (3, 4, 5)]
    results = await asyncio.gather(*map(cluster.scale, commands), return_exceptions=True)
    winners = [command.replicas for command, result in zip(commands, results, strict=True) if isinstance(result, str)]
    assert sum(isinstance(result, Conflict) for result in results) == 2
    assert (await cluster.observe(fleet)).replicas.tolist() == winners


async def test_a_claim_is_seen_and_moves_the_version(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2, CART: 2}), fleet_of(WEB, CART)
    before = await cluster.observe(fleet)
    await cluster.claim([WEB], 7)
    after = await cluster.observe(fleet)
    slot = fleet.index[WEB]
    assert (before.epochs.tolist(), int(after.epochs[slot]), int(after.epochs.sum())) == ([0, 0], 7, 7)
    with pytest.raises(Conflict):
        await cluster.scale(scale_to(3, WEB, fleet, before, epoch=7))
    assert await cluster.scale(scale_to(3, WEB, fleet, after, epoch=7))


async def test_claiming_twice_is_claiming_once(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    await cluster.claim([WEB], 3)
    once = await cluster.observe(fleet)
    await cluster.claim([WEB, WEB], 3)
    twice = await cluster.observe(fleet)
    assert (twice.epochs.tolist(), twice.resource_versions) == ([3], once.resource_versions)


async def test_an_earlier_leader_can_neither_claim_nor_write(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    await cluster.claim([WEB], 5)
    fresh = await cluster.observe(fleet)
    with pytest.raises(StaleLeader, match="web"):
        await cluster.claim([WEB], 4)
    with pytest.raises(StaleLeader, match="web"):
        await cluster.scale(scale_to(1, WEB, fleet, fresh, epoch=4))
    seen = await cluster.observe(fleet)
    assert (seen.replicas.tolist(), seen.epochs.tolist()) == ([2], [5])


async def test_a_later_leader_takes_over(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    await cluster.claim([WEB], 5)
    await cluster.claim([WEB], 6)
    await cluster.scale(scale_to(4, WEB, fleet, await cluster.observe(fleet), epoch=6))
    seen = await cluster.observe(fleet)
    assert (seen.replicas.tolist(), seen.epochs.tolist()) == ([4], [6])


async def test_claiming_or_scaling_what_is_not_there_is_permanent(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    seen = await cluster.observe(fleet)
    nobody = Scale(slot=1, key=CART, current=1, replicas=2, resource_version=seen.resource_versions[0], epoch=0)
    with pytest.raises(Permanent, match="cart"):
        await cluster.scale(nobody)
    with pytest.raises(Permanent, match="cart"):
        await cluster.claim([CART], 1)


async def test_fewer_than_no_replicas_are_refused_for_good(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    with pytest.raises(Permanent, match="web"):
        await cluster.scale(scale_to(-1, WEB, fleet, await cluster.observe(fleet)))
    assert (await cluster.observe(fleet)).replicas.tolist() == [2]


async def test_resource_metrics_come_with_time_and_window_or_not_at_all(adapter: Adapter) -> None:
    cluster, fleet = await adapter.make({WEB: 2}), fleet_of(WEB)
    seen = await cluster.observe(fleet)
    for samples in seen.pods.samples.values():
        measured = ~np.isnan(samples.at)
        assert (samples.milli[measured] >= 0).all()
        assert (samples.window[measured] > 0).all()
        assert len(samples.milli) == len(seen.pods)
