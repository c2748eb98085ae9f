"""What a cluster has room for bounds what is asked for, and a disruption budget what is taken."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.decide.fleets import START, Conducted, expected, reasons, table

from podium.model.arrays import UNKNOWN
from podium.model.decision import Decisions, Reason
from podium.model.snapshot import Room


def turn(fleet: Conducted, load: float, quota: int = UNKNOWN, budget: int = UNKNOWN, unplaced: int = 0) -> Decisions:
    fleet.at += 15
    room = Room(*(np.array([one], np.int64) for one in (quota, budget, unplaced)))
    seen = dataclasses.replace(fleet.seen(load), room=room)
    return fleet.decided(seen, expected(1, np.nan, fleet.at, trusted=False))


@pytest.mark.parametrize(
    ("room", "wanted", "why"),
    [
        ({}, 6, None),
        ({"quota": 5}, 6, None),
        ({"quota": 2}, 5, Reason.QUOTA_LIMITS),
        ({"quota": 0}, 3, Reason.QUOTA_LIMITS),
        ({"unplaced": 1}, 3, Reason.NO_NODE),
        ({"budget": 5}, 6, None),
    ],
)
def test_it_grows_as_far_as_there_is_room(room: dict[str, int], wanted: int, why: Reason | None) -> None:
    decided = turn(Conducted(table(1), 3), 60.0, **room)
    bounds = {Reason.QUOTA_LIMITS, Reason.NO_NODE, Reason.BUDGET_KEEPS} & set(reasons(decided))
    assert (decided.replicas.tolist(), bounds) == ([wanted], {why} - {None})


@pytest.mark.parametrize(("budget", "left"), [(UNKNOWN, 1), (2, 2), (4, 3)])
def test_it_shrinks_no_further_than_a_budget_allows(budget: int, left: int) -> None:
    fleet = Conducted(table(1), 3)
    for number in range(30):
        turn(fleet, 5.0 + number % 2 / 10, budget=budget, quota=0, unplaced=2)
    assert fleet.replicas.tolist() == [left]
    assert fleet.at > START
