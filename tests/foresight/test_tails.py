"""The tail of a window's errors: histograms that answer any level."""

from __future__ import annotations

import numpy as np
import pytest

from podium.foresight import tails
from podium.foresight.memory import Memory


def taught(errors: np.ndarray, slots: int = 1) -> Memory:
    memory = Memory(tails.FIELDS, slots)
    for minute, error in enumerate(errors):
        scale = tails.scale(memory, minute * 60.0)
        tails.learn(memory, np.full(slots, error, np.float32), scale, minute * 60.0, 60.0)
    return memory


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99, 0.999])
def test_a_share_of_outcomes_stays_under_the_quantile_of_that_level(level: float) -> None:
    rng = np.random.default_rng(3)
    errors = rng.standard_t(3, 20_000).astype(np.float32)
    memory = taught(errors)
    fresh = rng.standard_t(3, 100_000)
    standard = tails.Tails(memory).quantile(level)[0] * tails.scale(memory, 0.0)[0]
    assert (fresh > standard).mean() == pytest.approx(1 - level, rel=0.35, abs=0.02 if level < 0.95 else 0)


def test_without_history_errors_are_taken_to_be_laplace_distributed() -> None:
    told = tails.Tails(Memory(tails.FIELDS, 1))
    assert told.quantile(0.5)[0] == pytest.approx(0, abs=0.05)
    assert told.quantile(0.95)[0] == pytest.approx(2.30, abs=0.1)  # -ln(2 x .05)
    assert told.quantile(0.99)[0] == pytest.approx(3.91, abs=0.2)


def test_every_slot_may_ask_for_a_level_of_its_own() -> None:
    told = tails.Tails(taught(np.random.default_rng(1).normal(size=3000).astype(np.float32), 3))
    levels = np.array([0.5, 0.95, 0.999])
    apart = [told.quantile(level)[number] for number, level in enumerate(levels.tolist())]
    assert told.quantile(levels).tolist() == apart == sorted(apart)


def test_a_rough_hour_widens_the_scale_at_once_and_a_calm_one_narrows_it() -> None:
    calm = np.full(3000, 0.1, np.float32)
    rough = np.full(60, 1.0, np.float32)
    quiet, after = (tails.scale(taught(errors), 0.0)[0] for errors in (calm, np.concatenate([calm, rough])))
    assert quiet == pytest.approx(0.1, rel=0.02)
    assert 2 * quiet < after < 10 * quiet


def test_unknown_outcomes_teach_nothing() -> None:
    memory = taught(np.array([0.1, -0.2, 0.3], np.float32))
    before = {name: array.copy() for name, array in memory.state("x").items()}
    tails.learn(memory, np.array([np.nan], np.float32), tails.scale(memory, 300.0), 300.0, 60.0)
    for name, array in memory.state("x").items():
        np.testing.assert_array_equal(array, before[name], name)
