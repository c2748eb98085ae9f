"""What must hold for every fleet, load and state."""

from __future__ import annotations

import copy
import dataclasses

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from tests.loop.decide.fleets import (
    PROM,
    SLOTWISE,
    Conducted,
    bits,
    expected,
    level,
    permuted,
    rules,
    table,
)

from podium.loop.decide import policies
from podium.loop.decide.state import no_events, no_recommendations
from podium.loop.decide.table import Guards
from podium.model.arrays import UNKNOWN, Float64s
from podium.model.snapshot import Snapshot

some = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(3, 8)


def loads(rng: np.random.Generator, size: int) -> Float64s:
    """Loads that need 1 to 60 replicas."""
    return np.round(rng.uniform(1, 600, size), 3)


def warmed(rng: np.random.Generator, fleet: Conducted, turns: int = 10) -> Float64s:
    """The fleet after some turns under a load that breathes a little; returns the last load."""
    base = loads(rng, len(fleet.table))
    load = base
    for _ in range(turns):
        load = base * rng.uniform(0.95, 1.05, len(base))
        fleet.turn(load, load / 1000)
    return load


def anyhow(rng: np.random.Generator, size: int) -> Float64s | None:
    """A load that may be high, low, partly unknown, or absent altogether."""
    load = loads(rng, size) * rng.choice([0.0, 0.1, 1.0, 3.0], size)
    load[rng.random(size) < 0.1] = np.nan
    return None if rng.random() < 0.1 else load


@some
@given(seeds, sizes, st.booleans())
def test_a_forecast_only_adds(seed: int, size: int, behaved: bool) -> None:
    rng = np.random.default_rng(seed)
    fleet = Conducted(table(size, behaved=behaved, forecast=True), rng.integers(1, 40, size))
    warmed(rng, fleet)
    fleet.at += 15
    seen, lead = fleet.seen(anyhow(rng, size), 0.4), np.full(size, 60.0)
    ahead = expected(size, rng.uniform(0, 900, size), fleet.at)
    without = dataclasses.replace(ahead, trusted=np.zeros(size, np.bool_))
    more = policies.decide(fleet.state, seen, ahead, fleet.table, lead)[1].replicas
    less = policies.decide(fleet.state, seen, without, fleet.table, lead)[1].replicas
    assert (more >= less).all()


@some
@given(seeds, sizes, st.booleans())
def test_a_stationary_load_is_answered_once(seed: int, size: int, behaved: bool) -> None:
    rng = np.random.default_rng(seed)
    at_once = {"up": rules(size, window=0, pods=1000), "down": rules(size, window=0, percent=100)}
    fleet = Conducted(table(size, behaved=behaved, **at_once), rng.integers(1, 40, size), order=SLOTWISE)
    load = loads(rng, size)
    for _ in range(30):  # without a behavior HPA doubles at most, and waits five minutes on the way down
        fleet.turn(load)
    settled = fleet.replicas
    needed = np.maximum(np.ceil(load / 10), 1)
    assert ((settled >= needed) & (settled <= needed / 0.9)).all()  # within the tolerance nothing goes down
    fleet.turn(load)
    assert (fleet.replicas == settled).all()


@some
@given(seeds, sizes, st.sampled_from(["rps", "cpu", "both"]))
def test_removing_a_signal_never_lowers(seed: int, size: int, gone: str) -> None:
    rng = np.random.default_rng(seed)
    fleet = Conducted(table(size, cpu=True), rng.integers(1, 40, size))
    load = warmed(rng, fleet)
    fleet.scaled_by_hand(rng.integers(1, 100, size))
    for _ in range(40):
        before = fleet.replicas
        share = rng.uniform(0.5, 1.0, size)
        fleet.turn(None if gone != "cpu" else load * share, None if gone != "rps" else 0.2 * share)
        assert (fleet.replicas >= before).all()


@some
@given(seeds, sizes, st.sampled_from([0.0, 0.1]), st.booleans())
def test_a_source_that_says_zero_or_a_tenth_never_lowers(seed: int, size: int, part: float, cpu: bool) -> None:
    rng = np.random.default_rng(seed)
    fleet = Conducted(table(size), rng.integers(1, 40, size))
    load = warmed(rng, fleet, turns=60)
    for _ in range(120):
        before = fleet.replicas
        fleet.turn(part * load * rng.uniform(0.95, 1.05, size), load / 1000 if cpu else None)
        assert (fleet.replicas >= before).all()


