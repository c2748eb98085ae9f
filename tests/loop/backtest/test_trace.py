"""Recorded series on the grid of minutes."""

from __future__ import annotations

import numpy as np
import pytest

from podium.loop.backtest.trace import Trace, trace
from podium.signals.series import Series
from podium.signals.source import Permanent


def series(at: list[float], value: list[float]) -> Series:
    return Series(np.array(at, float), np.array(value, float), "recorded: test")


def test_finer_values_are_averaged_over_each_minute() -> None:
    made = trace("t", series([600, 620, 640, 660, 680], [1, 2, 3, 10, 20]))
    assert (made.first, made.load.tolist()) == (10, [2, 15])


def test_coarser_values_are_joined_by_lines() -> None:
    made = trace("t", series([0, 300, 600], [0, 10, 0]))
    assert made.load.tolist() == [0, 2, 4, 6, 8, 10, 8, 6, 4, 2, 0]


def test_five_missing_minutes_are_bridged_and_six_are_cut_out() -> None:
    at = [minute * 60.0 for minute in (*range(3), 8, 9, 10, 17, 18)]
    made = trace("t", series(at, [3.0] * len(at)))
    assert np.flatnonzero(np.isnan(made.load)).tolist() == [11, 12, 13, 14, 15, 16]
    assert made.cut_minutes == 6


def test_a_missing_value_of_a_five_minute_series_is_cut_out() -> None:
    made = trace("t", series([0, 300, 600, 1200], [1, 1, 1, 1]))
    assert np.flatnonzero(np.isnan(made.load)).tolist() == list(range(11, 20))


def test_times_between_minutes_keep_to_their_minute() -> None:
    made = trace("t", series([37, 97, 157], [1, 2, 3]))
    assert (made.first, made.load.tolist()) == (0, [1, 2, 3])


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (series([0], [1]), r"t: 1 value\(s\); expected a series"),
        (series([0, 60, 120], [1, -2, -3]), r"t: 2 value\(s\) below zero, the first -2 at 1970-01-01T00:01:00Z"),
        (series([0, 60, 4e9], [1, 2, 3]), "expected at most ten years"),
    ],
)
def test_what_is_no_load_is_refused_with_what_was_found(found: Series, words: str) -> None:
    with pytest.raises(Permanent, match=words):
        trace("t", found)


def test_a_quantile_passes_over_what_is_cut_out() -> None:
    assert Trace("t", 0, np.array([1.0, np.nan, 3.0])).quantile(0.5) == 2.0
