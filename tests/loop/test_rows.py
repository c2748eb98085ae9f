"""Rows for some slots alone."""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Field
from podium.loop.rows import Rows

FIELDS = {"load": Field(), "hours": Field((2,), 0.0), "seen": Field((), -1, np.int64)}


def of(*slots: int) -> np.ndarray:
    return np.array(slots, np.int64)


def filled() -> Rows:
    rows = Rows(FIELDS)
    at = rows.places(of(7, 3))
    rows.put(at, {"load": of(70, 30), "hours": np.array([[71, 31], [72, 32]])})
    return rows


def test_rows_lie_in_the_order_of_their_slots_and_new_ones_know_nothing() -> None:
    rows = filled()
    assert rows.places(of(3, 5, 7)).tolist() == [0, 1, 2]
    np.testing.assert_array_equal(rows["load"], [30, np.nan, 70])
    assert rows["hours"].tolist() == [[31, 0, 71], [32, 0, 72]]
    assert rows["seen"].tolist() == [-1, -1, -1]


def test_who_is_forgotten_begins_anew_and_the_others_keep_what_they_know() -> None:
    rows = filled()
    rows.forget(of(3, 9))
    assert (rows.slots.tolist(), rows["load"].tolist()) == ([7], [70])
    assert rows.places(of(3, 7)).tolist() == [0, 1]
    np.testing.assert_array_equal(rows["load"], [np.nan, 70])


def test_copies_change_nothing_until_they_are_put_back() -> None:
    rows = filled()
    mine = rows.copied(of(1))
    mine["hours"][...] = 5
    assert rows["hours"].tolist() == [[31, 71], [32, 72]]
    rows.put(of(1), mine)
    assert rows["hours"].tolist() == [[31, 5], [32, 5]]


def test_what_is_cleared_knows_nothing_and_the_rest_stays() -> None:
    rows = filled()
    rows.clear("hours")
    assert (rows["hours"].tolist(), rows["load"].tolist()) == ([[0, 0], [0, 0]], [30, 70])


def test_a_checkpoint_holds_all_of_it_and_an_empty_one_nothing() -> None:
    rows, again = filled(), filled()
    stored = rows.checkpoint()
    rows.put(of(0), {"load": of(1)})
    again.restore({})
    assert (len(again), again["hours"].shape) == (0, (2, 0))
    again.restore(stored)
    assert (again.slots.tolist(), again["load"].tolist(), str(again["seen"].dtype)) == ([3, 7], [30, 70], "int64")
