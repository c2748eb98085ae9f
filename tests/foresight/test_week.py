"""The profile of a week: what it is written from, and how it is read between its half hours."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight.week import Week

DAY = 288
WEEK = 7 * DAY


def taught(loads: NDArray[np.float64], slots: int = 1) -> tuple[Week, NDArray[np.float16]]:
    """A profile that saw [t] loads, a bin each, in every slot."""
    week = Week(DAY)
    profile = np.full((week.rows, slots), np.nan, np.float16)
    past = np.full((WEEK + 1, slots), np.nan, np.float16)
    for number, load in enumerate(loads, 1):
        past[number % len(past)] = load
        week.learn(profile, past, number)
    return week, profile


def test_a_ramp_is_read_between_the_middles_of_half_hours() -> None:
    week, profile = taught(np.arange(48) / 8)  # eight half hours, an eighth more every bin
    np.testing.assert_allclose(week.onward(profile, 20, 6), [6 / 8])
    np.testing.assert_allclose(week.onward(profile, 21, 4), [4 / 8])


def test_what_was_not_seen_is_unknown() -> None:
    week, profile = taught(np.ones(48))
    assert np.isnan(week.onward(profile, 44, 6)).all()


def test_the_newest_week_weighs_a_third() -> None:
    _, profile = taught(np.concatenate((np.zeros(6), np.ones(6), np.zeros(WEEK - 12), np.zeros(6), 3 * np.ones(6))))
    np.testing.assert_allclose(profile[2], 1 + 0.35 * (3 - 1), rtol=1e-3)


def test_a_week_without_a_reading_leaves_it_as_it_was() -> None:
    _, once = taught(np.arange(12.0))
    _, twice = taught(np.concatenate((np.arange(12.0), np.full(WEEK, np.nan))))
    np.testing.assert_array_equal(twice[1:3], once[1:3])


@pytest.mark.parametrize(("day", "bins"), [(288, 6), (144, 6), (206, 2), (103, 1)])
def test_parts_divide_a_week_evenly_on_any_grid(day: int, bins: int) -> None:
    week = Week(day)
    assert (week.per_part, week.rows * bins) == (bins, 7 * day)
