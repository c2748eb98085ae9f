"""Time that does not simply pass: a clock that is set forward and back, and a process that sleeps for a while."""

from __future__ import annotations

import itertools
import signal
import time
from pathlib import Path

import pytest
from tests.brief.stage import Stage, by_load, policy, stage
from tests.brief.stage import signal as measured_signal
from tests.journeys.installation import Installation, rising

from podium.ledger.ledger import Ledger
from podium.loop.remember.restore import restore, turns
from podium.wiring import new_memory

HOUR = 3600.0
DOCUMENTS = measured_signal("load", "load", "per_second") + policy(rest=by_load())


def loaded(stood: Stage, load: float) -> None:
    """The load, never quite the same twice: a source that stands still is frozen."""
    wander = itertools.cycle((0.0, 0.3, 0.1, 0.4))
    stood.measured.of_workloads["load"] = lambda: {"web": load + next(wander)}


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


@pytest.mark.slow
def test_an_hour_asleep_is_skipped_counted_and_nothing_goes_down(tmp_path: Path) -> None:
    """SIGSTOP stands for the lid of a laptop. At 300 times the speed, 12 s are an hour."""
    with Installation.lay(tmp_path, rising(600), loop="interval: 15s, lease: 60s") as place:
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
