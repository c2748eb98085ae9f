"""Holt-Winters in logarithms: the same numbers as the recursion written out, and what the field does to it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import installed
from podium.foresight.banded import Grid
from podium.foresight.log_holt_winters import LogHoltWinters
from podium.foresight.memory import Memory

STEP, DAY = 300.0, 288
LEVEL, TREND, SEASON, FADE = 0.3, 0.05, 0.3, 0.8


def written_out(loads: list[float], ahead: list[int]) -> list[float]:
    """The recursion, one number at a time, after a first day whose bins less their mean are the season."""
    first = [load for load in loads[:DAY] if load >= 0]
    unit = sum(first) / len(first)
    day = [math.log1p(load / unit) for load in loads[:DAY]]
    mean = sum(y for y in day if y >= 0) / len(first)
    season = [y - mean if y >= 0 else 0.0 for y in day]
    level, trend = _without_season(loads[:DAY], unit) - season[-1], 0.0
    for number, load in enumerate(loads[DAY:]):
        expected, row = level + FADE * trend, number % DAY
        error = math.log1p(load / unit) - expected - season[row] if load >= 0 else 0.0
        level, trend = expected + LEVEL * error, FADE * trend + LEVEL * TREND * error
        season[row] += SEASON * (1 - LEVEL) * error
    told = [level + sum(FADE**i for i in range(1, k + 1)) * trend + season[(len(loads) + k - 1) % DAY] for k in ahead]
    return [max(0.0, unit * math.expm1(y)) for y in told]


def _without_season(loads: list[float], unit: float) -> float:
    """The level at the end of the first day, whose unit is its first load."""
    level, trend, own = math.log1p(1), 0.0, loads[0]
    for load in loads[1:]:
        expected = level + FADE * trend
        error = math.log1p(load / own) - expected if load >= 0 else 0.0
        level, trend = expected + LEVEL * error, FADE * trend + LEVEL * TREND * error
    return math.log1p(math.expm1(level) * own / unit)


def taught(loads: NDArray[np.float64]) -> tuple[Memory, Grid, LogHoltWinters]:
    grid, point = Grid(STEP), LogHoltWinters()
    memory = Memory(point.fields(grid), loads.shape[1])
    for step, row in enumerate(loads.astype(np.float32), DAY + 1):
        point.learn(memory, grid, step, row)
    return memory, grid, point


def told(loads: NDArray[np.float64]) -> NDArray[np.float32]:
    """[k, n] what is expected after the last of [t, n] loads."""
    memory, grid, point = taught(loads)
    return point.points(memory, grid, DAY + len(loads))


def seasons(days: float, slots: int = 3, noise: float = 0.03) -> NDArray[np.float64]:
    rng = np.random.default_rng(1)
    of_day = np.arange(round(days * DAY))[:, None] * 2 * np.pi / DAY
    shape = np.maximum(1 + 1.2 * np.sin(of_day + rng.uniform(0, 6, slots)), 0)  # nothing at night
    return np.asarray(100 * shape * np.exp(noise * rng.standard_normal(shape.shape)))


@pytest.mark.parametrize("hole", [0, 4])
def test_the_numbers_are_those_of_the_recursion_written_out(hole: int) -> None:
    loads = seasons(3.4) + 5
    loads[500 : 500 + hole] = np.nan
    loads[100 : 100 + hole] = np.nan
    ahead = list(Grid(STEP).horizons)
    expected = np.array([written_out(one.tolist(), ahead) for one in loads.T]).T
    np.testing.assert_allclose(told(loads), expected, rtol=2e-3)


def test_a_second_day_is_expected_like_the_first_at_its_own_level() -> None:
    loads = seasons(2, noise=0.0) + 20
    loads[DAY:] *= 3
    morning = told(loads[: DAY + 150])[-1]
    np.testing.assert_allclose(morning, loads[DAY + 155], rtol=0.1)


def test_a_night_without_load_is_no_disorder() -> None:
    loads = seasons(4)
    for end in range(3 * DAY, 4 * DAY - 6, 24):
        np.testing.assert_allclose(told(loads[:end])[-1], loads[end + 5], atol=35)


def test_nothing_but_zeros_stays_nothing() -> None:
    np.testing.assert_array_equal(told(np.zeros((2 * DAY, 2))), 0)


def test_a_counter_that_was_reset_is_a_hole() -> None:
    loads = seasons(2.2)
    reset, hole = loads.copy(), loads.copy()
    reset[450] = -5e6
    hole[450] = np.nan
    np.testing.assert_array_equal(told(reset), told(hole))


def test_the_season_outlives_a_hole_of_half_a_day() -> None:
    loads = seasons(4, noise=0.0) + 20
    loads[2 * DAY + 100 : 2 * DAY + 250] = np.nan
    assert np.isnan(told(loads[: 2 * DAY + 240])).all()
    np.testing.assert_allclose(told(loads[: 2 * DAY + 262])[-1], loads[2 * DAY + 267], rtol=0.15)


def test_a_first_day_with_hardly_any_reading_makes_no_season() -> None:
    loads = seasons(3, noise=0.0) + 20
    loads[10:280] = np.nan
    assert not taught(loads[: DAY + 12])[0]["open"].any()
    assert taught(loads)[0]["open"].all()


def test_a_restart_goes_on_where_it_was() -> None:
    loads = seasons(2)
    whole, again = installed.load("log-holt-winters")(STEP, 3), installed.load("log-holt-winters")(STEP, 0)
    for number, row in enumerate(loads, 1):
        whole.learn(number * STEP, row)
        if number == 400:
            again.restore(whole.state())
        elif number > 400:
            again.learn(number * STEP, row)
    at, levels, ahead = len(loads) * STEP, np.array([0.5, 0.95]), np.array([600.0])
    np.testing.assert_array_equal(again.quantiles(at, levels, ahead), whole.quantiles(at, levels, ahead))
