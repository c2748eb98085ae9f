"""Which loads were served well, minute by minute."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest

from podium.loop.capacity import bins


class Minutes:
    """One slot."""

    def __init__(self) -> None:
        self.tally, self.top = np.zeros((2, bins.BINS, 1), np.uint16), np.full(1, bins.NOWHERE, np.int32)

    def seen(self, loads: Iterable[float], *, held: bool = True) -> Minutes:
        for load in loads:
            told = np.ones(1, np.bool_)
            self.tally, self.top = bins.note(self.tally, self.top, np.array([load]), told & held, told)
        return self

    @property
    def knee(self) -> tuple[float, float, bool]:
        well, likeliest, _, too_much = bins.knee(self.tally, self.top)
        return float(well[0]), float(likeliest[0]), bool(too_much[0])


def test_one_good_minute_proves_nothing_and_eleven_do() -> None:
    assert np.isnan(Minutes().seen([50.0]).knee[0])
    well, likeliest, too_much = Minutes().seen([50.0] * 11).knee
    assert (well, likeliest, too_much) == (pytest.approx(50, rel=0.05), pytest.approx(50, rel=0.05), False)


def test_the_knee_lies_where_more_than_a_tenth_of_the_minutes_are_bad() -> None:
    minutes = Minutes()
    for _ in range(30):
        minutes.seen([40, 50, 60, 70])
        minutes.seen([90, 100], held=False)
    well, likeliest, too_much = minutes.knee
    assert (well, likeliest, too_much) == (pytest.approx(70, rel=0.06), pytest.approx(70, rel=0.06), True)


def test_bad_minutes_under_a_load_that_was_served_well_are_an_incident() -> None:
    """A slow dependency at night says nothing of what a replica serves by day."""
    minutes = Minutes()
    for _ in range(60):
        minutes.seen([50, 60, 70, 80])
    well, _, too_much = minutes.seen([45] * 15, held=False).knee
    assert (well, too_much) == (pytest.approx(80, rel=0.06), False)


def test_an_hour_of_bad_minutes_outvotes_the_days_before() -> None:
    minutes = Minutes()
    for _ in range(1000):
        minutes.seen([50, 60, 70, 80])
    well, _, too_much = minutes.seen([55] * 30 + [65] * 15, held=False).knee
    assert too_much
    assert np.isnan(well) or well < 55


def test_an_outlier_of_a_billion_costs_two_bins() -> None:
    minutes = Minutes().seen([50.0] * 60).seen([1e9])
    assert minutes.knee[0] == pytest.approx(50, rel=0.05)
    place = int(np.floor(np.log(50) / bins.STEP))
    assert minutes.top[0] == place + bins.RISE
    assert bins.lowered(minutes.tally, minutes.top)[0] == place


def test_a_load_that_grew_tenfold_for_good_is_followed() -> None:
    assert Minutes().seen([50.0] * 60).seen([500.0] * 60).knee[0] == pytest.approx(500, rel=0.05)


def test_what_is_idle_or_far_below_is_no_evidence() -> None:
    minutes = Minutes().seen([0.0, 50.0, 1.0, 0.0])
    assert minutes.tally.sum() == 1000  # a minute
