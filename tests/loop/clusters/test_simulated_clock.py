"""The simulated clock."""

from __future__ import annotations

import asyncio
import time

import pytest

from podium.loop.clusters.simulated.clock import SimulatedClock


class Wall:
    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_time_runs_at_its_speed_and_a_change_of_speed_makes_no_jump() -> None:
    wall = Wall()
    clock, told = SimulatedClock(1000.0, 60.0, monotonic=wall), []
    for speed in (60.0, 600.0, 1.0):
        clock.set_speed(speed)
        told.append(clock())
        wall.seconds += 2
    assert (told, clock()) == ([1000.0, 1120.0, 2320.0], 2322.0)


@pytest.mark.parametrize("speed", [0.0, -1.0, 10_001.0, float("nan")])
def test_an_impossible_speed_is_refused(speed: float) -> None:
    with pytest.raises(ValueError, match="out of range; expected above 0"):
        SimulatedClock(0.0, speed)


async def test_sleeping_is_over_when_the_clock_says_so() -> None:
    clock, began = SimulatedClock(0.0, 600.0), time.monotonic()
    await clock.sleep_until(30.0)
    assert clock() >= 30.0
    assert 0.04 < time.monotonic() - began < 5


async def test_a_sleeper_heeds_a_new_speed() -> None:
    clock, began = SimulatedClock(0.0, 1.0), time.monotonic()
    asyncio.get_running_loop().call_later(0.05, clock.set_speed, 10_000.0)
    await clock.sleep_until(600.0)
    assert time.monotonic() - began < 5
