"""Anomalies of series made here: what is found, when, and that how it is asked makes no difference."""

from __future__ import annotations

import numpy as np
import pytest

from podium.foresight.anomalies.detector import Detector
from podium.foresight.anomalies.recording import judge
from podium.model.arrays import Float64s

FIRST = 1_780_272_000.0  # a midnight


def times(rows: int, step: float = 300.0) -> Float64s:
    return FIRST + step * np.arange(rows)


def daily(at: Float64s, seed: int = 1) -> Float64s:
    """A day's rhythm between 100 and 300 with noise of 5."""
    noise = np.random.default_rng(seed).normal(0, 5, len(at))
    out: Float64s = 200 - 100 * np.cos(at * 2 * np.pi / 86400) + noise
    return out


def test_a_spike_is_told_in_its_own_row_and_forgotten_afterwards() -> None:
    at = times(2000)
    values = daily(at)
    values[1500] += 400
    found = judge(at, values)
    assert found.anomaly[1500]
    assert found.score[1500] > 0.5
    assert found.anomaly[1300:1700].sum() == 1


def test_the_same_rhythm_every_day_raises_no_alarm() -> None:
    at = times(288 * 20)
    found = judge(at, daily(at))
    assert found.anomaly.sum() <= 3
    assert len(found.episodes) <= 3


def test_a_spike_that_comes_every_day_is_no_news_in_the_second_week() -> None:
    at = times(288 * 21)
    values = daily(at)
    values[288 * 3 + 100 :: 288] += 300
    found = judge(at, values)
    assert not found.anomaly[288 * 10 :][100::288].any()
    assert found.anomaly[288 * 3 + 100]


def test_what_comes_later_changes_no_row() -> None:
    at = times(3000)
    values = daily(at)
    values[1000:1010] = 0
    values[2200] = 1e9
    whole = judge(at, values)
    for rows in (1, 63, 700, 1005, 2201):
        part = judge(at[:rows], values[:rows])
        np.testing.assert_array_equal(part.score, whole.score[:rows])
        np.testing.assert_array_equal(part.anomaly, whole.anomaly[:rows])


@pytest.mark.parametrize("step", [60.0, 300.0, 3600.0])
def test_row_by_row_and_in_pieces_the_bits_are_the_same(step: float) -> None:
    at = times(1500, step)
    values = np.stack([daily(at, seed) for seed in range(3)], axis=1)
    values[700:720, 1] = np.nan
    values[900, 0] = 5e6
    values[1200:, 2] += 150
    whole = Detector(step, 3).step(at, values)
    streaming, pieces = Detector(step, 3), Detector(step, 3)
    rows = [streaming.step(at[row : row + 1], values[row : row + 1]) for row in range(len(at))]
    parts = [pieces.step(at[row : row + 97], values[row : row + 97]) for row in range(0, len(at), 97)]
    for judged in (rows, parts):
        np.testing.assert_array_equal(np.concatenate([one.score for one in judged]), whole.score)
        np.testing.assert_array_equal(np.concatenate([one.anomaly for one in judged]), whole.anomaly)
    assert whole.anomaly[900, 0]


def test_no_slot_touches_another() -> None:
    at = times(1500)
    values = np.stack([daily(at), 1e6 * daily(at, 2), np.zeros(len(at))], axis=1)
    together = Detector(300.0, 3).step(at, values)
    for slot in range(3):
        alone = Detector(300.0, 1).step(at, values[:, slot : slot + 1])
        np.testing.assert_array_equal(alone.score[:, 0], together.score[:, slot])
        np.testing.assert_array_equal(alone.anomaly[:, 0], together.anomaly[:, slot])


def test_a_detector_goes_on_from_its_stored_state() -> None:
    at, values = times(1200), daily(times(1200))[:, None].copy()
    values[1100] = 900
    whole = Detector(300.0)
    expected = whole.step(at, values)
    first, second = Detector(300.0), Detector(300.0)
    first.step(at[:777], values[:777])
    second.restore(first.state())
    rest = second.step(at[777:], values[777:])
    np.testing.assert_array_equal(rest.score, expected.score[777:])
    for name, column in whole.state().items():
        np.testing.assert_array_equal(second.state()[name], column)


def test_a_forgotten_slot_begins_anew_and_a_grown_detector_knows_nothing_of_the_new() -> None:
    at, values = times(1000), daily(times(1000))
    detector = Detector(300.0, 1)
    detector.step(at, values[:, None])
    detector.resize(2)
    detector.forget(np.array([0]))
    later = at + 1000 * 300.0
    judged = detector.step(later, np.stack([values, values], axis=1))
    np.testing.assert_array_equal(judged.score[:, 0], judged.score[:, 1])


def test_a_higher_threshold_raises_fewer_alarms() -> None:
    at = times(5000)
    noise = np.random.default_rng(3).standard_t(2.5, len(at))
    alarms = [int(judge(at, 100 + noise, threshold).anomaly.sum()) for threshold in (1.5, 2.5, 4.0)]
    assert alarms[0] > alarms[1] > alarms[2]


def test_the_unit_of_the_values_does_not_matter() -> None:
    at = times(2000)
    values = daily(at)
    values[1500] += 400
    assert judge(at, values * 2.0**20).anomaly.tolist() == judge(at, values).anomaly.tolist()


@pytest.mark.parametrize(("step", "threshold"), [(0.0, 2.5), (float("nan"), 2.5), (60.0, 0.0), (60.0, float("nan"))])
def test_what_cannot_be_a_step_or_a_threshold_is_refused(step: float, threshold: float) -> None:
    with pytest.raises(ValueError, match="got"):
        Detector(step, 1, threshold)


def test_times_that_fall_are_refused() -> None:
    detector = Detector(300.0)
    detector.step(times(10), np.ones((10, 1)))
    with pytest.raises(ValueError, match="do not fall"):
        detector.step(np.array([FIRST - 86400.0]), np.ones((1, 1)))


def test_a_state_of_another_detector_is_refused() -> None:
    with pytest.raises(ValueError, match="missing"):
        Detector(300.0).restore({})
    with pytest.raises(ValueError, match="expected"):
        Detector(300.0).restore(Detector(3600.0).state())
