"""Scores as signals: judged as readings come, remembered bit for bit, of each slot alone."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.scenes import seen

from podium.foresight.anomalies.detector import Detector
from podium.loop.anomalies.scores import CHUNK, Scores
from podium.loop.decide.table import Scored
from podium.model.arrays import UNKNOWN, Columns, Float64s
from podium.model.snapshot import Level, Snapshot

START = 1_800_000_000.0
STEP = 60.0


def asked(*slots: int, threshold: float = 2.5) -> tuple[Scored, ...]:
    return (Scored("odd", "load", threshold, STEP, np.array(slots, np.int32)),)


def snapshot(now: float, values: Float64s) -> Snapshot:
    """Readings of `load`, taken two seconds ago."""
    level = Level(values, np.where(np.isnan(values), np.nan, now - 2), np.zeros(len(values), np.int32))
    none = np.full(len(values), UNKNOWN, np.int64)
    return dataclasses.replace(seen(now, 2, 1.0), signals={"load": level}, replicas=none)


def readings(rows: int, slots: int) -> Float64s:
    """[rows, slots] a noisy day per slot, with a leap of fivefold at row 3000 of slot 0."""
    chance, row = np.random.default_rng(5), np.arange(rows)[:, None]
    values = 100 * (2 + np.sin(row / 229.2)) * chance.lognormal(0, 0.1, (rows, slots))
    values[3000:3005, 0] *= 5
    return values


def fed(scores: Scores, rows: Float64s, first: int, rules: tuple[Scored, ...]) -> list[Level]:
    """The scores of a turn at each step."""
    return [
        scores.follow(snapshot(START + STEP * (first + number), values), rules)["odd"]
        for number, values in enumerate(rows)
    ]


def bits(columns: Columns) -> dict[str, bytes]:
    return {name: np.asarray(array).tobytes() for name, array in columns.items()}


def test_a_leap_scores_an_alarm_and_the_ordinary_does_not() -> None:
    values = readings(3100, 2)
    value = np.array([level.value for level in fed(Scores(), values, 0, asked(0, 1))])
    assert np.isnan(value[:100]).all()
    assert not np.isnan(value[100:]).any()
    assert value[3000, 0] > 0.6
    assert (value[2900:3000].max(), value[3000:, 1].max()) < (0.5, 0.5)


def test_a_score_is_the_detectors_of_the_same_rows() -> None:
    values = readings(1300, 1)
    found = np.array([level.value[0] for level in fed(Scores(), values, 0, asked(0))])
    plain = Detector(STEP).step(np.arange(START, START + STEP * 1300, STEP), values).score[:, 0]
    assert found[100:].tobytes() == plain[100:].tobytes()


def test_a_score_tells_when_its_reading_was_taken_and_has_no_source() -> None:
    level = fed(Scores(), readings(1, 3), 0, asked(1))[0]
    assert np.array_equal(level.at, [np.nan, START - 2, np.nan], equal_nan=True)
    assert level.source.tolist() == [UNKNOWN] * 3


def test_a_reading_is_judged_once_a_step_however_often_there_are_turns() -> None:
    values, often, seldom = readings(400, 2), Scores(), Scores()
    for number, row in enumerate(values):
        for later in (0, 15, 30, 45):
            turn = snapshot(START + STEP * number + later, row if later == 0 else row * 7)
            last = often.follow(turn, asked(0, 1))["odd"]
        (once,) = fed(seldom, row[None], number, asked(0, 1))
        assert last.value.tobytes() == once.value.tobytes()
    assert bits(often.checkpoint()) == bits(seldom.checkpoint())


def test_an_unknown_reading_has_no_score() -> None:
    values = readings(302, 2)
    values[300] = [np.nan, 250.0]
    levels = fed(Scores(), values, 0, asked(0, 1))
    assert [np.isnan(level.value).tolist() for level in levels[299:]] == [[False, False], [True, False], [False, False]]


def test_a_signal_that_is_not_there_has_no_score() -> None:
    nothing = dataclasses.replace(snapshot(START, np.ones(2)), signals={})
    assert np.isnan(Scores().follow(nothing, asked(0, 1))["odd"].value).all()


@pytest.mark.parametrize("stop", [3, 64, 200, 1201])
def test_what_is_stored_goes_on_bit_for_bit(stop: int) -> None:
    values, rules, ours, theirs = readings(1300, 3), asked(0, 2), Scores(), Scores()
    fed(ours, values[:stop], 0, rules)
    theirs.restore({name: array.copy() for name, array in ours.checkpoint().items()})
    left, right = (fed(one, values[stop:], stop, rules) for one in (ours, theirs))
    assert [level.value.tobytes() for level in left] == [level.value.tobytes() for level in right]
    assert bits(ours.checkpoint()) == bits(theirs.checkpoint())


def test_what_another_version_has_stored_begins_anew() -> None:
    values, ours, theirs = readings(300, 2), Scores(), Scores()
    fed(ours, values[:200], 0, asked(0, 1))
    theirs.restore({name: array for name, array in ours.checkpoint().items() if "novelty.bins" not in name})
    level = fed(theirs, values[200:], 200, asked(0, 1))
    assert (np.isnan(level[98].value).all(), np.isnan(level[99].value).any()) == (True, True)
    assert not np.isnan(fed(theirs, readings(400, 2)[300:], 300, asked(0, 1))[-1].value).any()


def test_a_slot_scores_the_same_whoever_comes_and_goes_beside_it() -> None:
    values, alone, among = readings(600, 3), Scores(), Scores()
    single = [level.value[1] for level in fed(alone, values, 0, asked(1))]
    several = [level.value[1] for level in fed(among, values[:200], 0, asked(0, 1))]
    several += [level.value[1] for level in fed(among, values[200:400], 200, asked(1, 2))]
    several += [level.value[1] for level in fed(among, values[400:], 400, asked(1))]
    assert np.array(several).tobytes() == np.array(single).tobytes()


def test_a_slot_that_changed_hands_knows_nothing() -> None:
    values, scores = readings(400, 2), Scores()
    fed(scores, values[:300], 0, asked(0, 1))
    scores.forget(np.array([0]))
    level = fed(scores, values[300:], 300, asked(0, 1))[-1]
    assert np.isnan(level.value).tolist() == [True, False]


def test_another_threshold_keeps_what_was_learned_and_scores_by_its_own() -> None:
    values, scores = readings(1300, 1), Scores()
    fed(scores, values[:1200], 0, asked(0))
    quiet, same = Scores(), Scores()
    for one in (quiet, same):
        one.restore(scores.checkpoint())
    quieter = [level.value[0] for level in fed(quiet, values[1200:], 1200, asked(0, threshold=5.0))]
    usual = [level.value[0] for level in fed(same, values[1200:], 1200, asked(0))]
    assert not np.isnan(quieter).any()
    assert 0 < max(quieter) < max(usual)


def test_a_large_fleet_is_judged_in_chunks_that_settle_at_different_turns() -> None:
    size = CHUNK + 40
    scores, values = Scores(), readings(300, size)
    value = np.array([level.value for level in fed(scores, values, 0, asked(*range(size)))])
    assert not np.isnan(value[100:]).any()
    clocks = [array.tolist()[0] for name, array in scores.checkpoint().items() if name.endswith("anomalies.clock")]
    assert [clock % 64 for clock in clocks] == [300 % 64, 323 % 64]


def set_back(by: float) -> Float64s:
    """[300] scores after five hours, when the clock was set back."""
    values, scores = readings(600, 1), Scores()
    fed(scores, values[:300], 0, asked(0))
    turns = (snapshot(START + STEP * number - by, row) for number, row in enumerate(values[300:], 300))
    return np.array([scores.follow(turn, asked(0))["odd"].value[0] for turn in turns])


@pytest.mark.parametrize("by", [30.0, 500.0, 3600.0, 86_400.0])
def test_after_a_clock_was_set_back_readings_are_judged_on(by: float) -> None:
    assert not np.isnan(set_back(by)).any()


def test_a_clock_that_was_days_ahead_changes_no_score() -> None:
    assert set_back(40 * 86_400.0).tobytes() == set_back(0.0).tobytes()
