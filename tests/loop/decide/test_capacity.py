"""Learned capacities among the policies of a turn."""

from __future__ import annotations

import dataclasses

import numpy as np
from tests.loop.capacity.plants import by_cpu
from tests.loop.decide.fleets import CAPACITY, Conducted, reasons, table

from podium.loop.decide.capacity import over
from podium.loop.decide.table import PolicyTable
from podium.model.capacity import Basis, Learned
from podium.model.decision import Reason

HOUR = 3600.0


def learning(size: int = 2, *, cpu: bool = True) -> PolicyTable:
    """Policies whose capacity nobody wrote, on CPU alone."""
    written = table(size, cpu=cpu, forecast=True)
    metrics = tuple(group for group in written.metrics if group.signal != "rps")
    return dataclasses.replace(written, capacity=np.full(size, np.nan), metrics=metrics, learning=by_cpu(size))


def learned(*used: float) -> Learned:
    """What is used of each slot; the estimate is a fifth higher."""
    size = len(used)
    estimate = 1.2 * np.array(used, np.float32)
    return Learned(
        np.arange(size, dtype=np.int32), np.array(used), estimate, 0.2 * np.array(used, np.float32),
        np.full(size, 72 * HOUR, np.float32), np.full(size, 0.71, np.float32), np.full(size, Basis.CPU, np.int8),
    )  # fmt: skip


def test_until_it_is_known_the_policy_acts_on_its_metrics_alone() -> None:
    fleet = Conducted(over(learning(), learned(np.nan, CAPACITY)), 10)
    decided = fleet.turn(100.0, 0.5, ahead=400.0)
    assert decided.replicas.tolist() == [10, 20]  # 40 in the end: it doubles in 15 seconds at most
    assert Reason.CAPACITY_UNKNOWN in reasons(decided, 0)
    assert Reason.FORECAST_RAISES not in reasons(decided, 0)
    assert Reason.CAPACITY_BY_CPU in reasons(decided, 1)
    assert Reason.FORECAST_RAISES in reasons(decided, 1)


def test_once_known_it_decides_as_one_that_was_written() -> None:
    written = Conducted(table(2, cpu=True, forecast=True), 10)
    found = Conducted(over(learning(), learned(CAPACITY, CAPACITY)), 10)
    for load, ahead in ((90, 150), (120, 100), (70, 60), (30, 30), (400, 500)):
        ours, theirs = (one.turn(float(load), 0.4, ahead=float(ahead)) for one in (found, written))
        assert ours.replicas.tolist() == theirs.replicas.tolist()


def test_who_says_what_a_replica_serves_is_left_alone() -> None:
    both = dataclasses.replace(learning(), capacity=np.array([CAPACITY, np.nan]))
    asks = by_cpu(2)
    one = dataclasses.replace(asks, slots=asks.slots[1:], position=asks.position[1:], cpu=asks.cpu[1:])
    told = learned(7.0)
    found = over(dataclasses.replace(both, learning=one), dataclasses.replace(told, slots=one.slots))
    assert found.capacity.tolist() == [CAPACITY, 7.0]
    assert [group.slots.tolist() for group in found.metrics if group.signal == "rps"] == [[1]]


def test_a_schedule_alone_gives_way_to_a_load_that_is_measured_now() -> None:
    alone = dataclasses.replace(learning(cpu=False), limits_alone=np.ones(2, np.bool_))
    found = over(alone, learned(np.nan, CAPACITY))
    assert found.limits_alone is not None
    assert found.limits_alone.tolist() == [True, False]


def test_what_was_learned_moves_no_policy_that_does_not_ask() -> None:
    plain = table(2)
    assert over(plain, learned(5.0, 5.0)) is plain
