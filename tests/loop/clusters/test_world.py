"""The simulated world: time, starts, failures, full nodes, and who goes first."""

from __future__ import annotations

import numpy as np
import pytest

from podium.loop.clusters.simulated import chance
from podium.loop.clusters.simulated.shape import (
    NodeShape,
    Resources,
    Startup,
    Usage,
    WorkloadShape,
    WorldShape,
)
from podium.loop.clusters.simulated.table import NEVER, NOWHERE
from podium.loop.clusters.simulated.usage import UsageModel, sample_time
from podium.loop.clusters.simulated.world import World, pod_name
from podium.model.identity import WorkloadKey

NOON = 1_800_000_000.0
FIXED = Startup(distribution="uniform", median=10.0, spread=0.0, pull=2.0)  # ready 12 s after a node took the pod


def key(name: str) -> WorkloadKey:
    return WorkloadKey("local", "shop", "deployment", "apps", name)


def shape_of(*workloads: WorkloadShape, nodes: tuple[NodeShape, ...] = (), seed: int = 1) -> WorldShape:
    return WorldShape(workloads=workloads, nodes=nodes, seed=seed)


def ready(world: World) -> int:
    return int(((world.pods.ready <= world.at) & (world.pods.deleted == NEVER)).sum())


def timeline(world: World, seconds: range) -> list[int]:
    out = []
    for second in seconds:
        world.advance(NOON + second)
        out.append(ready(world))
    return out


def test_a_pod_is_ready_when_its_image_is_pulled_and_its_start_is_over() -> None:
    world = World.begin(shape_of(WorkloadShape(key=key("web"), replicas=1, startup=FIXED)), NOON)
    world.set_replicas(0, 3)
    assert timeline(world, range(0, 18, 3)) == [1, 1, 1, 1, 3, 3]


