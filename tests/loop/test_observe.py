"""What a turn sees: signals whose origin is the cluster itself, each in its own namespace."""

from __future__ import annotations

import numpy as np

from podium.loop.clusters.port import Observation
from podium.loop.observe import ClusterSignal, look
from podium.model.arrays import UNKNOWN
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Phase, Pods, Ready, Samples
from podium.signals.observe import Observer

NOW = 1_800_000_000.0
KEYS = [
    WorkloadKey("local", space, "deployment", "apps", name)
    for space, name in (("bank", "web"), ("shop", "api"), ("shop", "web"))
]
FLEET = Fleet().revised(dict.fromkeys(KEYS, ""))


class Metered:
    """Three workloads with a pod each that uses 100, 200 and 300 millicores, measured 10, 20 and 90 s ago."""

    name = "local"

    async def observe(self, fleet: Fleet) -> Observation:
        one = np.ones(3, np.int64)
        pods = Pods(
            slot=np.arange(3, dtype=np.int32),
            phase=np.full(3, Phase.RUNNING, np.int8),
            ready=np.full(3, Ready.TRUE, np.int8),
            deleting=np.zeros(3, np.bool_),
            start=np.full(3, NOW - 900),
            transition=np.full(3, NOW - 900),
            requests={},
            samples={"cpu": Samples(np.array([100, 200, 300]), NOW - np.array([10.0, 20.0, 90.0]), np.full(3, 15.0))},
        )
        return Observation(one, one, one, ("1",) * 3, one, pods, tuple(("", f"pod-{n}") for n in range(3)), {})


async def levels(*signals: ClusterSignal) -> dict[str, tuple[list[float | None], list[int]]]:
    sight = await look(Metered(), Observer([]), (), signals, FLEET, NOW, 5.0)  # type: ignore[arg-type]
    return {
        name: ([None if np.isnan(value) else value for value in level.value.tolist()], level.source.tolist())
        for name, level in sight.snapshot.signals.items()
    }


async def test_a_signal_of_the_cluster_is_its_resource_in_its_own_namespace_while_it_is_fresh() -> None:
    assert await levels(ClusterSignal("shop", "busy", "cpu", 60.0)) == {
        "cpu": ([0.1, 0.2, 0.3], [0, 0, 0]),
        "busy": ([None, 0.2, None], [UNKNOWN, 0, 0]),
    }


async def test_signals_of_one_name_in_two_namespaces_share_a_level() -> None:
    found = await levels(ClusterSignal("shop", "busy", "cpu", 600.0), ClusterSignal("bank", "busy", "cpu", 5.0))
    assert found["busy"] == ([None, 0.2, 0.3], [0, 0, 0])


async def test_a_resource_that_nobody_measures_and_a_namespace_without_workloads_say_nothing() -> None:
    found = await levels(ClusterSignal("shop", "full", "memory", 60.0), ClusterSignal("nowhere", "busy", "cpu", 60.0))
    nothing = ([None] * 3, [UNKNOWN] * 3)
    assert (found["full"], found["busy"]) == (nothing, nothing)
