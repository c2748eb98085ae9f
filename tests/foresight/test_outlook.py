"""The outlook: what the loop is told, and how it is judged."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import installed
from podium.foresight.calibration import Calibration
from podium.foresight.outlook import Outlook

STEP = 300.0
DAY = 288
LEVELS = np.array([0.5, 0.95])
AHEAD = np.arange(1, 7) * STEP


def outlook(slots: int, name: str = "mixture") -> Outlook:
    return Outlook(installed.load(name)(STEP, slots), Calibration(slots), slots)


def seasons(days: float, slots: int, noise: float = 0.1, seed: int = 1) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    of_day = np.arange(round(days * DAY))[:, None] * 2 * np.pi / DAY
    season = 100 * (2 + np.sin(of_day + rng.uniform(0, 6, slots)))
    return np.asarray(season * np.exp(noise * rng.standard_normal((len(of_day), slots))))


def lead(slots: int, seconds: float = 1800.0) -> NDArray[np.float64]:
    return np.full(slots, seconds)


def times(loads: NDArray[np.float64], start: int = 0) -> NDArray[np.float64]:
    return (np.arange(start, start + len(loads)) + 1) * STEP


@pytest.mark.slow
def test_the_highest_quantile_before_new_replicas_serve_covers_the_highest_load() -> None:
    loads = seasons(14, 10)
    subject = outlook(10)
    floor = np.empty(loads.shape)
    for number, (at, row) in enumerate(zip(times(loads), loads, strict=True)):
        subject.step(at, row, lead(10))
        if number >= 7 * DAY:
            floor[number] = subject.forecast(at, np.array([0.95]), AHEAD).quantiles[0].max(axis=0)
    held = [loads[t + 1 : t + 7].max(axis=0) <= floor[t] for t in range(7 * DAY, len(loads) - 6)]
    assert 0.93 <= np.mean(held) <= 0.97
    np.testing.assert_allclose(subject.calibration.coverage, 0.95, atol=0.07)


def test_trust_is_earned_from_history_lost_to_bursts_and_earned_again() -> None:
    calm = seasons(6, 1)
    bursts = seasons(1, 1) * np.where(np.random.default_rng(5).random((DAY, 1)) < 0.12, 6.0, 1.0)
    subject = outlook(1)
    story: list[tuple[str, float]] = []
    for number, row in enumerate(np.vstack((calm, bursts, seasons(4, 1)))):
        changes = subject.step((number + 1) * STEP, row, lead(1, 600.0))
        story += [("demoted", number / DAY) for _ in changes.demoted]
        story += [("promoted", number / DAY) for _ in changes.promoted]
    days = [day for _, day in story]
    assert [word for word, _ in story] == ["promoted", "demoted", "promoted"]
    assert days[0] < 1
    assert 6 < days[1] < 6.25  # within six hours of the first burst
    assert 7 < days[2] < 8  # not before the bursts are over
    assert subject.forecast(11 * DAY * STEP, LEVELS, AHEAD).trusted.tolist() == [True]


def test_a_silent_source_neither_demotes_nor_promotes() -> None:
    loads = seasons(4, 2)
    subject = outlook(2)
    subject.learn(times(loads), loads, lead(2))
    before = subject.forecast(times(loads)[-1], LEVELS, AHEAD)
    silence = np.full((100, 2), np.nan)
    subject.learn(times(silence, len(loads)), silence, lead(2))
    after = subject.forecast(times(silence, len(loads))[-1], LEVELS, AHEAD)
    assert after.trusted.tolist() == before.trusted.tolist() == [True, True]
    assert np.isnan(after.quantiles).all()
    # The one window that began before the silence and has an unknown load in it judged nothing.
    np.testing.assert_array_equal(after.coverage, before.coverage)


def test_ticks_of_15_seconds_make_one_step_of_their_mean() -> None:
    loads = seasons(2, 1)
    coarse, fine = outlook(1), outlook(1)
    coarse.learn(times(loads), loads, lead(1))
    for number, load in enumerate(loads[:, 0].tolist()):
        for tick in range(1, 21):
            wave = 0.1 * load * (1 if tick % 2 else -1)
            fine.step(number * STEP + tick * 15.0, np.array([load + wave]), lead(1))
    at = times(loads)[-1]
    np.testing.assert_allclose(
        fine.forecast(at, LEVELS, AHEAD).quantiles, coarse.forecast(at, LEVELS, AHEAD).quantiles, rtol=1e-4
    )


def test_late_ticks_close_the_step_before_them() -> None:
    loads = seasons(2, 1)
    exact, late = outlook(1), outlook(1)
    exact.learn(times(loads), loads, lead(1))
    late.learn(times(loads) - 40.0, loads, lead(1))
    late.step(times(loads)[-1] + 7.0, np.array([1.0]), lead(1))
    for name, column in exact.forecaster.state().items():
        np.testing.assert_array_equal(late.forecaster.state()[name], column, name)


def test_a_restart_goes_on_bit_for_bit_in_the_middle_of_a_step() -> None:
    loads = seasons(3, 3)
    at = times(loads)
    first, second = outlook(3), outlook(0)
    first.learn(at[:500], loads[:500], lead(3))
    first.step(at[500] - 200.0, loads[500], lead(3))
    second.restore(first.state())
    for subject in (first, second):
        subject.learn(at[500:], loads[500:], lead(3))
    for name, column in first.state().items():
        np.testing.assert_array_equal(second.state()[name], column, name)
    np.testing.assert_array_equal(
        second.forecast(at[-1], LEVELS, AHEAD).quantiles, first.forecast(at[-1], LEVELS, AHEAD).quantiles
    )


def test_slots_with_other_lead_times_do_not_touch_each_other() -> None:
    loads = seasons(3, 3)
    leads = np.array([300.0, 1000.0, 1800.0])
    together = outlook(3)
    together.learn(times(loads), loads, leads)
    alone = outlook(1)
    alone.learn(times(loads), loads[:, 1:2], leads[1:2])
    at = times(loads)[-1]
    expected = alone.forecast(at, LEVELS, AHEAD)
    answer = together.forecast(at, LEVELS, AHEAD)
    np.testing.assert_array_equal(answer.quantiles[..., 1:2], expected.quantiles)
    np.testing.assert_array_equal(answer.coverage[1:2], expected.coverage)


@pytest.mark.parametrize("seconds", [float("nan"), 7200.0])
def test_a_lead_time_that_is_unknown_or_too_long_is_never_judged(seconds: float) -> None:
    loads = seasons(3, 1)
    subject = outlook(1)
    subject.learn(times(loads), loads, lead(1, seconds))
    answer = subject.forecast(times(loads)[-1], LEVELS, AHEAD)
    assert answer.trusted.tolist() == [False]
    assert np.isnan(answer.coverage).all()


def test_a_reused_slot_starts_untrusted() -> None:
    loads = seasons(3, 2)
    subject = outlook(2)
    subject.learn(times(loads), loads, lead(2))
    subject.forget(np.array([0]))
    subject.resize(3)
    answer = subject.forecast(times(loads)[-1], LEVELS, AHEAD)
    assert answer.trusted.tolist() == [False, True, False]
    assert np.isnan(answer.quantiles).all(axis=(0, 1)).tolist() == [True, False, True]


def test_time_does_not_run_backwards() -> None:
    subject = outlook(1)
    subject.step(900.0, np.ones(1), lead(1))
    with pytest.raises(ValueError, match="already complete"):
        subject.step(600.0, np.ones(1), lead(1))
