"""Intervals over days."""

from __future__ import annotations

import numpy as np
import pytest

from podium.loop.backtest.likely import draws, likely, saved
from podium.loop.backtest.score import Score


def score(paid: list[int], unserved: list[float] | None = None) -> Score:
    """Days of a hundred replica-minutes of load."""
    days = len(paid)
    nothing = np.zeros(days, np.int64)
    return Score(
        minutes=np.full(days, 1440),
        load=np.full(days, 100.0),
        unserved=np.array(unserved or [0.0] * days),
        violations=nothing,
        paid=np.array(paid, np.int64),
        oracle=np.full(days, 50, np.int64),
        changes=nothing,
    )


def test_days_that_are_all_alike_leave_no_doubt() -> None:
    one = likely(score([120] * 8, [1.0] * 8), draws(8))
    assert one is not None
    assert (one.unserved_fraction, one.cost_ratio) == ((0.01, 0.01), (2.4, 2.4))
    assert one.replica_hours == (16.0, 16.0)


def test_one_bad_day_may_come_twice_or_not_at_all() -> None:
    one = likely(score([100] * 10, [0.0] * 9 + [5.0]), draws(10))
    assert one is not None
    low, high = one.unserved_fraction
    assert low == 0
    assert 2 * 5.0 / 1000 <= high <= 4 * 5.0 / 1000


def test_a_difference_on_the_same_days_is_surer_than_each_side() -> None:
    rough = [100, 100, 100, 100, 900, 900, 900, 900]
    taken = draws(8)
    low, high = saved(score(rough), score([paid + 60 for paid in rough]), taken) or (0.0, 0.0)
    assert (low, high) == (8.0, 8.0)
    one = likely(score(rough), taken)
    assert one is not None
    assert one.replica_hours[0] < 50
    assert one.replica_hours[1] > 80


def test_a_few_days_say_nothing_of_others() -> None:
    assert draws(3) is None
    assert likely(score([1, 2, 3]), draws(3)) is None
    assert saved(score([1]), score([2]), draws(1)) is None


@pytest.mark.parametrize("days", [4, 7, 25])
def test_every_draw_is_of_as_many_days_and_the_same_every_time(days: int) -> None:
    taken = draws(days)
    assert taken is not None
    assert taken.shape[1] == days
    assert (taken == draws(days)).all()
    assert set(np.unique(taken)) == set(range(days))


def test_without_any_load_nothing_is_unserved() -> None:
    empty = score([10] * 5)
    one = likely(Score(empty.minutes, np.zeros(5), np.zeros(5), *(np.zeros(5, np.int64),) * 4), draws(5))
    assert one is not None
    assert one.unserved_fraction == (0.0, 0.0)