@some
@given(seeds, sizes, st.booleans())
def test_a_source_that_stands_still_never_lowers(seed: int, size: int, cpu: bool) -> None:
    rng = np.random.default_rng(seed)
    fleet = Conducted(table(size), rng.integers(1, 40, size))
    load = warmed(rng, fleet) * 0.8
    fleet.turn(load, load / 1000)
    for _ in range(60):
        before = fleet.replicas
        fleet.turn(load, load / 1000 * rng.uniform(0.9, 1.1, size) if cpu else None)
        assert (fleet.replicas >= before).all()


@some
@given(seeds, st.integers(3, 30), st.floats(0.01, 0.5), st.integers(1, 40))
def test_no_more_than_the_share_goes_down_in_a_window(seed: int, size: int, fraction: float, every: int) -> None:
    rng = np.random.default_rng(seed)
    guards = Guards(reduction_fraction=fraction, share=2.0)
    fleet = Conducted(table(size, behaved=True, down=rules(size, window=0, percent=100), guards=guards), 1)
    taken: list[tuple[float, int]] = []
    for _ in range(60):
        if rng.random() < 0.1:
            fleet.scaled_by_hand(rng.integers(1, 60, size))
        before = fleet.replicas
        fleet.turn(loads(rng, size), after=every)
        taken = [(at, count) for at, count in taken if fleet.at - at < 300]
        down = int(np.maximum(before - fleet.replicas, 0).sum())
        recent = sum(count for _, count in taken)
        assert down == 0 or recent + down <= max(int(fraction * (int(before.sum()) + recent)), 1)
        taken.append((fleet.at, down))


@some
@given(seeds, sizes, st.integers(1, 10), st.integers(0, 30))
def test_decisions_stay_within_limits(seed: int, size: int, minimum: int, room: int) -> None:
    """With the fleet's guard wide open: it may take its time to bring somebody down from above the maximum."""
    rng = np.random.default_rng(seed)
    maximum = minimum + room
    fleet = Conducted(table(size, minimum=minimum, maximum=maximum, forecast=True), rng.integers(1, 60, size))
    for _ in range(10):
        fleet.turn(anyhow(rng, size), 0.3, ahead=rng.uniform(0, 900, size))
        assert ((fleet.replicas >= minimum) & (fleet.replicas <= maximum)).all()


@some
@given(seeds, sizes, st.sampled_from(["up", "down", "both"]))
def test_a_paused_direction_is_not_taken(seed: int, size: int, pause: str) -> None:
    rng = np.random.default_rng(seed)
    fleet = Conducted(table(size, pause=pause, maximum=50, minimum=3), rng.integers(1, 60, size))
    for _ in range(30):
        before = fleet.replicas
        fleet.turn(anyhow(rng, size), 0.3)
        assert pause == "down" or (fleet.replicas <= before).all()
        assert pause == "up" or (fleet.replicas >= before).all()


@some
@given(seeds, sizes)
def test_the_order_of_slots_does_not_matter(seed: int, size: int) -> None:
    """As long as the guard has nothing to share out: its last replicas go to slots in turn."""
    rng = np.random.default_rng(seed)
    order: NDArray[np.int64] = rng.permutation(size)
    fleet = Conducted(table(size, cpu=True), rng.integers(1, 40, size))
    moved = Conducted(table(size, cpu=True), fleet.replicas[order])
    for _ in range(10):
        fleet.at += 15
        seen, ahead = fleet.seen(anyhow(rng, size), rng.uniform(0.1, 0.9, size)), expected(size, np.nan)
        ours = fleet.decided(seen, ahead).replicas
        assert (moved.decided(permuted(seen, order), ahead).replicas == ours[order]).all()


@some
@given(seeds, sizes)
def test_a_slot_is_decided_by_its_own_inputs(seed: int, size: int) -> None:
    """Without the two policies that look at the whole fleet: distrust of sources, and the guard on reductions."""
    rng = np.random.default_rng(seed)
    start = rng.integers(1, 40, size)
    fleet = Conducted(table(size, cpu=True, forecast=True), start, order=SLOTWISE)
    other = Conducted(table(size, cpu=True, forecast=True), start, order=SLOTWISE)
    for _ in range(10):
        load, cpu = loads(rng, size), rng.uniform(0.1, 0.9, size)
        changed, hotter = load.copy(), cpu.copy()
        changed[0], hotter[0] = rng.uniform(0, 900), rng.uniform(0, 2)
        ours, theirs = fleet.turn(load, cpu, ahead=load), other.turn(changed, hotter, ahead=changed)
        assert (ours.replicas[1:] == theirs.replicas[1:]).all()


