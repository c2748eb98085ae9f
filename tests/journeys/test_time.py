"""Time that does not simply pass: a clock that is set forward and back, and a process that sleeps for a while."""

from __future__ import annotations

import itertools
import signal
import time
from pathlib import Path

import pytest
from aiohttp import web
from tests.brief.stage import Stage, by_load, policy, stage
from tests.brief.stage import signal as measured_signal
from tests.journeys import liar as lies
from tests.journeys.afternoon import LOADS, MINUTE, START, Day, afternoon, key, lay, telling
from tests.journeys.installation import BY_LOAD_ALONE, Installation, rising

from podium.ledger.ledger import Ledger
from podium.loop.clusters.simulated.cluster import SimulatedCluster
from podium.loop.remember.anew import new_memory
from podium.loop.remember.restore import restore, turns
from podium.model.arrays import Int64s
from podium.model.fleet import Fleet

HOUR = 3600.0
DOCUMENTS = measured_signal("load", "load", "per_second") + policy(rest=by_load())


def loaded(stood: Stage, load: float) -> None:
    """The load, never quite the same twice: a source that stands still is frozen."""
    wander = itertools.cycle((0.0, 0.3, 0.1, 0.4))
    stood.measured.of_workloads["load"] = lambda: {"web": load + next(wander)}


async def observed(cluster: SimulatedCluster) -> Int64s:
    """Replicas of each workload of the afternoon, in their order."""
    fleet = Fleet().revised({key(name): "shop" for name in LOADS})
    seen = await cluster.observe(fleet)
    return seen.replicas[[fleet.index[key(name)] for name in LOADS]]


def moments(folder: Path) -> list[float]:
    """When each recorded turn was, by its own clock."""
    with_ledger = Ledger.open(f"sqlite:///{folder}/podium.db")
    try:
        return [turn.snapshot.now for turn in turns(with_ledger)]
    finally:
        with_ledger.close()


@pytest.mark.parametrize("hours", [-24.0, -1.0, 1.0, 24.0])
async def test_a_clock_that_is_set_takes_nothing_down_and_the_loop_goes_on_at_once(
    tmp_path: Path, hours: float
) -> None:
    async with stage(tmp_path, DOCUMENTS, replicas=4) as stood:
        loaded(stood, 75.0)
        await stood.minutes(3)
        assert stood.replicas() == 8
        await stood.pace.set(stood.pace() + hours * HOUR)
        await stood.turns(1)
        assert stood.replicas() == 8
        loaded(stood, 118.0)  # a rise is met two turns after the clock was set
        await stood.turns(2)
        assert stood.replicas() == 12
        loaded(stood, 78.0)  # a fall has the HPA's five minutes of patience, no more and no less than ever
        await stood.minutes(4)
        assert stood.replicas() == 12
        await stood.minutes(3)
        assert stood.replicas() == 8


async def test_a_clock_that_jumps_forward_and_back_again_leaves_the_fleet_as_it_is(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS, replicas=8) as stood:
        loaded(stood, 75.0)
        await stood.minutes(2)
        for hours in (2, -2, 0.5, -0.5, -3, 3):
            await stood.pace.set(stood.pace() + hours * HOUR)
            await stood.turns(2)
        assert stood.writes() == []


async def test_a_turn_after_the_clock_was_set_back_is_folded_alike_by_a_restart(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS, replicas=4) as stood:
        loaded(stood, 75.0)
        await stood.minutes(5)
        await stood.pace.set(stood.pace() - HOUR)
        await stood.minutes(5)
        assert stood.program._cycle is not None
        live = stood.program._cycle._memory.checkpoint()
        again = restore(stood.program.live._ledger, new_memory()).memory.checkpoint()
    assert {name for name in live if live[name].tobytes() != again[name].tobytes()} == set()
    assert sum(later < earlier for earlier, later in itertools.pairwise(moments(tmp_path))) == 1


def late(day: Day, *seconds: float) -> lies.Lie:
    """The truth of a while ago, with its own time; each answer is late by another one of `seconds`."""
    ago = itertools.cycle(seconds)

    async def lie(asked: lies.Asked) -> web.StreamResponse:
        then = asked.now - next(ago)
        return lies.vector([lies.sample(name, value, then) for name, value in day(then).items()])

    return lie


@pytest.mark.slow
async def test_answers_that_come_late_and_out_of_order_are_followed_and_lower_nothing_too_far(tmp_path: Path) -> None:
    day = Day(falls=((30, 20, 0.6),))
    async with telling(day) as liar:
        lay(tmp_path, {"prom": liar.url})
        liar.tell(late(day, 0.0, 75.0, 30.0, 90.0, 15.0), START)
        async with afternoon(tmp_path, day, cpu=False) as run:
            await run.until(80)
            lowered = run.lowered(10)
            left = {name: int(seen) for name, seen in zip(LOADS, (await observed(run.cluster)).tolist(), strict=True)}
    too_far = [one for one in lowered if one.after < day.needed(one.workload.rsplit("/", 1)[1], one.at)]
    assert too_far == []
    assert {one.workload.rsplit("/", 1)[1] for one in lowered} == set(LOADS)
    needed = {name: day.needed(name, START + 80 * MINUTE) for name in LOADS}
    assert {name: needed[name] <= left[name] <= 1.3 * needed[name] + 1 for name in LOADS} == dict.fromkeys(LOADS, True)


@pytest.mark.slow
def test_an_hour_asleep_is_skipped_counted_and_nothing_goes_down(tmp_path: Path) -> None:
    """SIGSTOP stands for the lid of a laptop. At 300 times the speed, 12 s are an hour."""
    with Installation.lay(tmp_path, rising(600), loop="interval: 15s, lease: 60s", more=BY_LOAD_ALONE) as place:
        place.start()
        place.until_ready()
        place.until_turn(20)
        place.signal(signal.SIGSTOP)
        time.sleep(12)
        place.signal(signal.SIGCONT)
        before = place.asked("/api/v1/fleet")["tick"]
        place.until_turn(before + 20)
        skipped = [line for line in place.get("/metrics").decode().splitlines() if "turns_skipped_total " in line]
        assert float(skipped[-1].split()[1]) >= 200
        assert [write for write in place.writes() if write.after < write.before] == []
        assert place.stop() == 0
