"""To zero and back: an activation signal says whether there is work."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.decide.fleets import PROM, Conducted, level, reasons, table

from podium.loop.decide.table import Activation, PolicyTable
from podium.model.decision import Decisions, Reason

UNSEEN = float("nan")


def resting(*, forecast: bool = False) -> PolicyTable:
    """One workload that may be at zero: its queue says whether there is work, and two minutes without are enough."""
    group = Activation("queue", np.zeros(1, np.int32), np.array([5.0]), np.array([120.0]))
    return dataclasses.replace(table(1, minimum=0, forecast=forecast), activation=(group,))


def turn(fleet: Conducted, load: float, queue: float, ahead: float | None = None) -> Decisions:
    return fleet.turn(load, ahead=ahead, queue=level(np.array([queue]), fleet.at + 15, PROM))


def test_the_last_replica_goes_after_two_minutes_without_work() -> None:
    fleet = Conducted(resting(), 1)
    sizes = [int(turn(fleet, 1.0 - number % 2 / 10, 3.0).replicas[0]) for number in range(10)]
    assert sizes == [1] * 8 + [0] * 2


def test_work_in_between_begins_the_wait_anew() -> None:
    fleet = Conducted(resting(), 1)
    for number in range(7):
        turn(fleet, 1.0 - number % 2 / 10, 0.0)
    assert turn(fleet, 1.0, 9.0).replicas[0] == 1
    assert [int(turn(fleet, 1.0 - number % 2 / 10, 0.0).replicas[0]) for number in range(9)] == [1] * 8 + [0]


@pytest.mark.parametrize(("queue", "wanted", "why"), [(6.0, 1, Reason.ACTIVATED), (5.0, 0, Reason.RESTING)])
def test_it_wakes_above_the_threshold(queue: float, wanted: int, why: Reason) -> None:
    decided = turn(Conducted(resting(), 0), 0.0, queue)
    assert (decided.replicas.tolist(), why in reasons(decided)) == ([wanted], True)


def test_woken_it_is_as_large_as_its_load_asks_for() -> None:
    assert turn(Conducted(resting(), 0), 42.0, 80.0).replicas[0] == 4  # as many at once as HPA allows


def test_an_unknown_signal_takes_nothing_down_and_wakes_nobody() -> None:
    fleet = Conducted(resting(), 1)
    assert [int(turn(fleet, 0.0, UNSEEN).replicas[0]) for _ in range(20)] == [1] * 20
    assert turn(Conducted(resting(), 0), 0.0, UNSEEN).replicas[0] == 0


def test_a_forecast_wakes_it_ahead_of_the_work_and_noise_does_not() -> None:
    assert turn(Conducted(resting(forecast=True), 0), 0.0, 0.0, ahead=25.0).replicas[0] == 3
    assert turn(Conducted(resting(forecast=True), 0), 0.0, 0.0, ahead=0.05).replicas[0] == 0


def test_without_an_activation_zero_is_a_persons_word() -> None:
    decided = turn(Conducted(table(1, minimum=0), 0), 42.0, 80.0)
    assert (decided.replicas.tolist(), reasons(decided)[-1]) == ([0], Reason.SCALED_TO_ZERO)


def two(load: float, queue: float, fleet: Conducted) -> Decisions:
    seen = level(np.full(2, queue), fleet.at + 15, PROM)
    return fleet.turn(np.full(2, load), queue=seen)


def test_work_that_ends_all_at_once_accuses_no_source() -> None:
    both = dataclasses.replace(
        table(2, minimum=0),
        activation=(Activation("queue", np.arange(2, dtype=np.int32), np.full(2, 5.0), np.full(2, 120.0)),),
    )
    fleet = Conducted(both, 9)
    for number in range(40):
        two(90.0 + number % 2, 60.0, fleet)
    for number in range(10):
        two(number % 2 / 10, 0.0, fleet)
    assert fleet.replicas.tolist() == [0, 0]


def test_a_source_that_another_workload_accuses_takes_nobody_to_zero() -> None:
    one = dataclasses.replace(
        table(2, minimum=0),
        activation=(Activation("queue", np.zeros(1, np.int32), np.array([5.0]), np.array([120.0])),),
    )
    fleet = Conducted(one, 9)
    for number in range(40):
        two(90.0 + number % 2, 60.0, fleet)
    for number in range(20):
        two(number % 2 / 10, 0.0, fleet)
    assert fleet.replicas.tolist() == [10, 10]
