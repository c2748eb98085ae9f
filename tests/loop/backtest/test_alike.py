"""Replicas that are all alike, counted, propose what they propose when every pod is listed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from podium.loop.backtest.alike import autoscale_by_minute, tally
from podium.loop.backtest.contender import Kind, Limits, document, no_forecast, parse, table
from podium.loop.decide import knative, metrics
from podium.loop.decide.draft import Draft, Policy, Turn
from podium.loop.decide.policies import KPA, decide
from podium.loop.decide.state import empty_state
from podium.loop.simulate import CPU, LOAD, REPLICA
from podium.model.arrays import Float64s, Int64s
from podium.model.snapshot import Level, Phase, Pods, Ready, Samples, Snapshot


def listed(now: float, load: Float64s, ordered: Int64s, ready: Int64s) -> Pods:
    """Every pod by itself: those that serve are measured, the others are Pending."""
    slot = np.repeat(np.arange(len(load)), ordered).astype(np.int32)
    rank = np.arange(len(slot)) - np.repeat(np.cumsum(ordered) - ordered, ordered)
    serves = rank < ready[slot]
    share = np.rint(np.nan_to_num(load) / np.maximum(ready, 1)).astype(np.int64)
    known = serves & ~np.isnan(load)[slot]
    zero = np.zeros(len(slot))
    return Pods(
        slot=slot,
        phase=np.where(serves, Phase.RUNNING, Phase.PENDING).astype(np.int8),
        ready=np.where(serves, Ready.TRUE, Ready.FALSE).astype(np.int8),
        deleting=zero > 0,
        start=zero,
        transition=zero,
        requests={CPU: np.full(len(slot), int(REPLICA))},
        samples={CPU: Samples(share[slot], np.where(known, now, np.nan), zero)},
    )


def turn(now: float, load: Float64s, ordered: Int64s, ready: Int64s, kind: Kind) -> Turn:
    size = len(load)
    made = [document(parse("kpa" if kind == "kpa" else f"hpa:{30 + 10 * (n % 7)}", 0.1), n, Limits(), 60.0)
            for n in range(size)]  # fmt: skip
    at, nothing = np.full(size, now), np.full(size, -1)
    snapshot = Snapshot(
        now, ("recorded", "cluster"), np.ones(2, np.bool_), ordered, ordered, nothing, nothing,
        listed(now, load, ordered, ready),
        {LOAD: Level(load, at, np.zeros(size, np.int32)), CPU: Level(load / REPLICA, at, np.ones(size, np.int32))},
    )  # fmt: skip
    return Turn(now, table(made), snapshot, no_forecast(now, size), np.zeros(size), empty_state(size))


def drawn(seed: int) -> tuple[Float64s, Int64s, Int64s]:
    rng = np.random.default_rng(seed)
    ordered = rng.integers(1, 40, 300)
    ready = np.minimum(rng.integers(1, 40, 300), ordered)
    load = np.round(rng.gamma(2.0, 6.0, 300) * REPLICA, 6)
    return load, ordered, ready


@pytest.mark.parametrize("seed", range(5))
def test_an_hpa_is_proposed_the_same_by_counted_and_by_listed_pods(seed: int) -> None:
    load, ordered, ready = drawn(seed)
    one = turn(1e9, load, ordered, ready, "hpa")
    (group,) = one.table.metrics
    by_list = metrics.propose(one, group)
    by_count = metrics.from_tally(one, group, tally(one, group, ready[group.slots]))
    assert by_count.known.all()
    for field in dataclasses.fields(by_list):
        np.testing.assert_array_equal(getattr(by_count, field.name), getattr(by_list, field.name), field.name)


def test_an_unknown_load_is_trouble_either_way() -> None:
    load, ordered, ready = np.array([np.nan]), np.array([3]), np.array([3])
    one = turn(1e9, load, ordered, ready, "hpa")
    (group,) = one.table.metrics
    assert not metrics.propose(one, group).known.any()
    assert not metrics.from_tally(one, group, tally(one, group, ready)).known.any()


def test_kpa_by_the_minute_is_kpa_by_the_second() -> None:
    by_second: tuple[Policy, ...] = KPA
    states = [empty_state(300), empty_state(300)]
    for minute in range(12):
        load, ordered, ready = drawn(minute)
        load = load * (1 + 4 * (minute % 5 == 2))  # a surge now and then
        one = turn(1e9 + 60 * minute, load, ordered, ready, "kpa")

        def by_minute(turn: Turn, draft: Draft, ready: Int64s = ready) -> Draft:
            return autoscale_by_minute(turn, draft, ready)

        answers = []
        for number, order in enumerate((by_second, (*by_second[:2], by_minute, *by_second[3:]))):
            states[number], decided = decide(
                states[number], one.snapshot, one.forecast, one.table, one.lead, order=order
            )
            answers.append(decided.replicas)
        np.testing.assert_array_equal(answers[0], answers[1], str(minute))
    assert by_second[2] is knative.autoscale
