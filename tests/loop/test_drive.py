"""Turns come on the grid, at most one for each moment: none is queued, none is made for a time that has passed."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.loop.scenes import FLEET, WEB, OneWorkload, empty_memory, policies

from podium.ledger.ledger import Ledger
from podium.loop.clusters.port import Observation
from podium.loop.cycle import Assignment, Cycle, Turned
from podium.loop.drive import drive
from podium.loop.pace import WallPace, reached
from podium.loop.remember.replay import replay_all
from podium.loop.remember.restore import Restored, restore
from podium.model.fleet import Fleet
from podium.signals.bound import BoundSignal
from podium.signals.observe import Observer
from podium.signals.source import Reading, Subject

INTERVAL = 15.0
START = 1_800_000_000.0
LOAD = BoundSignal(
    namespace="shop", name="requests_per_second", source="prom", query="q", unit="per_second", cluster="local"
)


class Time:
    """Real seconds that pass when somebody sleeps or works, and a clock on the wall that is set now and then."""

    def __init__(self, **sets: float) -> None:
        self.passed = 0.0
        self.sets = {float(after.removeprefix("at_")): by for after, by in sets.items()}  # real second -> set by

    def clock(self) -> float:
        return START + self.passed + sum(by for after, by in self.sets.items() if after <= self.passed)

    async def sleep(self, seconds: float) -> None:
        self.passed += seconds
        await asyncio.sleep(0)


class Outside(OneWorkload):
    """One workload under a load, whose cluster takes its time in some turns."""

    def __init__(self, time: Time, slow: dict[int, float], loads: Sequence[float]) -> None:
        super().__init__(2)
        self.time, self.slow, self.loads = time, slow, loads
        self.count = 0

    async def observe(self, fleet: Fleet) -> Observation:
        self.time.passed += self.slow.get(self.count, 0.1)
        self.count += 1
        return await super().observe(fleet)


class Prom:
    name = "prom"

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    async def read(self, query: str, now: float) -> Reading:
        load = self.outside.loads[min(self.outside.count, len(self.outside.loads) - 1)]
        at = self.outside.time.clock()
        return Reading((Subject("shop", "deployment", "web"),), np.array([load]), np.array([at]))

    async def close(self) -> None: ...


class Waiting:
    """What of Live a drive needs."""

    def waiting(self, words: str, due: float = 0.0) -> None: ...


async def driven(
    ledger: Ledger, time: Time, turns: int, *, slow: dict[int, float] | None = None, loads: Sequence[float] = (300.0,)
) -> list[tuple[float, int, int]]:
    """(moment - START, skipped before it, replicas wanted) of so many turns."""
    outside, made = Outside(time, slow or {}, loads), list[tuple[float, int, int]]()
    restored = Restored(empty_memory())
    cycle = Cycle(
        outside, Observer([Prom(outside)]), ledger, ledger.lead("one", 3600.0), restored,
        default_lead_seconds=60.0, deadline_seconds=10.0,
    )  # fmt: skip
    cycle.assign(Assignment(policies(), FLEET, (LOAD,)))

    def after(turned: Turned, skipped: int) -> None:
        turn = turned.turn
        made.append((turn.snapshot.now - START, skipped, int(turn.decisions.replicas[FLEET.index[WEB]])))
        if len(made) == turns:
            raise EndOfTest

    pace = WallPace(time.clock, time.sleep)
    with contextlib.suppress(EndOfTest):
        await drive(cycle, pace, INTERVAL, Waiting(), after)  # type: ignore[arg-type]
    await cycle.close()
    return made


class EndOfTest(Exception):
    """Enough was seen."""


@pytest.fixture
def ledger(tmp_path: Path) -> Any:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    yield ledger
    ledger.close()


async def moments(ledger: Ledger, time: Time, turns: int, **more: Any) -> list[tuple[float, int]]:
    return [(at, skipped) for at, skipped, _ in await driven(ledger, time, turns, **more)]


async def test_a_turn_that_overruns_makes_others_skipped_never_queued(ledger: Ledger) -> None:
    slow = {1: 14.0, 2: 16.0, 3: 100.0}
    found = await moments(ledger, Time(), 7, slow=slow)
    assert found == [(15, 0), (30, 0), (45, 0), (75, 1), (180, 6), (195, 0), (210, 0)]


async def test_a_clock_set_forward_passes_moments_by(ledger: Ledger) -> None:
    found = await moments(ledger, Time(at_20=7.0, at_40=3600.0), 5)
    assert found == [(15, 0), (30, 0), (45, 0), (3645, 239), (3660, 0)]


async def test_a_clock_set_back_a_little_repeats_no_moment(ledger: Ledger) -> None:
    found = await moments(ledger, Time(at_31=-4.0), 4)
    assert found == [(15, 0), (30, 0), (45, 0), (60, 0)]


async def test_a_clock_set_back_an_hour_is_followed_at_once_and_turns_go_on(ledger: Ledger) -> None:
    time = Time(at_40=-3600.0)
    found = await moments(ledger, time, 5)
    assert found == [(15, 0), (30, 0), (-3555, 0), (-3540, 0), (-3525, 0)]
    assert time.passed < 90


async def test_after_the_clock_was_set_back_loads_raise_and_nothing_goes_down_early(ledger: Ledger) -> None:
    loads = [850.0] * 4 + [1700.0] * 2 + [100.0] * 40
    found = await driven(ledger, Time(at_40=-3600.0), 30, loads=loads)
    wanted = [replicas for _, _, replicas in found]
    assert wanted[1] == 10
    assert max(wanted) == min(wanted[6:]) >= 20


async def test_what_was_recorded_around_a_jump_folds_and_replays_bit_for_bit(ledger: Ledger) -> None:
    loads = [300.0, 900.0, 1500.0, 400.0, 2000.0, 100.0, 1200.0]
    await driven(ledger, Time(at_70=-3600.0, at_130=7200.0), 14, loads=loads)
    assert all(again.identical for again in replay_all(ledger, empty_memory()))
    found = restore(ledger, empty_memory())
    assert found.last is not None
    assert (found.number, found.memory.left(found.last.state)) == (14, True)


@pytest.mark.parametrize(
    ("asked", "now", "expected"),
    [(105.0, 105.0, 105.0), (105.0, 119.9, 105.0), (105.0, 121.0, 120.0), (105.0, 3700.0, 3690.0)],
)
def test_whoever_wakes_late_turns_at_the_newest_moment(asked: float, now: float, expected: float) -> None:
    assert reached(asked, now, INTERVAL) == expected


SLEEPER = """
import asyncio, time
from podium.loop.pace import WallPace, next_moment, reached

async def main():
    pace, last = WallPace(), float("nan")
    while True:
        asked = next_moment(pace(), last, 0.25)
        await pace.sleep_until(asked)
        last = reached(asked, pace(), 0.25)
        print(f"{last:.2f} {time.time():.3f}", flush=True)

asyncio.run(main())
"""


def test_a_process_that_was_suspended_turns_once_when_it_wakes() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(SLEEPER)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        before = [process.stdout.readline().split() for _ in range(3)]
        process.send_signal(signal.SIGSTOP)
        time.sleep(2.5)
        process.send_signal(signal.SIGCONT)
        after = [process.stdout.readline().split() for _ in range(6)]
        process.kill()
    made = [(float(moment), float(at)) for moment, at in before + after]
    assert [moment for moment, _ in made] == sorted({moment for moment, _ in made})
    woken = next(number for number in range(1, len(made)) if made[number][1] - made[number - 1][1] > 2.0)
    # Nothing is made for the time that has passed: at most the moment that was awaited, and then the present.
    assert all(at - moment < 1.2 for moment, at in made[woken:])
