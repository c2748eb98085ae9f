"""The band knows rough half hours before their first error."""

from __future__ import annotations

import numpy as np

from podium.foresight import hours
from podium.foresight.memory import Memory


def test_a_step_that_ends_on_the_half_hour_belongs_to_the_one_before() -> None:
    np.testing.assert_array_equal(hours.part(np.array([1, 6, 7, 288, 289]), 300.0), [0, 0, 1, 47, 0])


def test_a_rough_half_hour_widens_and_a_calm_one_narrows() -> None:
    memory = Memory(hours.FIELDS, 1)
    for step in range(1, 14 * 288 + 1):
        size = 4.0 if hours.part(step, 300.0) == 20 else 0.25
        hours.learn(memory, step, np.array([[size], [-size]], np.float32), np.ones((2, 1), np.float32), 300.0)
    factors = hours.factor(memory, np.array([20 * 6 + 1, 1]), 300.0)
    np.testing.assert_allclose(factors[:, 0], [2.0, 0.5], rtol=0.1)


def test_nothing_known_changes_nothing() -> None:
    memory = Memory(hours.FIELDS, 2)
    hours.learn(memory, 5, np.array([[np.nan, 1.0]], np.float32), np.array([[1.0, np.nan]], np.float32), 300.0)
    np.testing.assert_array_equal(hours.factor(memory, np.array([5]), 300.0), np.ones((1, 2)))
