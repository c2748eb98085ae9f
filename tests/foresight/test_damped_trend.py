"""The damped trend: the same numbers as the recursion written out, and what the field does to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import installed
from podium.foresight.banded import Grid
from podium.foresight.damped_trend import DampedTrend
from podium.foresight.memory import Memory

STEP = 60.0


def written_out(loads: list[float], ahead: list[int]) -> list[float]:
    """Gardner and McKenzie's recursion, one number at a time."""
    a, b, f = 1 - math.exp(-STEP / 300), 1 - math.exp(-STEP / 3600), math.exp(-STEP / 7200)
    level, trend, silent = math.nan, 0.0, 0
    for load in loads:
        silent = 0 if load >= 0 else silent + 1
        if load >= 0 and math.isnan(level):
            level, trend = load, 0.0
        else:
            expected = level + f * trend
            error = load - expected if load >= 0 else 0.0
            level, trend = expected + a * error, f * trend + a * b * error
        if silent * STEP > 1800:
            level, trend = math.nan, 0.0
    return [float(np.maximum(0.0, level + sum(f**i for i in range(1, k + 1)) * trend)) for k in ahead]


def told(loads: NDArray[np.float64]) -> tuple[NDArray[np.float32], list[int]]:
    """[k, n] what is expected after the last of [t, n] loads, and how many steps ahead."""
    grid, point = Grid(STEP), DampedTrend()
    memory = Memory(point.fields(grid), loads.shape[1])
    for step, row in enumerate(loads.astype(np.float32), 1):
        point.learn(memory, grid, step, row)
    return point.points(memory, grid, len(loads)), list(grid.horizons)


def noisy(minutes: int, slots: int) -> NDArray[np.float64]:
    rng = np.random.default_rng(1)
    return np.asarray(np.maximum(100 * np.exp(np.cumsum(0.02 * rng.standard_normal((minutes, slots)), axis=0)) - 30, 0))


@pytest.mark.parametrize("hole", [0, 5, 29, 31, 200])
def test_the_numbers_are_those_of_the_recursion_written_out(hole: int) -> None:
    loads = noisy(600, 4)
    loads[400 : 400 + hole] = np.nan
    found, ahead = told(loads)
    np.testing.assert_allclose(found, np.array([written_out(one.tolist(), ahead) for one in loads.T]).T, rtol=2e-4)


def test_a_ramp_goes_on_and_levels_out() -> None:
    found, ahead = told(np.arange(240.0)[:, None] + 100)
    rises = np.diff(found[:, 0]) / np.diff(ahead)
    assert 339 + 15 < found[-1, 0] < 339 + 30  # of the 30 that a straight line adds in half an hour
    assert (np.diff(rises) < 0).all()


def test_a_falling_load_is_never_expected_below_nothing() -> None:
    found, _ = told(np.maximum(300 - 5 * np.arange(58.0), 0)[:, None])
    assert (found >= 0).all()
    assert found[-1, 0] == 0


def test_zeros_are_loads() -> None:
    np.testing.assert_array_equal(told(np.zeros((100, 2)))[0], 0)


def test_a_counter_that_was_reset_is_a_hole() -> None:
    loads = noisy(300, 2)
    reset, hole = loads.copy(), loads.copy()
    reset[200] = -5e6
    hole[200] = np.nan
    np.testing.assert_array_equal(told(reset)[0], told(hole)[0])


def test_a_restart_goes_on_where_it_was() -> None:
    loads = noisy(300, 3)
    whole, again = installed.load("damped-trend")(STEP, 3), installed.load("damped-trend")(STEP, 0)
    for number, row in enumerate(loads, 1):
        whole.learn(number * STEP, row)
        if number == 150:
            again.restore(whole.state())
        elif number > 150:
            again.learn(number * STEP, row)
    levels, ahead = np.array([0.5, 0.95]), np.array([600.0])
    np.testing.assert_array_equal(
        again.quantiles(300 * STEP, levels, ahead), whole.quantiles(300 * STEP, levels, ahead)
    )
