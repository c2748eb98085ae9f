"""A recorded load on the grid of a forecast."""

from __future__ import annotations

import numpy as np
import pytest

from podium.loop.rehearse.steps import Steps, steps
from podium.signals.series import Series
from podium.signals.source import Permanent

DAY = 86_400
MONDAY = 1_780_272_000


def laid(seconds: float, days: float = 2.0, value: float = 5.0) -> Series:
    at = MONDAY + np.arange(round(days * DAY / seconds)) * seconds
    return Series(at.astype(np.float64), np.full(len(at), value), "recorded: made")


@pytest.mark.parametrize(("apart", "grid"), [(10, 60), (60, 60), (75, 60), (300, 300), (900, 900), (1800, 1800)])
def test_the_grid_fits_the_distance_of_the_rows(apart: float, grid: float) -> None:
    assert steps("web", laid(apart)).step_seconds == grid


def test_a_step_holds_the_mean_of_what_was_measured_until_its_end() -> None:
    at = MONDAY + np.concatenate([[30.0, 60.0, 61.0], 120.0 + np.arange(1440) * 60.0])
    value = np.concatenate([[2.0, 4.0, 8.0], np.full(1440, 6.0)])
    made = steps("web", Series(at, value, "recorded: made"))
    assert (made.at(0), made.load[0], made.load[1]) == (MONDAY + 60, 3.0, 7.0)


def test_a_step_without_a_row_is_unknown_and_nothing_is_interpolated() -> None:
    series = laid(300)
    kept = np.arange(len(series)) != 10
    made = steps("web", Series(series.at[kept], series.value[kept], series.origin))
    assert np.flatnonzero(np.isnan(made.load)).tolist() == [10]
    assert np.isnan(made.value(MONDAY + 60))  # between two ends of steps of five minutes


@pytest.mark.parametrize(
    ("series", "said"),
    [
        (laid(60, 0.5), "spans 11h59m; expected a day at least"),
        (laid(3600), "has a value every 1h; expected one in 30m at least"),
        (laid(60, value=-1.0), "2880 value(s) below zero, the first -1 at 2026-06-01T00:00:00Z"),
        (laid(60, 1 / 1440), "1 value(s); expected a series"),
        (Series(np.array([0.0, 4e9]), np.ones(2), ""), "expected at most ten years"),
    ],
)
def test_what_cannot_be_forecast_is_refused_with_the_reason(series: Series, said: str) -> None:
    with pytest.raises(Permanent) as refused:
        steps("web", series)
    assert said in str(refused.value)


def test_a_value_is_found_by_the_end_of_its_step_alone() -> None:
    made = Steps("web", 60.0, 10, np.array([1.0, 2.0]))
    assert [made.value(at) for at in (600.0, 660.0)] == [1.0, 2.0]
    assert np.isnan([made.value(540.0), made.value(630.0), made.value(720.0)]).all()
