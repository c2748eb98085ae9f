"""The simulated cluster's own promises: its record, its file, kills, several programs on one world."""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from podium.loop.clusters.port import Conflict, Observation, Permanent, StaleLeader, Temporary
from podium.loop.clusters.simulated.cluster import SimulatedCluster
from podium.loop.clusters.simulated.shape import Startup, Usage, WorkloadShape, WorldShape
from podium.loop.clusters.simulated.store import saved_position
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

NOON = 1_800_000_000.0
WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
FLEET = Fleet().revised({WEB: "shop"})
SHAPE = WorldShape(
    workloads=(
        WorkloadShape(key=WEB, replicas=2, startup=Startup(distribution="uniform", median=10.0, spread=0.0, pull=0.0)),
    )
)


class Hand:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now


def opened(path: Path | None = None, clock: Callable[[], float] | None = None) -> SimulatedCluster:
    return SimulatedCluster("local", SHAPE, clock=clock or Hand(), path=path)


def wanted(replicas: int, seen: Observation, epoch: int = 0) -> Scale:
    return Scale(
        slot=0,
        key=WEB,
        current=int(seen.replicas[0]),
        replicas=replicas,
        resource_version=seen.resource_versions[0],
        epoch=epoch,
    )


async def test_the_record_tells_every_write_and_why_it_was_refused() -> None:
    cluster = opened()
    seen = await cluster.observe(FLEET)
    await cluster.claim([WEB], 2)
    for epoch, error in ((2, Conflict), (1, StaleLeader)):
        with pytest.raises(error):
            await cluster.scale(wanted(5, seen, epoch))
    await cluster.scale(wanted(4, await cluster.observe(FLEET), 2))
    await cluster.edit(WEB, 6)
    told = [(write.action, write.epoch, write.before, write.after, bool(write.refusal)) for write in cluster.writes()]
    assert told == [
        ("claim", 2, 0, 2, False),
        ("scale", 2, 2, 5, True),
        ("scale", 1, 2, 5, True),
        ("scale", 2, 2, 4, False),
        ("edit", 0, 4, 6, False),
    ]
    await cluster.close()


async def test_a_pod_turning_ready_moves_the_version_as_a_status_does() -> None:
    clock = Hand()
    cluster = opened(clock=clock)
    await cluster.scale(wanted(3, await cluster.observe(FLEET)))
    seen = await cluster.observe(FLEET)
    clock.now += 30
    with pytest.raises(Conflict, match="has changed since it was read"):
        await cluster.scale(wanted(4, seen))
    await cluster.close()


async def test_time_never_runs_backwards() -> None:
    clock = Hand()
    cluster = opened(clock=clock)
    await cluster.scale(wanted(3, await cluster.observe(FLEET)))
    clock.now = NOON + 60
    later = await cluster.observe(FLEET)
    clock.now = NOON - 3600
    assert (await cluster.observe(FLEET)).ready.tolist() == later.ready.tolist() == [3]
    await cluster.close()


async def test_a_world_goes_on_where_it_stopped(tmp_path: Path) -> None:
    path, clock = tmp_path / "world.db", Hand()
    first = opened(path, clock)
    await first.claim([WEB], 9)
    version = await first.scale(wanted(7, await first.observe(FLEET), 9))
    clock.now += 42
    before = await first.observe(FLEET)
    await first.close()
    second = opened(path, clock)
    after = await second.observe(FLEET)
    assert (after.replicas.tolist(), after.ready.tolist(), after.epochs.tolist()) == ([7], [7], [9])
    assert (after.resource_versions, after.pod_names) == (before.resource_versions, before.pod_names)
    assert int(after.resource_versions[0]) > int(version)
    assert [write.after for write in second.writes()] == [9, 7]
    assert saved_position(path) == clock.now
    await second.close()


async def test_two_programs_share_one_world(tmp_path: Path) -> None:
    clock = Hand()
    one, other = opened(tmp_path / "world.db", clock), opened(tmp_path / "world.db", clock)
    seen = await other.observe(FLEET)
    await one.claim([WEB], 3)
    await one.scale(wanted(5, await one.observe(FLEET), 3))
    with pytest.raises(StaleLeader):
        await other.scale(wanted(1, seen, 2))
    assert (await other.observe(FLEET)).replicas.tolist() == [5]
    assert [write.after for write in one.writes()] == [3, 5, 1]
    await one.close()
    await other.close()


