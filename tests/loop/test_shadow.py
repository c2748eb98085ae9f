"""The HPA beside the loop: it decides as Kubernetes' would, in a plant of its own, and both are counted alike."""

from __future__ import annotations

import dataclasses

import numpy as np
from tests.loop.decide.fleets import table

from podium.loop.decide.table import PolicyTable
from podium.loop.remember.memory import AHEAD, LEVELS
from podium.loop.shadow import LONGEST_SECONDS, Shadow
from podium.model.arrays import UNKNOWN
from podium.model.forecast import Forecast
from podium.model.snapshot import Level, Snapshot, no_pods

START = 1_700_000_000.0
CAPACITY = 10.0  # of `fleets.table`


def seen(at: float, load: float, replicas: int, size: int = 1) -> Snapshot:
    """A turn's snapshot: a load, and replicas that are there."""
    many = np.full(size, replicas, np.int64)
    nothing = np.full(size, UNKNOWN, np.int64)
    level = Level(np.full(size, load), np.full(size, at), np.zeros(size, np.int32))
    return Snapshot(at, ("prom",), np.ones(1, np.bool_), many, many, nothing, nothing, no_pods(), {"load": level})


def of_load(size: int = 1) -> PolicyTable:
    plain = table(size)
    return dataclasses.replace(plain, metrics=(), load=("load",) * size, capacity=np.full(size, CAPACITY))


class Beside:
    """A shadow driven minute by minute; new replicas serve after two minutes."""

    def __init__(self, policies: PolicyTable) -> None:
        self.shadow, self.table, self.at = Shadow(), policies, START
        self.shadow.adopt(len(policies), np.empty(0, np.int64))

    def turn(self, load: float, replicas: int, ready: int | None = None, seconds: float = 60.0) -> int:
        size = len(self.table)
        nothing = np.empty((len(LEVELS), 0, size), np.float32)
        forecast = Forecast(
            self.at, LEVELS, AHEAD[:0], nothing, np.full(size, np.nan, np.float32), np.zeros(size, bool)
        )
        serving = np.full(size, replicas if ready is None else ready, np.int64)
        self.shadow.follow(seen(self.at, load, replicas, size), serving, forecast, self.table, np.full(size, 120.0))
        self.at += seconds
        return int(self.shadow.course.replicas[0])


def test_it_begins_with_what_is_there_and_follows_the_load_at_seventy_per_cent() -> None:
    beside = Beside(of_load())
    assert [beside.turn(load, 5) for load in (35.0, 35.0, 70.0, 70.0)] == [5, 5, 10, 10]


def test_within_a_tenth_of_its_target_it_stays() -> None:
    beside = Beside(of_load())
    assert [beside.turn(load, 10) for load in (70.0, 76.0, 64.0, 78.0)] == [10, 10, 10, 12]


def test_it_goes_down_after_five_minutes_as_kubernetes_does() -> None:
    beside = Beside(of_load())
    beside.turn(70.0, 10)
    assert [beside.turn(35.0, 10) for _ in range(7)] == [10] * 5 + [5, 5]


def test_its_new_replicas_serve_after_the_lead_time_and_are_paid_at_once() -> None:
    beside = Beside(of_load())
    for load, replicas in ((35.0, 5), (100.0, 15), (100.0, 15), (100.0, 15), (100.0, 15)):
        beside.turn(load, replicas)
    tally = beside.shadow.course.tally
    # Five serve 50 of 100; it orders 10 at minute 1 (twice what there is), 15 at minute 2, which serve from 3 and 4 on.
    assert tally.hpa_unserved[0] * 60 == 50 + 50
    assert (tally.hpa_replicas[0] * 60, tally.replicas[0] * 60) == (5 + 10 + 15 + 15, 60)
    assert (tally.unserved[0], tally.load[0] * 60, tally.hours[0] * 60) == (0.0, 400.0, 4.0)


def test_what_was_there_is_judged_by_what_was_ready() -> None:
    beside = Beside(of_load())
    for ready in (5, 3, 5):
        beside.turn(50.0, 5, ready)
    assert beside.shadow.course.tally.unserved[0] * 60 == 20.0


def test_a_time_that_nobody_saw_is_not_compared() -> None:
    beside = Beside(of_load())
    beside.turn(35.0, 5, seconds=LONGEST_SECONDS + 1)
    beside.turn(35.0, 5)
    beside.turn(float("nan"), 5)
    beside.turn(35.0, 5)
    assert beside.shadow.course.tally.hours[0] * 60 == 1.0


def test_a_workload_without_a_capacity_has_no_shadow() -> None:
    beside = Beside(dataclasses.replace(of_load(), capacity=np.array([np.nan])))
    assert beside.turn(35.0, 5) == UNKNOWN
    assert not beside.shadow.course.compared.any()


def test_a_checkpoint_goes_on_where_it_was_made() -> None:
    beside, again = Beside(of_load(3)), Beside(of_load(3))
    for load in (35.0, 100.0, 100.0):
        beside.turn(load, 5)
    again.shadow.restore(beside.shadow.checkpoint(), 3)
    again.at = beside.at
    beside.turn(40.0, 6)
    again.turn(40.0, 6)
    kept, expected = again.shadow.checkpoint(), beside.shadow.checkpoint()
    assert {name: array.tolist() for name, array in kept.items() if "at" not in name} == {
        name: array.tolist() for name, array in expected.items() if "at" not in name
    }


def test_what_an_older_podium_left_has_nothing_to_compare_yet() -> None:
    beside = Beside(of_load(2))
    beside.shadow.restore({}, 2)
    assert (beside.turn(28.0, 4), beside.shadow.course.tally.hours.tolist()) == (4, [0.0, 0.0])


def test_a_slot_that_changes_hands_starts_anew() -> None:
    beside = Beside(of_load(2))
    for _ in range(3):
        beside.turn(70.0, 5)
    beside.shadow.adopt(3, np.array([1]))
    tally, replicas = beside.shadow.course.tally, beside.shadow.course.replicas
    assert (tally.hours[0] > 0, tally.hours[1:].tolist(), np.isnan(tally.since).tolist()) == (
        True,
        [0.0, 0.0],
        [False, True, True],
    )
    assert replicas.tolist() == [10, UNKNOWN, UNKNOWN]
