"""The Fourier forecast that others make, for comparison."""

from __future__ import annotations

import math

import numpy as np
import pytest
from tests.loop.backtest.made import waves

from podium.loop.backtest.fft import AHEAD, fitted, peaks
from podium.loop.backtest.trace import DAY


def weekly(days: int) -> np.ndarray:
    """Five working days and a quiet weekend."""
    load = waves(days)
    return np.where(np.arange(len(load)) % (7 * DAY) >= 5 * DAY, load * 0.2, load)


def test_a_day_s_rhythm_is_continued() -> None:
    load = waves(4)
    wave = fitted(load[: 3 * DAY], 3 * DAY)
    assert wave is not None
    assert len(wave.value) == DAY
    expected = wave.at(np.arange(3 * DAY, 4 * DAY))
    assert np.abs(expected - load[3 * DAY :]).mean() < 0.2 * load.mean()


def test_a_week_s_rhythm_is_told_from_a_day_s() -> None:
    wave = fitted(weekly(15)[: 14 * DAY], 14 * DAY)
    assert wave is not None
    assert len(wave.value) == 7 * DAY


@pytest.mark.parametrize("kind", ["noise", "constant", "short", "hole"])
def test_where_no_period_is_found_nothing_is_expected(kind: str) -> None:
    load = np.random.default_rng(1).uniform(1, 2, 5 * DAY)
    if kind == "constant":
        load[:] = 7.0
    elif kind == "short":
        load = waves(1)
    elif kind == "hole":
        load = waves(3)
        load[-DAY : -DAY + 61] = np.nan  # an hour and a minute: what lies before it is dropped
    assert fitted(load, len(load)) is None


def test_the_largest_of_the_next_hour_is_told_minute_by_minute_and_never_of_the_past() -> None:
    load = waves(5)
    told = peaks(load, 3 * DAY)
    assert np.isnan(told[: 3 * DAY]).all()
    other = load.copy()
    other[4 * DAY :] = 0.0
    np.testing.assert_array_equal(told[: 5 * DAY], peaks(other, 3 * DAY)[: 5 * DAY])
    wave = fitted(load[: 3 * DAY], 3 * DAY)
    assert wave is not None
    row = 3 * DAY + 400
    assert told[row] == wave.at(np.arange(row + 1, row + 1 + AHEAD)).max()
    assert math.isfinite(told[-1])