async def test_many_writes_are_saved_and_read_back(tmp_path: Path) -> None:
    path, clock = tmp_path / "world.db", Hand()
    first = opened(path, clock)
    for number in range(450):
        clock.now += 3
        await first.edit(WEB, 1 + number % 9)
    expected = await first.observe(FLEET)
    second = opened(path, clock)  # while the first never closed, as after a kill
    found = await second.observe(FLEET)
    assert (found.pod_names, found.resource_versions) == (expected.pod_names, expected.resource_versions)
    assert found.pods.transition.tolist() == expected.pods.transition.tolist()
    await first.close()
    await second.close()


async def test_a_write_that_cannot_be_recorded_did_not_happen(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    cluster = opened(path)
    seen = await cluster.observe(FLEET)
    intruder = sqlite3.connect(path, isolation_level=None)
    intruder.execute("create trigger full before insert on write begin select raise(fail, 'disk is full'); end")
    with pytest.raises(Temporary, match="disk is full") as told:
        await cluster.scale(wanted(9, seen))
    assert str(path) in str(told.value)
    intruder.execute("drop trigger full")
    intruder.close()
    assert (await cluster.observe(FLEET)).replicas.tolist() == [2]
    await cluster.scale(wanted(9, seen))
    assert (await cluster.observe(FLEET)).replicas.tolist() == [9]
    await cluster.close()


def test_a_file_that_is_no_world_is_named(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    path.write_text("hello " * 1000)
    with pytest.raises(Permanent, match=r"world\.db: cannot be opened as a simulated cluster"):
        opened(path)


async def test_a_missing_folder_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    await opened(tmp_path / "nowhere" / "world.db").close()
    assert (tmp_path / "nowhere").stat().st_mode & 0o777 == 0o700


def test_a_world_of_a_newer_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "world.db"
    database = sqlite3.connect(path)
    database.execute("pragma user_version = 99")
    database.close()
    with pytest.raises(Permanent, match=r"newer version \(format 99, known 1\)"):
        opened(path)


def test_no_world_has_no_position(tmp_path: Path) -> None:
    assert saved_position(tmp_path / "world.db") is None
    assert not (tmp_path / "world.db").exists()


async def test_ten_thousand_workloads_are_observed_in_twenty_milliseconds() -> None:
    keys = [WorkloadKey("local", f"team-{number % 50}", "deployment", "apps", f"w{number}") for number in range(10_000)]
    workloads = tuple(WorkloadShape(key=key, replicas=5, usage=Usage(cores_per_load=0.01)) for key in keys)
    clock, times, seen = Hand(), [], None
    cluster = SimulatedCluster("local", WorldShape(workloads=workloads), clock=clock, load=lambda key, at: 50.0)
    fleet = Fleet().revised(dict.fromkeys(keys, "someone"))
    for _ in range(12):
        clock.now += 15
        began = time.process_time()
        seen = await cluster.observe(fleet)
        times.append(time.process_time() - began)
    assert seen is not None
    assert (len(seen.pods), int(seen.ready.sum())) == (50_000, 50_000)
    assert min(times) < 0.020  # 0.006 measured; the machine may be busy
    await cluster.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from podium.loop.clusters.simulated.cluster import SimulatedCluster
from podium.loop.clusters.simulated.shape import WorkloadShape, WorldShape
from podium.model.identity import WorkloadKey

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
now = 1_800_000_000.0

def clock():
    global now
    now += 1.0
    return now

async def main():
    cluster = SimulatedCluster("local", WorldShape(workloads=(WorkloadShape(key=WEB, replicas=2),)), clock=clock,
                               path=Path(sys.argv[1]))
    number = len(cluster.writes())
    while True:
        number += 1
        await cluster.edit(WEB, number % 40)
        print(number, flush=True)

asyncio.run(main())
"""


def killed_after(seconds: float, path: Path) -> int:
    """Start the writer, kill it some time after its first write; returns the last write it was told of."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        told = [writer.stdout.readline()]
        time.sleep(seconds)
        writer.send_signal(signal.SIGKILL)
        told += [line for line in writer.stdout if line.endswith("\n")]
    return int(told[-1])


async def test_a_kill_at_any_instant_loses_nothing_that_was_answered(tmp_path: Path) -> None:
    path, draw = tmp_path / "world.db", random.Random(8)
    for _ in range(8):
        answered = await asyncio.to_thread(killed_after, draw.uniform(0, 0.15), path)
        world = opened(path)
        writes = world.writes()
        assert len(writes) >= answered
        assert [write.after for write in writes] == [number % 40 for number in range(1, len(writes) + 1)]
        assert (await world.observe(FLEET)).replicas.tolist() == [writes[-1].after]
        await world.close()
