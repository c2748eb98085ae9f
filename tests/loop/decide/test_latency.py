"""A bound on the response time: it raises near the bound, keeps what it needs, and lowers nothing."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.decide.fleets import PROM, Conducted, level, reasons, table

from podium.loop.decide.table import LatencyGroup, PolicyTable
from podium.model.decision import Decisions, Reason

BELOW = 0.25  # seconds; with headroom 200 ms are aimed at


def bounded(size: int = 1, **changed: object) -> PolicyTable:
    slots = np.arange(size, dtype=np.int32)
    group = LatencyGroup("latency", slots, np.full(size, BELOW))
    return dataclasses.replace(table(size), **({"latency": (group,)} | changed))  # type: ignore[arg-type]


def turn(fleet: Conducted, load: float | None, seconds: float) -> Decisions:
    return fleet.turn(load, latency=level(np.full(len(fleet.table), seconds), fleet.at + 15, PROM))


@pytest.mark.parametrize(
    ("seconds", "wanted"),
    [
        (0.100, 3),  # far from the bound: the load decides
        (0.200, 3),  # on the target of four fifths
        (0.219, 3),  # within the tolerance of 10 %
        (0.240, 4),  # 3 x 240 / 200 = 3.6
        (0.500, 6),  # 7.5, and a doubling at most in one turn
    ],
)
def test_the_nearer_the_bound_the_more_replicas(seconds: float, wanted: int) -> None:
    fleet = Conducted(bounded(), 3)
    assert turn(fleet, 30.0, seconds).replicas.tolist() == [wanted]


def test_the_load_goes_down_no_further_than_the_latency_allows() -> None:
    # Three pods serve in these fleets whatever their size: at 160 ms of 200 they need 2.4, so 3.
    fleet = Conducted(bounded(), 3)
    for number in range(25):
        decided = turn(fleet, 10.0 - number % 2, 0.160)
    assert (decided.replicas.tolist(), Reason.LATENCY_KEEPS in reasons(decided)) == ([3], True)
    for number in range(25):
        decided = turn(fleet, 10.0 - number % 2, 0.040)
    assert decided.replicas.tolist() == [1]


def test_an_unknown_latency_lowers_nothing() -> None:
    fleet = Conducted(bounded(), 3)
    for _ in range(25):
        decided = turn(fleet, 10.0, float("nan"))
    assert (decided.replicas.tolist(), Reason.LATENCY_UNKNOWN in reasons(decided)) == ([3], True)


def test_a_latency_alone_raises_and_never_lowers() -> None:
    fleet = Conducted(bounded(metrics=(), capacity=np.full(1, np.nan)), 3)
    raised = turn(fleet, None, 0.300).replicas.tolist()
    for _ in range(25):
        kept = turn(fleet, None, 0.010).replicas.tolist()
    assert (raised, kept) == ([5], [5])


def test_policies_without_a_bound_are_left_alone() -> None:
    plain, other = Conducted(table(1), 3), Conducted(bounded(latency=()), 3)
    assert turn(plain, 30.0, 9.0).replicas.tolist() == turn(other, 30.0, 9.0).replicas.tolist() == [3]
