"""The ridge: what it learns that simpler ones do not, and what it is not led astray by."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import equations, installed
from podium.foresight.memory import Memory

STEP = 300.0
DAY = 288
HALF_HOUR = np.array([1800.0])
MEDIAN = np.array([0.5])


def said(name: str, loads: NDArray[np.float64], step: float = STEP) -> NDArray[np.float32]:
    """[t, n] medians half an hour ahead."""
    forecaster = installed.load(name)(step, loads.shape[1])
    out = np.empty(loads.shape, np.float32)
    for number, row in enumerate(loads, 1):
        forecaster.learn(number * step, row)
        out[number - 1] = forecaster.quantiles(number * step, MEDIAN, HALF_HOUR)[0, 0]
    return out


def error(name: str, loads: NDArray[np.float64], start: int) -> float:
    return float(np.abs(loads[start + 6 :] - said(name, loads)[start:-6]).mean())


def days(kinds: str, seed: int = 1) -> NDArray[np.float64]:
    """Days of two kinds, `w`: work, `f`: free, with noise; [t, 2]."""
    hours = np.arange(DAY)[:, None] / 12
    work = 100 + 80 * np.exp(-0.5 * ((hours - 10) / 2) ** 2)
    free = 60 + 20 * np.exp(-0.5 * ((hours - 16) / 3) ** 2)
    loads = np.vstack([work if kind == "w" else free for kind in kinds])
    return np.asarray(loads * np.exp(0.02 * np.random.default_rng(seed).standard_normal((len(loads), 2))))


@pytest.mark.slow
def test_a_free_day_out_of_turn_is_recognised_by_its_morning() -> None:
    loads = days("wwwfwwfwwwwwfwwwf")
    afternoon = slice(16 * DAY + 96, 16 * DAY + 240)  # of a free day that no calendar announced
    ridge, profile = said("ridge", loads), said("seasonal-profile", loads)
    came = loads[6:]
    of_ridge, of_profile = (np.abs(came[afternoon] - one[afternoon]).mean() for one in (ridge, profile))
    assert of_ridge < 0.7 * of_profile


def test_bursts_that_nothing_announces_leave_the_last_value() -> None:
    rng = np.random.default_rng(3)
    loads = 100 * np.exp(np.cumsum(0.02 * rng.standard_normal((6 * DAY, 4)), axis=0))
    loads[rng.random(loads.shape) < 0.01] *= 20
    assert error("ridge", loads, 3 * DAY) < 1.05 * error("last-value", loads, 3 * DAY)


def test_ten_times_the_load_overnight_is_followed_with_its_seasons() -> None:
    loads = days("wwwwwwwwww")
    loads[7 * DAY :] *= 10
    shape = np.abs(loads[9 * DAY + 6 :] - said("ridge", loads)[9 * DAY : -6]).mean()
    assert shape < 0.05 * loads[9 * DAY :].mean()


def test_minutes_are_told_as_well_as_five_minutes() -> None:
    loads = days("wwww")
    minutes = np.repeat(loads, 5, axis=0)
    fine, coarse = said("ridge", minutes, 60.0), said("ridge", loads)
    morning = np.arange(3 * DAY + 72, 3 * DAY + 200)  # five-minute rows; their last minute ends with them
    np.testing.assert_allclose(fine[morning * 5 + 4], coarse[morning], rtol=0.1)


def test_a_hole_of_hours_is_no_load_of_zero() -> None:
    loads = days("wwwwww")
    loads[4 * DAY + 100 : 4 * DAY + 160] = np.nan
    told = said("ridge", loads)
    assert np.isnan(told[4 * DAY + 120 : 4 * DAY + 155]).all()
    after = slice(5 * DAY + 90, 5 * DAY + 170)  # a day later, where the day before is not known
    np.testing.assert_allclose(told[after], days("wwwwww")[6:][after], rtol=0.25)


@pytest.mark.parametrize("slots", [1, 300])
def test_the_normal_equations_find_the_line(slots: int) -> None:
    rng = np.random.default_rng(1)
    memory = Memory(equations.fields(3, 1), slots)
    for _ in range(4000):
        vector = rng.standard_normal((3, slots)).astype(np.float32)
        vector[2] = 1
        outcome = (2 * vector[:1] - vector[1:2] + 0.5).astype(np.float32)
        equations.learn(memory, vector, outcome, np.ones(slots, np.float32), 2000.0)
    for step in range(288):
        equations.solve(memory, step, 288)
    # 60 samples speak for 0, and some 1,700 for the line.
    np.testing.assert_allclose(memory["coefficients"][:, 0, 0], [2, -1, 0.5], atol=0.1)


def test_a_sample_without_weight_teaches_nothing() -> None:
    memory = Memory(equations.fields(2, 1), 2)
    vector, outcome = np.ones((2, 2), np.float32), np.ones((1, 2), np.float32)
    equations.learn(memory, vector, outcome, np.array([1, 0], np.float32), 2000.0)
    np.testing.assert_array_equal(memory["samples"], [1, 0])
    np.testing.assert_array_equal(memory["square"][:, 1], 0)
