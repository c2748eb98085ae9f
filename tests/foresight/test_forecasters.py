"""One suite for every installed forecaster: what holds whatever they expect."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import installed
from podium.foresight.forecaster import Forecaster

STEP = 300.0
DAY = 288
LEVELS = np.array([0.5, 0.9, 0.95, 0.99])
AHEAD = np.array([300.0, 600.0, 1800.0])

pytestmark = pytest.mark.parametrize(
    "name", ["damped-trend", "last-value", "log-holt-winters", "mixture", "ridge", "seasonal-profile"]
)


def recorded(days: float, slots: int, seed: int = 1, noise: float = 0.05) -> NDArray[np.float64]:
    """[t, n] daily seasons of different size and phase under multiplicative noise."""
    rng = np.random.default_rng(seed)
    hours = np.arange(round(days * DAY))[:, None] * 2 * np.pi / DAY
    season = 2 + np.sin(hours + rng.uniform(0, 6, slots))
    return np.asarray(rng.uniform(1, 1000, slots) * season * np.exp(noise * rng.standard_normal((len(hours), slots))))


def taught(name: str, loads: NDArray[np.float64]) -> Forecaster:
    forecaster = installed.load(name)(STEP, loads.shape[1])
    teach(forecaster, loads)
    return forecaster


def teach(forecaster: Forecaster, loads: NDArray[np.float64], start: int = 0) -> None:
    for number, row in enumerate(loads, start + 1):
        forecaster.learn(number * STEP, row)


def ask(forecaster: Forecaster, steps: int) -> NDArray[np.float32]:
    return forecaster.quantiles(steps * STEP, LEVELS, AHEAD)


def test_nothing_is_known_before_anything_was_seen(name: str) -> None:
    forecaster = installed.load(name)(STEP, 3)
    np.testing.assert_array_equal(ask(forecaster, 0), np.full((4, 3, 3), np.nan))


def test_a_slot_answers_the_same_alone_and_in_any_company(name: str) -> None:
    loads = recorded(2.2, 5)
    order = np.array([3, 0, 4, 2, 1])
    together = ask(taught(name, loads), len(loads))
    np.testing.assert_array_equal(ask(taught(name, loads[:, order]), len(loads)), together[..., order])
    np.testing.assert_array_equal(ask(taught(name, loads[:, 2:3]), len(loads)), together[..., 2:3])


def test_a_slot_in_another_block_answers_the_same(name: str) -> None:
    loads = np.tile(recorded(1.2, 1), (1, 4100))
    answer = ask(taught(name, loads[:40]), 40)
    np.testing.assert_array_equal(answer, np.repeat(answer[..., :1], 4100, axis=2))


def test_a_higher_level_never_gives_less_and_nothing_is_negative(name: str) -> None:
    answer = ask(taught(name, recorded(3, 8, noise=1.0)), 3 * DAY)
    assert np.isfinite(answer).all()
    assert (np.diff(answer, axis=0) >= 0).all()
    assert (answer >= 0).all()


def test_the_order_in_which_levels_are_asked_changes_nothing(name: str) -> None:
    forecaster = taught(name, recorded(1.5, 2))
    at = 1.5 * DAY * STEP
    backwards = forecaster.quantiles(at, LEVELS[::-1].copy(), AHEAD)
    np.testing.assert_array_equal(backwards[::-1], forecaster.quantiles(at, LEVELS, AHEAD))


def test_memory_taken_over_goes_on_bit_for_bit(name: str) -> None:
    loads = recorded(2.5, 4)
    loads[300:320, 1] = np.nan
    first = taught(name, loads[:500])
    second = installed.load(name)(STEP, 0)
    second.restore(first.state())
    teach(first, loads[500:], 500)
    teach(second, loads[500:], 500)
    np.testing.assert_array_equal(ask(second, len(loads)), ask(first, len(loads)))
    assert first.state().keys() == second.state().keys()
    for column, array in first.state().items():
        np.testing.assert_array_equal(second.state()[column], array, column)


def test_memory_of_another_forecaster_is_refused_whole(name: str) -> None:
    forecaster = taught(name, recorded(1, 2))
    state = forecaster.state() | {"residuals.tails": np.zeros((2, 3, 4), np.float32)}
    with pytest.raises(
        ValueError, match=r"residuals\.tails: expected float32 \[7, 4, 'slots'\], got float32 \[2, 3, 4\]"
    ):
        forecaster.restore(state)


def test_a_forgotten_slot_is_as_new_and_others_keep_all(name: str) -> None:
    loads = recorded(1.5, 3)
    forecaster = taught(name, loads)
    before = ask(forecaster, len(loads))
    forecaster.forget(np.array([1]))
    after = ask(forecaster, len(loads))
    assert np.isnan(after[..., 1]).all()
    np.testing.assert_array_equal(after[..., [0, 2]], before[..., [0, 2]])


def test_growing_keeps_what_is_known(name: str) -> None:
    loads = recorded(1.5, 3)
    forecaster = taught(name, loads)
    before = ask(forecaster, len(loads))
    forecaster.resize(5)
    after = ask(forecaster, len(loads))
    np.testing.assert_array_equal(after[..., :3], before)
    assert np.isnan(after[..., 3:]).all()


def test_beyond_the_longest_horizon_nothing_is_claimed(name: str) -> None:
    loads = recorded(1.5, 2)
    forecaster = taught(name, loads)
    answer = forecaster.quantiles(len(loads) * STEP, LEVELS, np.array([1800.0, 1801.0, 86_400.0]))
    assert np.isfinite(answer[:, 0]).all()
    assert np.isnan(answer[:, 1:]).all()


def test_steps_nobody_told_of_are_gaps(name: str) -> None:
    loads = recorded(2, 3)
    loads[400:410] = np.nan
    told = taught(name, loads)
    untold = installed.load(name)(STEP, 3)
    for number, row in enumerate(loads, 1):
        if not 400 < number <= 410:
            untold.learn(number * STEP, row)
    np.testing.assert_array_equal(ask(untold, len(loads)), ask(told, len(loads)))


def test_after_a_long_silence_nothing_is_known(name: str) -> None:
    loads = np.vstack((recorded(1.5, 2), np.full((12, 2), np.nan)))
    assert np.isnan(ask(taught(name, loads), len(loads))).all()


def test_one_absurd_reading_is_soon_forgiven(name: str) -> None:
    loads = recorded(3, 4)
    calm = ask(taught(name, loads), len(loads))
    loads[2 * DAY + 100] = 1e9
    answer = ask(taught(name, loads), len(loads))
    assert (answer[2] < 1.5 * calm[2]).all()
    assert (answer[0] > 0.7 * calm[0]).all()


def test_infinity_is_unknown(name: str) -> None:
    loads = recorded(2, 2)
    loads[500] = np.nan
    expected = ask(taught(name, loads), len(loads))
    loads[500] = [np.inf, 1e300]
    np.testing.assert_array_equal(ask(taught(name, loads), len(loads)), expected)


@pytest.mark.parametrize("load", [0.0, 100.0])
def test_a_constant_load_stays_what_it_is(name: str, load: float) -> None:
    answer = ask(taught(name, np.full((3 * DAY, 2), load)), 3 * DAY)
    np.testing.assert_allclose(answer, load, rtol=0.005)


def test_half_of_the_readings_suffice(name: str) -> None:
    loads = recorded(4, 4)
    whole = ask(taught(name, loads), len(loads))
    loads[np.random.default_rng(2).random(loads.shape) < 0.5] = np.nan
    loads[-1] = recorded(4, 4)[-1]
    answer = ask(taught(name, loads), len(loads))
    np.testing.assert_allclose(answer[0], whole[0], rtol=0.2)


@pytest.mark.parametrize("shift", [-12, 12])
def test_a_clock_an_hour_off_costs_a_gap_and_no_more(name: str, shift: int) -> None:
    loads = recorded(4, 4)
    calm = ask(taught(name, loads), len(loads))
    forecaster = taught(name, loads[: 3 * DAY])
    if shift < 0:
        forecaster.set_back((3 * DAY + shift) * STEP)
    teach(forecaster, loads[3 * DAY :], 3 * DAY + shift)  # the same loads, an hour too early or too late
    answer = ask(forecaster, len(loads) + shift)
    np.testing.assert_allclose(answer[0], calm[0], rtol=0.25)


def test_a_series_shorter_than_a_day_is_answered(name: str) -> None:
    loads = recorded(0.2, 3)
    answer = ask(taught(name, loads), len(loads))
    if name == "seasonal-profile":
        assert np.isnan(answer).all()  # it knows nothing of a time of day that it has not seen
    else:
        np.testing.assert_allclose(answer[0, 0], loads[-1], rtol=0.3)


def test_after_ten_times_the_load_the_new_level_is_expected_within_an_hour(name: str) -> None:
    loads = recorded(6, 3)
    loads[4 * DAY :] *= 10
    said = ask(taught(name, loads[: 4 * DAY + 13]), 4 * DAY + 13)[0, 2]
    np.testing.assert_allclose(said, loads[4 * DAY + 18], rtol=0.5)


def test_a_step_is_learned_once(name: str) -> None:
    forecaster = taught(name, recorded(0.1, 2))
    with pytest.raises(ValueError, match="already learned"):
        forecaster.learn(300.0, np.ones(2))


def test_values_of_another_fleet_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="expected 3 values, one per slot, got shape"):
        installed.load(name)(STEP, 3).learn(300.0, np.ones(2))


@pytest.mark.parametrize("noise", [0.02, 0.2])
def test_ninety_five_in_a_hundred_outcomes_stay_under_the_95_percent_quantile(name: str, noise: float) -> None:
    loads = recorded(14, 12, noise=noise)
    forecaster = installed.load(name)(STEP, 12)
    said = np.empty((len(loads), 3, 12), np.float32)
    for number, row in enumerate(loads, 1):
        forecaster.learn(number * STEP, row)
        said[number - 1] = forecaster.quantiles(number * STEP, np.array([0.95]), AHEAD)[0]
    for column, steps in enumerate((1, 2, 6)):
        held = loads[7 * DAY + steps :] <= said[7 * DAY : -steps, column]
        assert 0.93 <= held.mean() <= 0.97
        assert ((held.mean(axis=0) >= 0.925) & (held.mean(axis=0) <= 0.975)).all()
