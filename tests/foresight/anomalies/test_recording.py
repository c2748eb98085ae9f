"""Recordings of every shape: each has an answer per row, in the order given, and episodes that say what it was."""

from __future__ import annotations

import numpy as np
import pytest
from tests.foresight.anomalies.test_detector import daily, times

from podium.foresight.anomalies.recording import judge
from podium.model.arrays import Float64s


def hard(name: str) -> tuple[Float64s, Float64s]:
    """Series that trip detectors."""
    at = times(1000)
    values = daily(at)
    match name:
        case "empty":
            return at[:0], values[:0]
        case "one row":
            return at[:1], values[:1]
        case "shorter than a day":
            return at[:200], values[:200]
        case "constant":
            return at, np.full(len(at), 7.0)
        case "all zero":
            return at, np.zeros(len(at))
        case "all unknown":
            return at, np.full(len(at), np.nan)
        case "half unknown":
            return at, np.where(np.arange(len(at)) % 2, np.nan, values)
        case "an outlier of 1e9":
            return at, np.where(np.arange(len(at)) == 600, 1e9, values)
        case "infinite":
            return at, np.where(np.arange(len(at)) == 600, np.inf, values)
        case "one time for all rows":
            return np.full(len(at), at[0]), values
        case "a clock an hour off":
            return np.where(np.arange(len(at)) > 500, at - 3600, at), values
        case "huge and tiny":
            return at, values * np.where(np.arange(len(at)) < 500, 1e-300, 1e300)
        case _:
            return at[::-1], values[::-1]


@pytest.mark.parametrize(
    "name",
    [
        "empty", "one row", "shorter than a day", "constant", "all zero", "all unknown", "half unknown",
        "an outlier of 1e9", "infinite", "one time for all rows", "a clock an hour off", "huge and tiny", "unsorted",
    ],
)  # fmt: skip
def test_every_row_has_a_score_between_0_and_1(name: str) -> None:
    at, values = hard(name)
    found = judge(at, values)
    assert found.score.shape == found.anomaly.shape == at.shape
    assert ((found.score >= 0) & (found.score <= 1)).all()


@pytest.mark.parametrize("name", ["constant", "all zero", "all unknown"])
def test_what_never_changes_is_never_anomalous(name: str) -> None:
    assert not judge(*hard(name)).anomaly.any()


def test_an_outlier_of_1e9_is_one_alarm_and_blinds_nothing() -> None:
    at, values = hard("an outlier of 1e9")
    values[900] += 400
    found = judge(at, values)
    assert found.anomaly[600]
    assert found.anomaly[900]
    assert len(found.episodes) <= 4


def test_the_order_of_the_rows_does_not_matter() -> None:
    at, values = times(1000), daily(times(1000))
    values[700] = 900
    shuffled = np.random.default_rng(4).permutation(len(at))
    np.testing.assert_array_equal(judge(at[shuffled], values[shuffled]).score, judge(at, values).score[shuffled])


def test_a_step_away_from_a_constant_is_an_alarm() -> None:
    values = np.full(1000, 7.0)
    values[800:] = 9.0
    found = judge(times(1000), values)
    assert found.anomaly[800]
    assert found.episodes[0].kind == "level shift"


def test_a_spike_a_level_shift_and_a_hole_are_told_apart() -> None:
    at = times(288 * 12)
    values = 200 + np.random.default_rng(5).normal(0, 3, len(at))
    values[1500:1503] += 300
    values[2000:2012] = 0
    values[3000:] += 150
    found = {one.first: one for one in judge(at, values).episodes}
    assert {first: one.kind for first, one in found.items() if first in (1500, 2000, 3000)} == {
        1500: "spike",
        2000: "hole",
        3000: "level shift",
    }
    assert found[1500].severity == "critical"
    assert found[1500].begin == at[1500]


def test_the_kind_of_what_is_not_over_yet_is_not_told() -> None:
    at = times(1500)
    values = 200 + np.random.default_rng(6).normal(0, 3, len(at))
    values[-5:] = 0
    found = judge(at, values)
    assert found.anomaly[-5]
    assert found.episodes[-1].kind is None


def test_a_value_that_was_always_there_and_is_missing_is_an_alarm_of_a_hole() -> None:
    at = times(2000)
    values = daily(at)
    values[1500:1530] = np.nan
    found = judge(at, values)
    assert found.anomaly[1500]
    assert [one.kind for one in found.episodes if one.first == 1500] == ["hole"]
