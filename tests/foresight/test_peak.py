"""The highest load within the lead window: its quantiles, its floor, and what is carried without trust."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import installed
from podium.foresight.calibration import Calibration
from podium.foresight.outlook import Outlook

MINUTE = 60.0
DAY = 1440


def outlook(slots: int) -> Outlook:
    return Outlook(installed.load("last-value")(MINUTE, slots), Calibration(slots), slots)


def days(count: float, slots: int = 1, noise: float = 0.1, seed: int = 1) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    of_day = np.arange(round(count * DAY))[:, None] * 2 * np.pi / DAY
    return np.asarray(100 * (2 + np.sin(of_day)) * np.exp(noise * rng.standard_normal((len(of_day), slots))))


def follow(subject: Outlook, loads: NDArray[np.float64], start: int = 0, lead: float = 120.0) -> NDArray[np.float64]:
    """[t, n] the floor told in each minute."""
    size, out = loads.shape[1], np.empty(loads.shape)
    for row, load in enumerate(loads):
        at = (start + row + 1) * MINUTE
        subject.step(at, load, np.full(size, lead), np.full(size, 0.001), np.full(size, 10.0))
        out[row] = subject.peak.floor
    return out


@pytest.mark.slow
def test_the_floor_leaves_less_than_the_asked_share_unserved_and_costs_little() -> None:
    loads = days(9)
    floor = follow(outlook(1), loads)[:, 0]
    judged = np.arange(3 * DAY, 9 * DAY)
    served = np.minimum(floor[judged - 1], floor[judged - 2])  # what was asked for before a replica could serve
    short = np.maximum(loads[judged, 0] - np.ceil(served / 10) * 10, 0).sum() / loads[judged].sum()
    assert short < 0.001
    assert floor[judged].mean() / loads[judged].mean() < 1.35


@pytest.mark.slow
def test_ten_minutes_ahead_the_floor_rises_with_the_morning_and_falls_with_the_evening() -> None:
    floor = follow(outlook(1), days(5, noise=0.01), lead=600.0)[-DAY:, 0]
    load = days(5, noise=0.01)[-DAY:, 0]
    ahead = np.lib.stride_tricks.sliding_window_view(load, 11).max(axis=1)
    assert (floor[: len(ahead)] >= 0.97 * ahead).mean() > 0.99
    assert np.median(floor[: len(ahead)] / ahead) < 1.08


@pytest.mark.slow
def test_a_floor_never_falls_below_the_load_of_the_last_minutes_and_small_falls_wait() -> None:
    loads = days(6)
    floor = follow(outlook(1), loads)[DAY:, 0]
    held = np.lib.stride_tricks.sliding_window_view(loads[:, 0], 6).max(axis=1)[DAY - 5 :]
    assert (floor >= held * (1 - 1e-6)).all()
    falls = floor[1:] / floor[:-1]
    asked_for = np.lib.stride_tricks.sliding_window_view(floor, 16).max(axis=1)
    assert (falls < 1).mean() < 0.1
    assert (floor[15:] <= asked_for).all()


def test_without_history_the_present_load_is_carried_at_seventy_per_cent() -> None:
    floor = follow(outlook(1), np.full((3, 1), 70.0))
    assert floor[-1, 0] >= 100 * (1 - 1e-3)


@pytest.mark.slow
def test_a_load_that_was_never_seen_is_not_prepared_for_beyond_half_as_much_again() -> None:
    rng = np.random.default_rng(2)
    bursts = np.where(rng.random((3 * DAY, 1)) < 0.01, 500.0, 10.0)
    assert np.nanmax(follow(outlook(1), bursts)) <= 1.5 * 500


def test_five_minutes_of_silence_are_bridged_and_more_leave_no_floor() -> None:
    subject, loads = outlook(1), days(2)
    loads[-10:] = np.nan
    floor = follow(subject, loads)[:, 0]
    assert not np.isnan(floor[-10:-5]).any()
    assert np.isnan(floor[-3:]).all()


def test_a_clock_that_is_set_back_keeps_what_was_learned() -> None:
    subject, loads = outlook(1), days(3)
    before = follow(subject, loads)[-1, 0]
    subject.set_back(2 * DAY * MINUTE)
    after = follow(subject, loads[-60:], 2 * DAY)
    assert after[-1, 0] == pytest.approx(before, rel=0.2)


@pytest.mark.slow
def test_who_gets_more_unserved_load_than_asked_can_be_told_how_much() -> None:
    rng = np.random.default_rng(4)
    bursts = np.where(rng.random((4 * DAY, 1)) < 0.002, 400.0, 10.0)
    subject = outlook(1)
    follow(subject, bursts)
    forecast = subject.forecast(4 * DAY * MINUTE, np.array([0.5]), np.array([60.0]))
    assert forecast.realised[0] > 0.002


def test_loads_of_nothing_and_of_a_billion_give_a_floor_all_the_same() -> None:
    loads = days(2, 3)
    loads[:, 0] = 0
    loads[1500, 1] = 1e9
    loads[:, 2] = 5.0
    floor = follow(outlook(3), loads)
    assert floor[-1, 0] == 0
    assert floor[-1, 1] < 10 * loads[-100:, 1].max()
    assert 5 <= floor[-1, 2] < 8


def test_a_restart_and_a_slot_alone_give_the_same_bits() -> None:
    loads = days(2, 3)
    whole, alone, again = outlook(3), outlook(1), outlook(0)
    follow(whole, loads[:-50])
    again.restore(whole.state())
    floor = follow(whole, loads[-50:], len(loads) - 50)
    np.testing.assert_array_equal(follow(again, loads[-50:], len(loads) - 50), floor)
    np.testing.assert_array_equal(follow(alone, loads[:, 1:2])[-50:], floor[:, 1:2])


@pytest.mark.slow
def test_a_slot_says_the_same_bits_whatever_the_leads_of_its_company() -> None:
    loads = days(2, 3)
    leads = np.array([60.0, 600.0, 1800.0])
    risk, capacity = np.full(3, 0.001), np.full(3, 10.0)
    together, alone = outlook(3), outlook(1)
    for row, load in enumerate(loads):
        at = (row + 1) * MINUTE
        together.step(at, load, leads, risk, capacity)
        alone.step(at, load[:1], leads[:1], risk[:1], capacity[:1])
    levels, ahead = np.array([0.5, 0.99]), np.array([60.0])
    alike = (subject.forecast(at, levels, ahead) for subject in (together, alone))
    among, apart = ((told.floor[0], *told.quantiles[:, 0, 0]) for told in alike)
    assert among == apart
