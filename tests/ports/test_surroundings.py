"""What stands around workloads: every adapter of `Surroundings`, the same questions."""

from __future__ import annotations

import dataclasses
import json
import uuid
from collections.abc import AsyncIterator
from typing import Protocol

import pytest

from podium.clients.kubernetes import kubeconfig
from podium.clients.kubernetes.client import Client
from podium.loop.clusters.kubernetes.surroundings import KubernetesSurroundings
from podium.loop.clusters.port import Conflict, StaleLeader
from podium.loop.clusters.simulated.cluster import SimulatedCluster
from podium.loop.clusters.simulated.shape import Startup, Usage, WorkloadShape, WorldShape
from podium.loop.clusters.simulated.surroundings import SimulatedSurroundings
from podium.loop.modes.floors import give_back
from podium.loop.modes.surroundings import Autoscaler, Noted, SetFloor, Surroundings
from podium.model.identity import WorkloadKey
from testbed.control_plane import ControlPlane

UNTIL = 1_900_000_000.0


class Adapter(Protocol):
    """What the suite needs besides the port: a person's hand."""

    surroundings: Surroundings
    web: WorkloadKey

    async def install(self, minimum: int, maximum: int) -> None: ...
    async def edit(self, minimum: int) -> None: ...
    async def pause(self, text: str | None) -> None: ...
    async def close(self) -> None: ...


class Simulated:
    """A world of one workload."""

    def __init__(self) -> None:
        self.web = WorkloadKey("local", "shop", "deployment", "apps", "web")
        shape = WorldShape(
            workloads=(
                WorkloadShape(
                    key=self.web,
                    replicas=2,
                    startup=Startup(distribution="uniform", median=10.0, spread=0.5, pull=0.0),
                    usage=Usage(cores_per_load=0.01),
                ),
            )
        )
        self._cluster = SimulatedCluster("local", shape, clock=lambda: 1_800_000_000.0)
        self._made = SimulatedSurroundings(self._cluster)
        self.surroundings: Surroundings = self._made

    async def install(self, minimum: int, maximum: int) -> None:
        await self._made.install(self.web, minimum, maximum)

    async def edit(self, minimum: int) -> None:
        await self._made.edit(self.web, minimum)

    async def pause(self, text: str | None) -> None:
        self._made.annotate(self.web.namespace, text)

    async def close(self) -> None:
        await self._cluster.close()


