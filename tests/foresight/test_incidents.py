"""What an incident leaves in a forecaster's memory: nothing, once it is over; a level that lasts is learned."""

from __future__ import annotations

import numpy as np
import pytest

from podium.foresight import incidents
from podium.foresight.memory import Memory
from podium.foresight.mixture import mixture
from podium.foresight.ridge import ridge
from podium.model.arrays import Float32s, Float64s

DAY = 288  # steps of five minutes
NOON = 9 * DAY + DAY // 2
BEGIN = 1_780_272_000.0


def load(days: int = 11, seed: int = 1) -> Float64s:
    step = np.arange(days * DAY)
    noise = np.random.default_rng(seed).lognormal(0, 0.03, len(step))
    return np.asarray((25 - 15 * np.cos(2 * np.pi * step / DAY)) * noise)


def changed(times: float, steps: int | None) -> Float64s:
    """A load that is so many times as high from noon of the tenth day on."""
    out = load()
    out[NOON : None if steps is None else NOON + steps] *= times
    return out


def errors(name: str, loads: Float64s) -> Float64s:
    """[n] mean error of the forecast half an hour ahead from four hours before the next noon on to six after it."""
    forecaster = {"ridge": ridge, "mixture": mixture}[name](300.0, loads.shape[1])
    out = []
    for step, values in enumerate(loads):
        forecaster.learn(BEGIN + 300.0 * (step + 1), values)
        if NOON + DAY - 48 <= step < NOON + DAY + 72:
            median = forecaster.quantiles(BEGIN + 300.0 * (step + 1), np.array([0.5]), np.array([1800.0]))[0, 0]
            out.append(np.abs(median - loads[step + 6]))
    return np.asarray(np.mean(out, axis=0))


@pytest.mark.parametrize("name", ["ridge", "mixture"])
def test_the_day_after_a_hole_is_forecast_as_if_there_had_been_none_and_after_a_spike_nearly_so(name: str) -> None:
    kinds = [(0.0, 1), (0.0, 12), (0.0, 36), (5.0, 1), (5.0, 12)]
    missed = errors(name, np.stack([load(), *(changed(times, steps) for times, steps in kinds)], axis=1))
    assert (missed[1:] < np.array([1.1, 1.1, 1.2, 1.2, 1.5]) * missed[0]).all()  # twice as much, were all learned


def followed(loads: Float32s) -> Float32s:
    """The past [t] that is left of loads [t], taken in bin by bin, with room for all."""
    past, memory = np.full((len(loads) // DAY * DAY + 1, 1), np.nan, np.float16), Memory(incidents.FIELDS, 1)
    for number, value in enumerate(loads):
        past[number % len(past)] = value
        incidents.follow(
            memory, past, number, np.full(past.shape[1], DAY, np.float32), np.full(past.shape[1], number), 300.0
        )
    return incidents.unmarked(past)[: len(loads), 0]


def level(days: int) -> Float32s:
    return np.full(days * DAY, 1.0, np.float32)


CUT = float(np.float16(1 + incidents.FAR))  # what is left of a spike above a level of 1


@pytest.mark.parametrize(
    ("value", "left"), [(0.0, np.nan), (0.5, np.nan), (0.7, 0.7), (1.3, 1.3), (1.5, CUT), (3.0, CUT)]
)
def test_a_hole_is_marked_and_a_spike_cut_from_the_first_bin_to_the_last(value: float, left: float) -> None:
    loads = level(6)
    loads[5 * DAY : 5 * DAY + 12] = value
    expected = level(6)
    expected[5 * DAY : 5 * DAY + 12] = np.float16(left)
    np.testing.assert_array_equal(followed(loads), expected)


@pytest.mark.parametrize(("value", "bins"), [(3.0, 12), (0.0, 72)])
def test_what_lasts_longer_is_learned_from_its_first_bin(value: float, bins: int) -> None:
    for lasts, kept in ((bins, 0), (bins + 1, bins + 1)):
        loads = level(6)
        loads[5 * DAY : 5 * DAY + lasts] = value
        assert np.count_nonzero(followed(loads) == value) == kept


@pytest.mark.parametrize("value", [0.0, 3.0])
def test_what_comes_more_often_than_three_times_a_week_is_learned(value: float) -> None:
    loads = level(6)
    for number in range(5):
        loads[5 * DAY + 20 * number : 5 * DAY + 20 * number + 4] = value
    assert np.flatnonzero(followed(loads) == value).tolist() == [*range(1500, 1504), *range(1520, 1524)]


def test_a_hole_that_comes_on_a_second_day_is_learned() -> None:
    loads = level(7)
    for day in (5, 6):
        loads[day * DAY + 100 : day * DAY + 110] = 0.1
    assert np.flatnonzero(np.isnan(followed(loads))).tolist() == list(range(5 * DAY + 100, 5 * DAY + 110))


def test_a_spike_that_comes_every_day_is_learned_step_by_step() -> None:
    loads = level(9)
    for day in (5, 6, 7, 8):
        loads[day * DAY + 100 : day * DAY + 110] = 2.0
    past = followed(loads)
    assert [round(float(past[day * DAY + 105]), 1) for day in (5, 6, 7, 8)] == [1.4, 1.8, 2.0, 2.0]


def test_a_gap_ends_no_incident() -> None:
    loads = level(6)
    loads[5 * DAY : 5 * DAY + 12] = 0.2
    loads[5 * DAY + 5 : 5 * DAY + 8] = np.nan
    assert np.isnan(followed(loads)).sum() == 12


def test_nothing_is_marked_before_three_days_are_known() -> None:
    loads = level(3)
    loads[2 * DAY + 50 : 2 * DAY + 60] = 9.0
    assert not np.isnan(followed(loads)).any()


def test_an_incident_is_marked_the_same_across_a_restart() -> None:
    loads = np.stack([changed(5.0, 12), changed(0.0, 36)], axis=1)
    whole, first, second = (mixture(300.0, 2) for _ in range(3))
    for step, values in enumerate(loads):
        whole.learn(BEGIN + 300.0 * step, values)
        (first if step < NOON + 6 else second).learn(BEGIN + 300.0 * step, values)
        if step == NOON + 5:
            second.restore(first.state())
    for name, column in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], column, err_msg=name)
