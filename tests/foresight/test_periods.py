"""Periods that are not the day: found where they are, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import installed, periods
from podium.foresight.memory import Memory
from podium.model.arrays import Float32s

DAY, ROWS = 288, 7 * 288 + 1
STEP = 300.0


def wave(period: float, noise: float = 0.2, rows: int = ROWS) -> NDArray[np.float64]:
    rng = np.random.default_rng(round(period * 10))
    return np.asarray(np.sin(2 * np.pi * np.arange(rows) / period) + noise * rng.standard_normal(rows))


def spikes(period: float, rows: int = ROWS) -> NDArray[np.float64]:
    at = np.arange(rows) / period % 1
    return np.asarray(np.where(at < 0.15, 1.5, 0.0) + 0.1 * np.random.default_rng(1).standard_normal(rows))


def walks(count: int) -> NDArray[np.float64]:
    return np.asarray(np.cumsum(0.05 * np.random.default_rng(2).standard_normal((ROWS, count)), axis=0))


def answer(*loads: NDArray[np.float64]) -> NDArray[np.float64]:
    week: Float32s = np.stack(loads, axis=1).astype(np.float32)
    known = ~np.isnan(week)
    seen = np.where(known.any(axis=0), len(week) - known.argmax(axis=0), 0)
    return periods.found(*periods.differences(week, len(week) // 2), seen, DAY)


@pytest.mark.parametrize("period", [8.6, 15.4, 47.3, 120, 250, 432, 480])
def test_a_period_is_found_to_a_hundredth(period: float) -> None:
    of_wave, of_spikes = answer(wave(period), spikes(period))
    assert of_wave == pytest.approx(period, rel=0.01)
    # Short spikes fall on whole bins again only after some cycles: a multiple serves as well.
    assert of_spikes / period == pytest.approx(max(1, round(of_spikes / period)), rel=0.01)


def test_loads_of_days_and_what_divides_one_stay_with_the_day() -> None:
    np.testing.assert_array_equal(answer(wave(288), spikes(288), wave(144), spikes(18), wave(96)), 0)


def test_walks_and_noise_and_constants_have_none() -> None:
    noise = np.random.default_rng(3).standard_normal((ROWS, 20))
    np.testing.assert_array_equal(answer(*walks(40).T, *noise.T, np.full(ROWS, 5.0), np.zeros(ROWS)), 0)


def test_a_load_of_days_with_a_small_job_every_ten_hours_stays_with_the_day() -> None:
    np.testing.assert_array_equal(answer(wave(288) + 0.3 * spikes(120)), 0)


def test_holes_hide_no_period() -> None:
    holes = wave(120)
    holes[500:700] = np.nan
    holes[np.random.default_rng(4).random(ROWS) < 0.3] = np.nan
    np.testing.assert_allclose(answer(holes), 120, rtol=0.01)


def test_before_a_day_has_passed_what_divides_one_is_found() -> None:
    young = np.full(ROWS, np.nan)
    young[-100:] = wave(18, rows=100)
    np.testing.assert_allclose(answer(young), 18, rtol=0.03)


def test_the_differences_are_those_counted_one_by_one() -> None:
    week = wave(30, rows=200).astype(np.float32)[:, None]
    week[50:60] = np.nan
    apart, pairs = periods.differences(week, 40)
    for lag in (0, 1, 7, 39):
        squares = (week[lag:] - week[: len(week) - lag]) ** 2
        assert pairs[lag, 0] == np.isfinite(squares).sum()
        assert apart[lag, 0] == pytest.approx(np.nanmean(squares), abs=1e-5)


def looks(*weeks: NDArray[np.float64]) -> list[int]:
    """The period in force after each of these looks at one slot."""
    memory, out = Memory(periods.FIELDS, 1), list[int]()
    for week in weeks:
        periods.look(memory, week.astype(np.float16)[:, None] + np.float16(5), ROWS - 1, DAY, np.array([0]))
        out.append(round(float(memory["own"][0])))
    return out


def test_two_looks_in_a_row_must_agree() -> None:
    ten, walk = wave(120), walks(1)[:, 0]
    assert looks(ten, walk, ten, ten) == [0, 0, 0, 120]


def test_a_load_that_comes_to_follow_the_day_is_given_back_to_it() -> None:
    assert looks(wave(120), wave(120), wave(288)) == [0, 120, 0]


def test_a_period_that_changes_is_followed() -> None:
    assert looks(wave(120), wave(120), wave(90), wave(90)) == [0, 120, 0, 90]


def test_looks_are_spread_over_the_day_and_the_young_are_looked_at_more_often() -> None:
    turn = np.arange(1000, dtype=np.int32) * 7919
    turn[0] = -1
    count = np.zeros(1000)
    for step in range(1440):
        slots = periods.due(turn, np.where(np.arange(1000) < 500, 100.0, 9000.0), step, 1440)
        assert len(slots) < 30
        count[slots] += 1
    np.testing.assert_array_equal(count, [0] + [6] * 499 + [1] * 500)


def recorded(hours: float, days: int) -> NDArray[np.float64]:
    """[t, 1] a job of an eighth of its period."""
    at = np.arange(days * DAY)[:, None] / (12 * hours) % 1
    return np.asarray((100 + 300 * (at < 1 / 8)) * np.exp(0.02 * np.random.default_rng(5).standard_normal(at.shape)))


def error(name: str, loads: NDArray[np.float64]) -> float:
    """Mean absolute error of the median half an hour ahead, on the last two days."""
    forecaster = installed.load(name)(STEP, loads.shape[1])
    said = np.empty(loads.shape, np.float32)
    for number, row in enumerate(loads, 1):
        forecaster.learn(number * STEP, row)
        said[number - 1] = forecaster.quantiles(number * STEP, np.array([0.5]), np.array([1800.0]))[0, 0]
    return float(np.abs(loads[6:] - said[:-6])[-2 * DAY :].mean())


@pytest.mark.slow
@pytest.mark.parametrize(("hours", "days", "part"), [(10.0, 8, 0.35), (6.5, 6, 0.35), (7.3, 8, 0.5)])
def test_a_job_that_comes_round_out_of_step_with_the_day_is_foreseen(hours: float, days: int, part: float) -> None:
    assert error("mixture", recorded(hours, days)) < part * error("last-value", recorded(hours, days))


@pytest.mark.slow
def test_with_a_period_of_its_own_a_slot_answers_the_same_alone_and_after_a_restart() -> None:
    loads = np.hstack((recorded(10.0, 5), recorded(24.0, 5), recorded(7.3, 5)))
    together, alone, again = (installed.load("ridge")(STEP, n) for n in (3, 1, 0))
    for number, row in enumerate(loads, 1):
        together.learn(number * STEP, row)
        alone.learn(number * STEP, row[2:])
        if number == 1000:
            again.restore(together.state())
        elif number > 1000:
            again.learn(number * STEP, row)
    at, half, ahead = len(loads) * STEP, np.array([0.5]), np.array([600.0, 1800.0])
    own = together.state()["point.design.periods.own"].tolist()
    assert own == pytest.approx([120, 0, 87.6], abs=0.5)
    of_one, of_all = (one.quantiles(at, half, ahead) for one in (alone, together))
    np.testing.assert_allclose(of_one[..., 0], of_all[..., 2], rtol=1e-5)
    np.testing.assert_array_equal(again.quantiles(at, half, ahead), together.quantiles(at, half, ahead))
