"""The plant: ordered replicas start, removed ones stop at once."""

from __future__ import annotations

import numpy as np
import pytest

from podium.loop.plant import Plant
from podium.model.arrays import UNKNOWN, Int64s
from podium.model.columns import flatten, restore


def ready_of(ordered: Int64s, startup: Int64s) -> Int64s:
    """The rule as it is written, slot by slot: the least that was ordered in [t - startup, t]."""
    return np.array(
        [
            [ordered[max(0, minute - wait) : minute + 1, slot].min() for slot, wait in enumerate(startup.tolist())]
            for minute in range(len(ordered))
        ]
    )


def test_the_worked_example_of_the_module_holds() -> None:
    plant, ready = Plant.standing(np.array([3])), []
    for minute, replicas in enumerate([3, 8, 8, 5, 9, 9]):
        plant = plant.order(minute * 60.0, np.array([replicas]), np.array([120.0]))
        ready.append(int(plant.ready(minute * 60.0)[0]))
    assert ready == [3, 3, 3, 5, 5, 5]


@pytest.mark.parametrize("seed", range(20))
def test_ready_is_the_least_that_was_ordered_within_the_startup_time(seed: int) -> None:
    rng = np.random.default_rng(seed)
    ordered = rng.integers(0, 9, (60, 7))
    startup = np.array([0, 1, 2, 3, 5, 10, 40])
    plant, ready = Plant.standing(ordered[0]), []
    for minute, replicas in enumerate(ordered):
        plant = plant.order(minute * 60.0, replicas, startup * 60.0)
        ready.append(plant.ready(minute * 60.0))
    np.testing.assert_array_equal(np.array(ready), ready_of(ordered, startup))


def test_an_empty_plant_serves_nothing_before_its_first_replicas_have_started() -> None:
    plant = Plant.empty(2).order(0.0, np.array([2, 0]), np.array([30.0, 30.0]))
    assert plant.ready(29.9).tolist() == [0, 0]
    assert plant.ready(30.0).tolist() == [2, 0]


def test_an_unknown_order_leaves_everything_as_it_was() -> None:
    plant = Plant.standing(np.array([4])).order(0.0, np.array([6]), np.array([60.0]))
    later = plant.order(30.0, np.array([UNKNOWN]), np.array([60.0]))
    assert (later.ordered.tolist(), later.ready(59.0).tolist(), later.ready(60.0).tolist()) == ([6], [4], [6])


def test_rows_of_what_has_started_do_not_pile_up() -> None:
    plant = Plant.standing(np.array([1]))
    for minute in range(1000):
        plant = plant.order(minute * 60.0, np.array([1 + minute % 50]), np.array([120.0]))
    assert len(plant.slot) <= 3


def test_a_reused_slot_knows_nothing_of_the_old_workload() -> None:
    plant = Plant.standing(np.array([4, 5])).order(0.0, np.array([9, 9]), np.array([60.0, 60.0]))
    fresh = plant.resized(3).forgotten(np.array([0]))
    assert fresh.ready(0.0).tolist() == [0, 5, 0]
    assert fresh.ready(60.0).tolist() == [0, 9, 0]


def test_it_survives_the_way_through_columns() -> None:
    plant = Plant.standing(np.array([4])).order(0.0, np.array([6]), np.array([60.0]))
    np.testing.assert_array_equal(restore(Plant, flatten(plant)).ready(60.0), [6])