def test_steps_of_time_do_not_matter() -> None:
    shape = shape_of(
        *(
            WorkloadShape(key=key(name), replicas=4, startup=Startup(crashes=0.4), requests=Resources(cores=1.0))
            for name in "ab"
        ),
        nodes=(NodeShape(count=1, cores=9.0, bytes=2.0**34),),
    )
    worlds = World.begin(shape, NOON), World.begin(shape, NOON)
    for world, step in zip(worlds, (1, 50), strict=True):
        for moment in range(0, 1000, step):
            world.advance(NOON + moment)
            if moment % 200 == 0:
                world.set_replicas(moment // 200 % 2, 1 + moment // 100)
        world.advance(NOON + 1000)
    one, other = (world.columns() for world in worlds)
    assert one.keys() == other.keys()
    assert all(np.array_equal(one[name], other[name]) for name in one)
    assert worlds[0].versions().tolist() == worlds[1].versions().tolist()


def test_another_seed_draws_other_starts() -> None:
    delays = [[chance.start_up(Startup(), seed, pod)[1] for pod in range(200)] for seed in (1, 2, 1)]
    assert delays[0] == delays[2] != delays[1]


@pytest.mark.parametrize("distribution", ["lognormal", "uniform"])
def test_start_delays_have_the_median_asked_for(distribution: str) -> None:
    startup = Startup(distribution=distribution, median=40.0, spread=0.3, pull=0.0)
    delays = [chance.start_up(startup, 7, pod)[1] for pod in range(4000)]
    assert np.median(delays) == pytest.approx(40.0, rel=0.03)
    assert min(delays) > 0


def test_a_start_that_crashes_is_tried_again_after_ten_then_twenty_seconds() -> None:
    startup = Startup(distribution="uniform", median=10.0, spread=0.0, pull=0.0, crashes=0.5)
    times = {restarts: ready for _, ready, restarts in (chance.start_up(startup, 3, pod) for pod in range(500))}
    assert [times[restarts] for restarts in range(4)] == [10.0, 30.0, 60.0, 110.0]


def test_crashes_happen_as_often_as_asked() -> None:
    crashed = sum(chance.start_up(Startup(crashes=0.2), 5, pod)[2] > 0 for pod in range(4000))
    assert crashed / 4000 == pytest.approx(0.2, abs=0.02)


def test_a_pull_that_fails_keeps_the_pod_pending() -> None:
    startup = Startup(distribution="uniform", median=10.0, spread=0.0, pull=2.0, pull_failures=0.999)
    running, up, restarts = chance.start_up(startup, 3, 1)
    assert (running > 300, up, restarts) == (True, running + 10.0, 0)


def test_pods_without_room_wait_until_another_leaves() -> None:
    one_core = Resources(cores=1.0, bytes=2.0**30)
    shape = shape_of(
        WorkloadShape(key=key("a"), replicas=3, startup=FIXED, requests=one_core, termination=5.0),
        WorkloadShape(key=key("b"), replicas=0, startup=FIXED, requests=one_core),
        nodes=(NodeShape(count=2, cores=2.0, bytes=2.0**33),),
    )
    world = World.begin(shape, NOON)
    world.set_replicas(1, 3)
    world.advance(NOON + 60)
    assert (ready(world), int((world.pods.node == NOWHERE).sum())) == (4, 2)
    world.set_replicas(0, 1)
    assert timeline(world, range(64, 79, 7)) == [2, 2, 4]


def test_memory_fills_a_node_too() -> None:
    workload = WorkloadShape(key=key("a"), replicas=5, requests=Resources(bytes=2.0**30))
    world = World.begin(shape_of(workload, nodes=(NodeShape(count=1, cores=64.0, bytes=3 * 2.0**30),)), NOON)
    assert int((world.pods.scheduled < NEVER).sum()) == 3


def test_the_unscheduled_go_first_then_the_starting_then_the_youngest() -> None:
    shape = shape_of(
        WorkloadShape(key=key("a"), replicas=2, startup=FIXED, requests=Resources(cores=1.0)),
        nodes=(NodeShape(count=1, cores=4.0, bytes=2.0**33),),
    )
    world = World.begin(shape, NOON)
    for replicas in (3, 5):  # a third pod, long ready below; a fourth that starts, a fifth without room
        world.set_replicas(0, replicas)
        world.advance(world.at + (600 if replicas == 3 else 1))
    removed = []
    for replicas in (4, 3, 2):
        before = set(world.pods.serial[world.active(0)].tolist())
        world.set_replicas(0, replicas)
        removed += sorted(before - set(world.pods.serial[world.active(0)].tolist()))
    assert removed == [5, 4, 3]


def test_pods_that_share_a_node_go_before_a_lonely_one() -> None:
    shape = shape_of(
        WorkloadShape(key=key("a"), replicas=3, startup=FIXED, requests=Resources(cores=1.0)),
        nodes=(NodeShape(count=1, cores=2.0, bytes=2.0**33), NodeShape(count=1, cores=1.0, bytes=2.0**33)),
    )
    world = World.begin(shape, NOON)
    world.set_replicas(0, 2)
    assert sorted(world.pods.node[world.active(0)].tolist()) == [0, 1]


def test_a_saved_world_goes_on_as_if_nothing_happened() -> None:
    shape = shape_of(
        *(WorkloadShape(key=key(name), replicas=3, requests=Resources(cores=1.0)) for name in "ab"),
        nodes=(NodeShape(count=1, cores=7.0, bytes=2.0**33),),
    )
    world = World.begin(shape, NOON)
    world.set_replicas(0, 5)
    again = World.restored(shape, world.columns())
    for each in (world, again):
        each.advance(NOON + 20)
        each.set_replicas(1, 1)
        each.advance(NOON + 100)
    assert all(np.array_equal(one, again.columns()[name]) for name, one in world.columns().items())
    assert again.pods.names.tolist() == world.pods.names.tolist()


def test_a_changed_shape_keeps_who_stays_and_begins_who_is_new() -> None:
    old = shape_of(*(WorkloadShape(key=key(name), replicas=2) for name in ("gone", "stays")))
    world = World.begin(old, NOON)
    world.set_replicas(1, 4)
    new = shape_of(*(WorkloadShape(key=key(name), replicas=3) for name in ("stays", "new")))
    again = World.restored(new, world.columns())
    assert again.replicas.tolist() == [4, 3]
    assert [len(again.active(number)) for number in (0, 1)] == [4, 3]


def test_pod_names_are_short_and_never_the_same() -> None:
    names = {pod_name("w" * 200, serial) for serial in range(50_000)}
    assert (len(names), max(map(len, names))) == (50_000, 63)


USAGE = Usage(idle_cores=0.1, cores_per_load=0.01, idle_bytes=1e6, bytes_per_load=1e5)


def test_usage_is_the_load_shared_among_those_who_served_up_to_the_limit() -> None:
    workload = WorkloadShape(key=key("a"), replicas=4, usage=USAGE, limits=Resources(cores=0.5))
    world, model = World.begin(shape_of(workload), NOON), UsageModel(shape_of(workload))
    world.advance(NOON + 60)
    at = sample_time(world.at)
    seen = {load: model.samples(world, at, np.array([load])) for load in (80.0, 1000.0)}
    assert seen[80.0]["cpu"].milli.tolist() == [300] * 4  # 0.1 + 20 x 0.01 cores
    assert seen[80.0]["memory"].milli.tolist() == [3_000_000_000] * 4
    assert seen[1000.0]["cpu"].milli.tolist() == [500] * 4


def test_an_unknown_load_gives_no_sample() -> None:
    workload = WorkloadShape(key=key("a"), replicas=2, usage=USAGE)
    world, model = World.begin(shape_of(workload), NOON), UsageModel(shape_of(workload))
    samples = model.samples(world, sample_time(NOON), np.array([np.nan]))
    assert np.isnan(samples["cpu"].at).all()


def test_starting_pods_burn_their_burst_and_are_seen_a_window_late() -> None:
    startup = Startup(distribution="uniform", median=300.0, spread=0.0, pull=0.0, burst_cores=0.7)
    workload = WorkloadShape(key=key("a"), replicas=1, usage=USAGE, startup=startup)
    world, model = World.begin(shape_of(workload), NOON), UsageModel(shape_of(workload))
    world.set_replicas(0, 2)
    found = []
    for seconds in (20, 60):
        world.advance(NOON + seconds)
        found.append(model.samples(world, sample_time(world.at), np.array([50.0]))["cpu"])
    assert np.isnan(found[0].at).tolist() == [False, True]
    assert found[1].milli.tolist() == [600, 800]


def test_samples_are_fifteen_to_thirty_seconds_old() -> None:
    ages = [NOON + second - sample_time(NOON + second) for second in range(60)]
    assert (min(ages), max(ages)) == (15.0, 29.0)
