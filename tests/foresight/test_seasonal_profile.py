"""The profile: what a day teaches, and what it must not."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight.seasonal_profile import SeasonalProfile, seasonal_profile

STEP = 300.0
DAY = 288
MEDIAN = np.array([0.5])


def expected(loads: NDArray[np.float64], ahead: float = 1800.0) -> float:
    """The median for the only slot after `loads`."""
    forecaster = seasonal_profile(STEP, 1)
    for number, load in enumerate(loads.tolist(), 1):
        forecaster.learn(number * STEP, np.array([load]))
    return float(forecaster.quantiles(len(loads) * STEP, MEDIAN, np.array([ahead]))[0, 0, 0])


def rush(days: float) -> NDArray[np.float64]:
    """100, and 500 from 8:00 to 10:00."""
    of_day = np.arange(round(days * DAY)) % DAY
    return np.where((of_day >= 96) & (of_day < 120), 500.0, 100.0)


def test_the_first_day_knows_nothing_and_the_second_does() -> None:
    assert np.isnan(expected(rush(0.9)))
    assert expected(rush(1.2)) == pytest.approx(100, rel=0.01)


def test_yesterdays_rush_hour_is_seen_coming() -> None:
    at_7_45 = rush(3)[: 2 * DAY + 93]
    assert expected(at_7_45) == pytest.approx(500, rel=0.05)
    assert expected(at_7_45, ahead=600.0) == pytest.approx(100, rel=0.05)


def test_a_busier_day_raises_the_whole_profile() -> None:
    loads = rush(4)
    loads[3 * DAY :] *= 1.5
    assert expected(loads[: 3 * DAY + 93]) == pytest.approx(750, rel=0.1)


def test_an_outage_is_not_learned_as_a_quiet_hour() -> None:
    loads = rush(4)
    loads[2 * DAY + 90 : 2 * DAY + 130] = np.nan
    assert expected(loads[: 3 * DAY + 93]) == pytest.approx(expected(rush(4)[: 3 * DAY + 93]), rel=0.01)


def test_a_gap_in_the_only_day_seen_stays_unknown() -> None:
    loads = rush(2)
    loads[96:120] = np.nan
    assert np.isnan(expected(loads[: DAY + 93]))


def test_nightly_zeros_do_not_blow_the_morning_up() -> None:
    of_day = np.arange(5 * DAY) % DAY
    loads = np.where((of_day >= 96) & (of_day < 200), 500.0, 0.0)
    loads[4 * DAY + 80] = 3.0  # a stray request in the quiet hour
    assert expected(loads[: 4 * DAY + 93]) < 1000


def test_finer_steps_than_bins_give_the_same_profile() -> None:
    fine = seasonal_profile(60.0, 1)
    loads = np.repeat(rush(3)[: 2 * DAY + 93], 5)
    for number, load in enumerate(loads.tolist(), 1):
        fine.learn(number * 60.0, np.array([load]))
    said = fine.quantiles(len(loads) * 60.0, MEDIAN, np.array([1800.0]))[0, 0, 0]
    assert float(said) == pytest.approx(500, rel=0.05)


def test_bins_must_divide_the_period() -> None:
    with pytest.raises(ValueError, match="does not divide"):
        SeasonalProfile(86_400.0, 7_000.0)
