"""Capacities learned from plants whose truth is known."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.capacity.plants import PACE, START, Plant, by_cpu, by_latency, live, snapshot

from podium.loop.capacity.capacities import MARGIN, Capacities
from podium.model.arrays import Float64s
from podium.model.capacity import Basis

TRUTH: Float64s = np.array([84.0, 3.5, 1200.0, 0.08, 40.0, 400.0, 15.0, 9.0])
SIZE = len(TRUTH)


def test_capacity_is_learned_from_cpu_and_the_lower_end_is_used() -> None:
    known = live(Plant(TRUTH), Capacities(), by_cpu(SIZE), 36)
    assert np.abs(known.estimate / TRUTH - 1).max() < 0.12
    assert (np.abs(known.estimate - TRUTH) <= 2 * known.margin).all()
    assert (known.used < 1.02 * TRUTH).all()
    assert (known.used > 0.65 * TRUTH).all()
    assert (known.basis == Basis.CPU).all()


def test_nothing_is_claimed_before_an_hour_and_then_no_more_than_was_served_well() -> None:
    capacities, learning, plant = Capacities(), by_cpu(SIZE), Plant(TRUTH)
    assert np.isnan(live(plant, capacities, learning, 0.75).used).all()
    served = np.zeros(SIZE)
    for _ in range(360):
        ready = plant.ready.copy()
        load, cpu, _ = plant.turn()
        served = np.maximum(served, load / ready)
        capacities.follow(snapshot(plant.now, ready, load, cpu), learning, load, ())
    used = capacities.learned(learning).used
    assert (used <= 1.05 * MARGIN * served).all()  # half a bin more
    assert not np.isnan(used).any()


def test_a_workload_that_was_only_seen_idling_says_nothing() -> None:
    known = live(Plant(TRUTH, scaled_at=0.15), Capacities(), by_cpu(SIZE), 24)
    assert np.isnan(known.used).all()
    assert (known.reached < 0.5).all()


def test_capacity_is_learned_from_latency_and_is_at_least_what_was_seen() -> None:
    known = live(Plant(TRUTH, scaled_at=0.62), Capacities(), by_latency(SIZE), 36)
    assert (known.basis == Basis.LATENCY).all()
    assert (known.used < 1.2 * TRUTH).all()  # in hours of cheap requests more was served well
    assert (known.used > 0.7 * TRUTH).all()


def test_a_latency_that_broke_its_bound_shows_the_knee() -> None:
    capacities, learning = Capacities(), by_latency(1)
    for minute in range(600):
        share = 0.6 + 0.8 * (minute % 40) / 40  # of what the replica serves within 250 ms
        latency = np.array([0.05 / (1 - min(0.8 * share, 0.99))])
        load = np.array([10 * 84.0 * share])
        capacities.follow(snapshot(START + 60 * minute, np.array([10.0]), load, None, latency), learning, load, ())
    known = capacities.learned(learning)
    assert (known.used[0], known.estimate[0]) == (pytest.approx(84, rel=0.12), pytest.approx(84, rel=0.12))
    assert 0 < known.margin[0] < 15
    assert known.reached[0] == 1.0


def test_a_deploy_that_halves_the_capacity_is_noticed_within_the_hour() -> None:
    capacities, learning, plant = Capacities(), by_cpu(SIZE), Plant(TRUTH)
    before = live(plant, capacities, learning, 30).used.copy()
    plant.capacity = plant.capacity / 2
    during = live(plant, capacities, learning, 1).used.copy()
    assert (during < 0.75 * before).all()
    after = live(plant, capacities, learning, 4)
    assert (after.used < 1.1 * TRUTH / 2).all()
    assert np.abs(after.estimate / (TRUTH / 2) - 1).max() < 0.2


def test_replicas_that_start_are_waited_for() -> None:
    capacities, learning = Capacities(), by_cpu(1)
    ready, load, cpu = np.array([10.0]), np.array([600.0]), np.array([0.6])
    for number in range(600):
        capacities.follow(snapshot(START + PACE * number, ready, load, cpu, starting=3), learning, load, ())
    assert capacities.learned(learning).seconds[0] == 0


def test_outliers_gaps_and_idle_hours_leave_no_trace() -> None:
    clean, spoiled, plant = Capacities(), Capacities(), Plant(TRUTH)
    learning, random = by_cpu(SIZE), np.random.default_rng(3)
    for number in range(24 * 120):
        ready = plant.ready.copy()
        load, cpu, _ = plant.turn()
        clean.follow(snapshot(plant.now, ready, load, cpu), learning, load, ())
        if number % 97 == 0:
            load = load * random.choice([1e9, 0.0, np.nan])
        if number % 83 == 0:
            cpu = cpu * 50
        spoiled.follow(snapshot(plant.now, ready, load, cpu), learning, load, ())
    pure, other = clean.learned(learning), spoiled.learned(learning)
    assert np.abs(other.used / pure.used - 1).max() < 0.15


def test_what_a_doubted_source_says_is_not_learned() -> None:
    capacities, learning = Capacities(), by_latency(1)
    ready, load, latency = np.array([10.0]), np.array([600.0]), np.array([0.1])
    for number in range(400):
        capacities.follow(snapshot(START + PACE * number, ready, load, None, latency), learning, load, (0,))
    assert capacities.learned(learning).seconds[0] == 0


def test_a_checkpoint_goes_on_bit_for_bit() -> None:
    learning, plant, whole = by_cpu(SIZE), Plant(TRUTH), Capacities()
    live(plant, whole, learning, 5.3)
    copy = Capacities()
    copy.restore(whole.checkpoint())
    for _ in range(400):
        ready = plant.ready.copy()
        load, cpu, _ = plant.turn()
        for one in (whole, copy):
            one.follow(snapshot(plant.now, ready, load, cpu), learning, load, ())
    stored, again = whole.checkpoint(), copy.checkpoint()
    assert {name: array.tobytes() for name, array in stored.items()} == {n: a.tobytes() for n, a in again.items()}
    assert sum(array.nbytes for array in stored.values()) <= 200 * SIZE


def test_who_comes_and_goes_leaves_the_others_what_they_learned() -> None:
    capacities, plant = Capacities(), Plant(TRUTH)
    everyone = by_cpu(SIZE)
    known = live(plant, capacities, everyone, 4).used.copy()
    few = [1, 4, 5]
    fewer = dataclasses.replace(
        everyone, slots=everyone.slots[few], position=everyone.position[few], cpu=everyone.cpu[few],
        bounded=everyone.bounded[few], bound_basis=everyone.bound_basis[few],
    )  # fmt: skip
    assert capacities.learned(fewer).used.tolist() == known[few].tolist()
    capacities.forget(np.array([4]))
    again = capacities.learned(by_cpu(SIZE)).used
    assert np.isnan(again[4])
    assert np.delete(again, 4).tolist() == np.delete(known, 4).tolist()


def test_a_clock_that_is_set_back_loses_a_minute() -> None:
    capacities, learning, plant = Capacities(), by_cpu(SIZE), Plant(TRUTH)
    known = live(plant, capacities, learning, 4).used.copy()
    capacities.set_back()
    plant.now -= 7200
    assert live(plant, capacities, learning, 0.1).used == pytest.approx(known, rel=0.1)


def test_nobody_who_asks_costs_nothing() -> None:
    capacities = Capacities()
    one = np.ones(1)
    capacities.follow(snapshot(START, one, one), None, one, ())
    assert len(capacities.learned(None).slots) == 0
    assert capacities.checkpoint()["rows.sums"].nbytes == 0
