"""The recent past for charts: fine for hours, coarse for days, thinned without losing a peak."""

from __future__ import annotations

import numpy as np

from podium.loop.tell.past import recent
from podium.loop.tell.past.recent import FIELDS, Recent, Ring, thin

START = 1_700_006_400.0  # a whole minute


def row(load: float, size: int = 1, **changed: float) -> tuple[np.ndarray, ...]:
    values = {"load": load, "replicas": 4.0, "ready": 3.0} | changed
    return tuple(np.full(size, values.get(name, 1.0)) for name in FIELDS)


def filled(loads: list[float], step: float = 15.0) -> Recent:
    past = Recent()
    past.adopt(1, np.empty(0, np.int64))
    for number, load in enumerate(loads):
        past.add(START + step * number, row(load))
    return past


def test_every_turn_is_there_again() -> None:
    at, columns = filled([1.0, 2.0, 3.0]).since(0, START, START + 100)
    assert (at.tolist(), columns["load"].tolist()) == ([START, START + 15, START + 30], [1.0, 2.0, 3.0])


def test_a_time_that_nobody_saw_is_an_empty_row() -> None:
    past = filled([1.0, 2.0, 3.0])
    past.add(START + 600, row(9.0))
    _, columns = past.since(0, START, START + 700)
    assert [None if np.isnan(load) else load for load in columns["load"]] == [1.0, 2.0, 3.0, None, 9.0]


def test_behind_the_fine_ring_the_lowest_and_the_highest_of_each_minute_remain() -> None:
    past = filled([5.0, 1.0, 9.0, 5.0] * 3)
    past._fine = Ring(2, len(FIELDS), 1)
    past.add(START + 180, row(7.0))
    at, columns = past.since(0, START, START + 200)
    assert (at.tolist()[:4], columns["load"].tolist()[:4]) == (
        [START, START + 30, START + 60, START + 90],
        [1, 9, 1, 9],
    )


def test_a_fleet_that_grows_keeps_its_past_and_a_slot_that_changes_hands_loses_it() -> None:
    past = filled([1.0, 2.0])
    past.adopt(3, np.empty(0, np.int64))
    past.add(START + 30, row(3.0, 3))
    assert past.since(0, START, START + 60)[1]["load"].tolist() == [1.0, 2.0, 3.0]
    past.adopt(3, np.array([0]))
    assert np.isnan(past.since(0, START, START + 60)[1]["load"]).all()


def test_memory_is_bounded_whatever_the_fleet() -> None:
    for size in (1, 1_000, 100_000):
        fine, coarse, seconds = recent._rings(size)
        assert fine.rows.nbytes + coarse.rows.nbytes <= 1.1 * (recent.FINE_BYTES + recent.COARSE_BYTES) + 100e6
        assert seconds * len(coarse.at) >= recent.COARSE_SECONDS


def test_thinning_keeps_every_peak_and_trough() -> None:
    chance = np.random.default_rng(3)
    loads = chance.normal(100, 5, 5000)
    loads[[1234, 4000]] = (900.0, 1.0)
    ready = np.full(5000, 3.0)
    ready[2500] = 0.0
    columns = {"load": loads, "ready": ready, "replicas": ready}
    kept = thin(np.arange(5000.0), columns, 300)
    assert len(kept) <= 300
    assert {1234, 4000, 2500} <= set(kept.tolist())
    assert (np.diff(kept) > 0).all()


def test_what_fits_is_not_thinned() -> None:
    assert thin(np.arange(10.0), {"load": np.ones(10), "ready": np.ones(10)}, 10).tolist() == list(range(10))