@some
@given(seeds, sizes)
def test_deciding_changes_no_argument_and_answers_the_same_bits_again(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    fleet = Conducted(table(size, cpu=True, forecast=True), rng.integers(1, 40, size))
    warmed(rng, fleet)
    fleet.at += 15
    seen, ahead, lead = fleet.seen(anyhow(rng, size), 0.3), expected(size, 300.0, fleet.at), np.full(size, 60.0)
    arguments = (fleet.state, seen, ahead, fleet.table, lead)
    kept = copy.deepcopy(arguments)
    first, second = policies.decide(*arguments), policies.decide(*arguments)
    assert [bits(part) for part in first] == [bits(part) for part in second]
    assert [bits(part) for part in arguments[:3]] == [bits(part) for part in kept[:3]]
    assert bits(dataclasses.replace(fleet.table, metrics=())) == bits(dataclasses.replace(kept[3], metrics=()))


@some
@given(seeds)
def test_numbers_on_the_way_are_int64_and_float64(seed: int) -> None:
    """Floats of 32 bits and machine-sized integers would not recompute alike everywhere."""
    rng = np.random.default_rng(seed)
    fleet = Conducted(table(4, cpu=True, forecast=True, behaved=True), rng.integers(1, 40, 4))
    for _ in range(8):
        decisions = fleet.turn(anyhow(rng, 4), rng.uniform(0.1, 0.9, 4), ahead=rng.uniform(0, 900, 4))
    state = fleet.state
    kept = [(state.recommended.at, state.recommended.value)]
    kept += [(events.at, events.change) for events in (state.raised, state.lowered)]
    assert [(at.dtype, count.dtype) for at, count in kept] == [(np.float64, np.int64)] * 3
    assert {decisions.replicas.dtype, state.decided.dtype, state.reduced.dtype} == {np.dtype(np.int64)}
    learned = [*state.levels.values(), *state.values.values(), *state.stamps.values(), state.reduced_at]
    numbers = [decisions.reasons.a, decisions.reasons.b, decisions.reasons.c]
    assert {array.dtype for array in [*learned, *numbers]} == {np.dtype(np.float64)}


@some
@given(seeds, st.integers(1, 5))
def test_a_window_sees_every_proposal_inside_it_and_no_other(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    windows = rng.choice([0.0, 30.0, 300.0], size)
    kept, now = no_recommendations(size), 0.0
    stored: list[list[tuple[float, int]]] = [[] for _ in range(size)]
    for _ in range(60):
        now += float(rng.uniform(1, 40))
        slots, value, here = rng.random(size) < 0.7, rng.integers(-3, 100, size), rng.integers(0, 100, size)
        seen = [[n for at, n in stored[slot] if now - at < windows[slot]] for slot in range(size)]
        assert kept.highest(now, windows, here).tolist() == [max([*seen[slot], here[slot]]) for slot in range(size)]
        assert kept.lowest(now, windows, here).tolist() == [min([*seen[slot], here[slot]]) for slot in range(size)]
        kept = kept.stored(slots, value, now, 300.0)
        for slot in np.flatnonzero(slots).tolist():
            stored[slot].append((now, int(value[slot])))
    assert (now - kept.at <= 300).all()


@some
@given(seeds, st.integers(1, 5))
def test_a_period_counts_every_event_inside_it_and_no_other(seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    slots, period = rng.integers(0, size, 2 * size).astype(np.int32), rng.choice([30.0, 300.0], 2 * size)
    kept, now = no_events(), 0.0
    stored: list[tuple[float, int, int]] = []
    for _ in range(60):
        now += float(rng.uniform(1, 40))
        changed, by = rng.random(size) < 0.3, rng.integers(1, 9, size)
        kept = kept.stored(changed, by, now, np.full(size, 300.0))
        stored += [(now, slot, int(by[slot])) for slot in np.flatnonzero(changed).tolist()]
        counted = [
            sum(change for at, one, change in stored if one == slot and now - at < seconds)
            for slot, seconds in zip(slots.tolist(), period.tolist(), strict=True)
        ]
        assert kept.within(now, slots, period, size).tolist() == counted


def test_a_slot_that_was_not_observed_stays_undecided() -> None:
    fleet = Conducted(table(3), np.array([UNKNOWN, 5, 5]))
    assert fleet.turn(40.0).replicas.tolist() == [UNKNOWN, 5, 5]


def test_an_empty_fleet_decides_nothing() -> None:
    empty = Conducted(table(0), 1)
    seen: Snapshot = empty.seen(np.empty(0), np.empty(0), other=level(np.empty(0), empty.at, PROM))
    assert len(empty.decided(seen, expected(0, 0.0)).replicas) == 0