class Real:
    """A namespace of a real API server; the HPA is applied as people do, by `kubectl apply`."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._control_plane = control_plane
        self.web = WorkloadKey("local", f"t{uuid.uuid4().hex[:10]}", "deployment", "apps", "web")
        self._client = Client(kubeconfig.load([control_plane.kubeconfig]))
        self.surroundings: Surroundings = KubernetesSurroundings("local", self._client)
        control_plane.kubectl("create", "namespace", self.web.namespace)

    async def install(self, minimum: int, maximum: int) -> None:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        spec = {"scaleTargetRef": target, "minReplicas": minimum, "maxReplicas": maximum}
        document = {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": {"name": "web", "namespace": self.web.namespace},
            "spec": spec,
        }
        self._control_plane.kubectl("apply", "-f", "-", input=json.dumps(document))

    async def edit(self, minimum: int) -> None:
        patch = json.dumps({"spec": {"minReplicas": minimum}})
        self._control_plane.kubectl("-n", self.web.namespace, "patch", "hpa", "web", "--type=merge", "-p", patch)

    async def pause(self, text: str | None) -> None:
        written = "podium.dev/paused-" if text is None else f"podium.dev/paused={text}"
        self._control_plane.kubectl("annotate", "--overwrite", "namespace", self.web.namespace, written)

    async def close(self) -> None:
        await self._client.close()
        self._control_plane.kubectl("delete", "namespace", self.web.namespace, "--wait=false")


@pytest.fixture(params=["simulated", pytest.param("kubernetes", marks=pytest.mark.cluster)])
async def adapter(request: pytest.FixtureRequest) -> AsyncIterator[Adapter]:
    one: Adapter = Real(request.getfixturevalue("control_plane")) if request.param == "kubernetes" else Simulated()
    yield one
    await one.close()


async def read(adapter: Adapter) -> Autoscaler:
    (one,) = (await adapter.surroundings.autoscalers([adapter.web.namespace])).autoscalers[adapter.web]
    return one


def raised(one: Autoscaler, minimum: int, *, epoch: int = 1) -> SetFloor:
    note = Noted(original=one.minimum, raised=minimum, until=UNTIL)
    return dataclasses.replace(give_back(one, epoch), minimum=minimum, note=note)


async def test_a_namespace_without_hpas_has_none(adapter: Adapter) -> None:
    found = await adapter.surroundings.autoscalers([adapter.web.namespace])
    assert (dict(found.autoscalers), dict(found.troubles)) == ({}, {})


async def test_an_hpa_is_read_with_its_limits_and_target(adapter: Adapter) -> None:
    await adapter.install(2, 30)
    one = await read(adapter)
    assert (one.name, one.minimum, one.maximum, one.epoch, one.floor, one.owner) == ("web", 2, 30, 0, None, "")


async def test_a_floor_is_raised_noted_and_given_back(adapter: Adapter) -> None:
    await adapter.install(2, 30)
    await adapter.surroundings.set_floor(raised(await read(adapter), 9))
    there = await read(adapter)
    await adapter.surroundings.set_floor(give_back(there, 1))
    after = await read(adapter)
    assert (there.minimum, there.floor) == (9, Noted(original=2, raised=9, until=UNTIL))
    assert (after.minimum, after.floor) == (2, None)


async def test_what_somebody_else_wrote_meanwhile_is_not_written_over(adapter: Adapter) -> None:
    await adapter.install(2, 30)
    one = await read(adapter)
    await adapter.edit(5)
    with pytest.raises(Conflict, match="has changed since it was read"):
        await adapter.surroundings.set_floor(raised(one, 9))
    assert (await read(adapter)).minimum == 5


async def test_giving_back_leaves_a_minimum_that_is_not_ours(adapter: Adapter) -> None:
    await adapter.install(2, 30)
    await adapter.surroundings.set_floor(raised(await read(adapter), 9))
    await adapter.edit(5)
    await adapter.surroundings.set_floor(give_back(await read(adapter), 1))
    one = await read(adapter)
    assert (one.minimum, one.floor) == (5, None)


async def test_a_claim_refuses_what_an_earlier_leader_decided(adapter: Adapter) -> None:
    await adapter.install(2, 30)
    before = await read(adapter)
    await adapter.surroundings.claim([before], 7)
    after = await read(adapter)
    with pytest.raises(Conflict):
        await adapter.surroundings.set_floor(raised(before, 9, epoch=6))
    with pytest.raises(StaleLeader):
        await adapter.surroundings.claim([after], 6)
    await adapter.surroundings.set_floor(raised(after, 9, epoch=7))
    one = await read(adapter)
    assert (before.epoch, after.epoch, one.minimum) == (0, 7, 9)


async def test_a_paused_namespace_says_so_until_it_is_not(adapter: Adapter) -> None:
    namespace = adapter.web.namespace
    none = await adapter.surroundings.pauses([namespace])
    await adapter.pause("down")
    there = await adapter.surroundings.pauses([namespace, "elsewhere"])
    await adapter.pause(None)
    after = await adapter.surroundings.pauses([namespace])
    assert (dict(none), dict(there), dict(after)) == ({}, {namespace: "down"}, {})


async def test_who_writes_a_workload_that_is_not_there_is_not_known(adapter: Adapter) -> None:
    assert await adapter.surroundings.writer(dataclasses.replace(adapter.web, name="nobody")) == ""
