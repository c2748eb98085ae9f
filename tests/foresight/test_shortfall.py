"""The level that keeps the promise of how much load stays unserved."""

from __future__ import annotations

import numpy as np
import pytest

from podium.foresight import shortfall
from podium.foresight.memory import Memory

DAYS = 20
LONGEST = 30


def controlled(risk: float, *, spread: float = 0.2, tail: float = 1.0, days: int = DAYS) -> tuple[float, float]:
    """(the realised share, the level at the end) of a noisy load whose floor is its true quantile at the told level."""
    rng = np.random.default_rng(7)
    memory = Memory(shortfall.fields(LONGEST), 1)
    asked, steps, capacity = np.array([risk]), np.array([[2]]), np.array([0.04])
    level = np.array([np.nan])
    for minute in range(days * 1440):
        load = np.array([np.exp(spread * tail * rng.standard_normal())], np.float32)
        shortfall.follow(memory, minute, steps, load, asked, 60.0)
        level = shortfall.level(memory, asked)
        floor = np.exp(spread * _normal_quantile(level)).astype(np.float32)
        shortfall.order(memory, minute, shortfall.bounded(memory, floor), capacity)
    return float(shortfall.realised(memory)[0]), float(level[0])


def _normal_quantile(level: np.ndarray) -> np.ndarray:
    """Of a standard normal, to a thousandth (Tukey's lambda)."""
    return (level**0.1349 - (1 - level) ** 0.1349) / 0.1975


@pytest.mark.parametrize("risk", [0.0003, 0.001, 0.01, 0.08])
def test_the_realised_share_comes_to_more_than_half_of_the_asked_one(risk: float) -> None:
    realised, _ = controlled(risk)
    assert risk / 3 < realised < risk


def test_who_asks_for_little_gets_a_floor_below_the_median() -> None:
    realised, level = controlled(0.16)
    assert level < 0.5
    assert 0.08 < realised < 0.16


@pytest.mark.slow
def test_a_forecast_that_is_too_narrow_is_made_up_for_by_a_higher_level() -> None:
    honest, narrow = (controlled(0.003, tail=tail) for tail in (1.0, 1.3))
    assert narrow[1] > honest[1]
    assert narrow[0] < 0.003


def test_no_level_goes_beyond_half_of_the_asked_share_of_minutes() -> None:
    memory = Memory(shortfall.fields(LONGEST), 1)
    risk, steps = np.array([0.001]), np.array([[2]])
    for minute in range(3 * 1440):
        load = np.array([100.0 if minute % 50 == 0 else 1.0], np.float32)
        shortfall.follow(memory, minute, steps, load, risk, 60.0)
        shortfall.level(memory, risk)
        shortfall.order(memory, minute, np.ones(1, np.float32), np.array([1.0]))
    assert shortfall.level(memory, risk).tolist() == [pytest.approx(0.9995, abs=1e-4)]
    assert shortfall.realised(memory)[0] > 0.5


def test_more_than_half_as_much_again_as_was_ever_seen_is_not_prepared_for() -> None:
    memory = Memory(shortfall.fields(LONGEST), 1)
    shortfall.follow(memory, 0, np.array([[2]]), np.array([40.0], np.float32), np.array([0.001]), 60.0)
    assert shortfall.bounded(memory, np.array([1e6], np.float32)).tolist() == pytest.approx([60.0])


def test_whole_replicas_are_ordered_and_small_falls_are_not() -> None:
    memory = Memory(shortfall.fields(LONGEST), 2)
    capacity = np.array([4.0, 4.0])
    shortfall.order(memory, 5, np.array([31.0, 390.0], np.float32), capacity)
    shortfall.order(memory, 6, np.array([3.0, 381.0], np.float32), capacity)
    assert memory["orders"][5:7].tolist() == [[32.0, 392.0], [4.0, 392.0]]


def test_where_nobody_asks_for_a_share_there_is_no_level_and_what_was_learned_stays() -> None:
    memory = Memory(shortfall.fields(LONGEST), 1)
    assert shortfall.level(memory, np.array([0.001])).tolist() == [pytest.approx(0.99)]
    shortfall.follow(memory, 1, np.array([[2]]), np.array([5.0], np.float32), np.array([np.nan]), 60.0)
    assert np.isnan(shortfall.level(memory, np.array([np.nan]))).all()
    assert shortfall.level(memory, np.array([0.001])).tolist() == [pytest.approx(0.99)]


def test_what_is_not_served_is_expected_over_equally_likely_starts() -> None:
    memory = Memory(shortfall.fields(LONGEST), 2)
    capacity = np.array([1.0, 1.0])
    for minute, replicas in enumerate([1.0, 1.0, 3.0, 5.0]):
        shortfall.order(memory, minute, np.full(2, replicas, np.float32), capacity)
    starts = np.array([[1, 3]] * 3 + [[3, 3]])  # three of four take a minute; of the other workload, all take three
    shortfall.follow(memory, 4, starts, np.full(2, 5.0, np.float32), np.full(2, 0.001), 60.0)
    assert memory["missed"].tolist() == [pytest.approx(1.0), pytest.approx(4.0)]


def test_a_start_that_nobody_knows_leaves_nothing_known_unserved() -> None:
    memory = Memory(shortfall.fields(LONGEST), 1)
    shortfall.order(memory, 0, np.ones(1, np.float32), np.ones(1))
    shortfall.follow(memory, 1, np.array([[1], [0]]), np.full(1, 5.0, np.float32), np.array([0.001]), 60.0)
    assert np.isnan(shortfall.realised(memory)).all()
