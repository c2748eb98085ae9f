"""A circuit breaker: nothing is added while a dependency fails, and little right afterwards."""

from __future__ import annotations

import dataclasses

import numpy as np
from tests.loop.decide.fleets import PROM, Conducted, level, reasons, table

from podium.loop.decide.table import Dependencies, PolicyTable
from podium.model.decision import Decisions, Reason

FRONT, DATABASE = 0, 1
WELL, FAILING = 0.01, 0.2


def leaning(minimum: int = 1) -> PolicyTable:
    """Two workloads: the first leans on the second, whose error ratio should stay below 5 %."""
    rows = np.array([FRONT], np.int32), np.array([DATABASE], np.int32), np.array([0.05]), np.array([0], np.int16)
    return dataclasses.replace(table(2, minimum=minimum), dependencies=(Dependencies("errors", *rows),))


def turn(fleet: Conducted, load: float, errors: float, after: float = 15) -> Decisions:
    seen = level(np.array([np.nan, errors]), fleet.at + after, PROM)
    return fleet.turn(np.array([load, 30.0]), errors=seen, after=after)


def test_nothing_is_added_while_a_dependency_fails() -> None:
    fleet = Conducted(leaning(), 3)
    decided = turn(fleet, 90.0, FAILING)
    assert (decided.replicas[FRONT], Reason.DEPENDENCY_FAILS in reasons(decided)) == (3, True)
    assert turn(Conducted(leaning(), 3), 90.0, WELL).replicas[FRONT] > 3


def test_its_own_trouble_keeps_no_dependency_from_growing() -> None:
    fleet = Conducted(leaning(), 3)
    fleet.at += 15
    seen = fleet.seen(np.array([30.0, 90.0]), errors=level(np.array([np.nan, FAILING]), fleet.at, PROM))
    fleet.at -= 15
    decided = fleet.turn(np.array([30.0, 90.0]), errors=seen.signals["errors"])
    assert decided.replicas[DATABASE] > 3


def test_afterwards_it_grows_by_one_pod_a_minute_and_freely_after_five() -> None:
    fleet = Conducted(leaning(), 3)
    turn(fleet, 200.0, FAILING)
    sizes = [int(turn(fleet, 200.0, WELL).replicas[FRONT]) for _ in range(19)]
    assert sizes == [3, 3, 3] + [4] * 4 + [5] * 4 + [6] * 4 + [7] * 4
    assert turn(fleet, 200.0, WELL).replicas[FRONT] > 8


def test_a_dependency_that_fails_again_stops_it_at_once() -> None:
    fleet = Conducted(leaning(), 3)
    turn(fleet, 200.0, FAILING)
    for _ in range(5):
        turn(fleet, 200.0, WELL)
    assert [int(turn(fleet, 200.0, FAILING).replicas[FRONT]) for _ in range(10)] == [4] * 10


def test_one_that_nobody_can_see_is_not_taken_to_fail() -> None:
    fleet = Conducted(leaning(), 3)
    assert turn(fleet, 90.0, float("nan")).replicas[FRONT] > 3


def test_a_minimum_is_kept_and_less_is_followed() -> None:
    fleet = Conducted(leaning(minimum=5), 3)
    assert turn(fleet, 10.0, FAILING).replicas[FRONT] == 5
    for _ in range(30):
        decided = turn(fleet, 10.0 - fleet.at % 2, FAILING)
    assert decided.replicas[FRONT] == 5
    lower = Conducted(leaning(), 6)
    for number in range(30):
        decided = turn(lower, 10.0 - number % 2, FAILING)
    assert decided.replicas[FRONT] == 1
