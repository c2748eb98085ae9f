"""What a re-implementation of the HPA gets wrong: each case by name, with upstream's answer (Kubernetes 1.36.3)."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from tests.loop.decide.cases import (
    World,
    external,
    hpa,
    lead,
    no_forecast,
    of_object,
    per_pod,
    pod,
    pods,
    resource,
    run,
    snapshot,
    table,
    used,
)

from podium.loop.decide import metrics
from podium.loop.decide.draft import Turn
from podium.loop.decide.state import empty_state
from podium.model.arrays import UNKNOWN


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """A moment and what its only metric proposes, before any limit."""

    metric: dict[str, Any]
    world: World
    proposed: int


@dataclasses.dataclass(frozen=True, slots=True)
class Timeline:
    """Worlds by second, and what is written when; None: the size is left alone at that tick."""

    spec: dict[str, Any]
    worlds: Mapping[int, World]
    written: Mapping[int, int | None]


CPU_50 = resource("cpu", averageUtilization=50)
STARTING = pods(5, age=20, ready="False")
RATES_PER_15 = {"type": "Pods", "periodSeconds": 15}


def loads(count: int, cpu: str) -> list[dict[str, Any]]:
    """The same usage of `web-0`, `web-1`, ..."""
    return [used(f"web-{number}", cpu=cpu) for number in range(count)]


STATES = {
    # 55.9 % is cut to 55 first, and 55/50 = 1.1 is inside the tolerance.
    "percent-truncated": State(CPU_50, World(replicas=2, pods=pods(2, cpu="1"), usage=loads(2, "559m")), 2),
    # (2 * 110m + 112m) / 3 = 110.67m is cut to 110m first.
    "average-truncated": State(
        per_pod("jobs", "100m"),
        World(replicas=3, pods=pods(3), custom={"jobs": {"web-0": "110m", "web-1": "110m", "web-2": "112m"}}),
        3,
    ),
    "samples-rounded-up": State(
        resource("cpu", averageValue="1m"), World(replicas=1, pods=pods(1), usage=loads(1, "1000001n")), 2
    ),
    # The base is the pods measured and ready: ceil(.8 * 4).
    "ready-count-not-replicas": State(
        CPU_50,
        World(
            replicas=10,
            pods=[*pods(4), *(pod(f"new-{n}", age=20, ready="False") for n in range(6))],
            usage=[*loads(4, "40m"), *(used(f"new-{n}", cpu="1m") for n in range(6))],
        ),
        4,
    ),
    # Without a sample they are missing, not unready: at 100 % they block the way down.
    "unready-without-sample-is-missing": State(
        CPU_50,
        World(
            replicas=10,
            pods=[*pods(4), *(pod(f"new-{n}", age=20, ready="False") for n in range(6))],
            usage=loads(4, "40m"),
        ),
        10,
    ),
    "ready-unknown-is-ready": State(
        CPU_50, World(replicas=1, pods=pods(1, ready="Unknown"), usage=loads(1, "100m")), 2
    ),
    "ready-unknown-is-unready": State(
        external("queue", value="1"), World(replicas=3, pods=pods(3, ready="Unknown"), values={"queue": "9"}), 0
    ),
    "no-ready-pod": State(external("queue", value="1"), World(replicas=5, pods=STARTING, values={"queue": "3"}), 0),
    # AverageValue counts status.replicas, and inside the tolerance it answers them.
    "status-replicas": State(
        of_object("hits", averageValue="10"),
        World(replicas=5, status_replicas=7, pods=pods(7), values={"hits": "70"}),
        7,
    ),
    "unready-memory-counts": State(
        resource("memory", averageValue="100Mi"),
        World(
            replicas=2,
            pods=pods(2, age=20, ready="False"),
            usage=[used("web-0", memory="200Mi"), used("web-1", memory="200Mi")],
        ),
        4,
    ),
    # Exactly the initialization period (300 s) old, and unready since later than 30 s after its start.
    "init-period-is-open": State(
        CPU_50,
        World(replicas=1, pods=pods(1, age=300, ready="False", ready_for=200), usage=loads(1, "100m")),
        2,
    ),
    # The sample is exactly one window (30 s) younger than the transition.
    "window-is-closed": State(
        CPU_50,
        World(replicas=1, pods=pods(1, age=60, ready_for=40), usage=[used("web-0", at=-10, window="30s", cpu="100m")]),
        2,
    ),
    "failed-pod-needs-request": State(
        CPU_50,
        World(replicas=2, pods=[*pods(1), pod("dead", phase="Failed", cpu=None)], usage=loads(1, "100m")),
        UNKNOWN,
    ),
    # (400m + 1) / 2 = 70 % would turn the direction.
    "succeeded-pod-is-missing": State(
        CPU_50,
        World(replicas=2, pods=[*pods(1, cpu="1"), pod("done", phase="Succeeded", cpu="1")], usage=loads(1, "400m")),
        2,
    ),
    # (3 * 100m + 1) / 4 = 32 %, and ceil(32/50 * 4) is 3.
    "missing-down-at-100": State(CPU_50, World(replicas=4, pods=pods(4, cpu="1"), usage=loads(3, "100m")), 3),
    # (300m + 100m) / 2 is the target; the pod that is gone counts in the average, not in the base.
    "stranger-in-average": State(
        per_pod("jobs", "200m"),
        World(replicas=1, pods=pods(1), custom={"jobs": {"web-0": "300m", "gone": "100m"}}),
        1,
    ),
    # Without a replica the ratio is infinite: never inside the tolerance, ceil(21/10).
    "zero-status-replicas": State(
        external("queue", averageValue="10"),
        World(replicas=2, status_replicas=0, pods=pods(2), values={"queue": "21"}),
        3,
    ),
    # Upstream's int32 turns over here and reads as the minimum (-2147483648); a huge load is no reason to shrink.
    "object-overflow": State(
        of_object("hits", averageValue="1m"),
        World(replicas=2, pods=pods(2), values={"hits": "1P"}),
        2**31 - 1,
    ),
    # Beyond the table: missing pods are filled in above and below the target, and not exactly on it.
    "average-on-target-fills-nothing": State(
        per_pod("jobs", "200m"), World(replicas=2, pods=pods(2), custom={"jobs": {"web-0": "200m"}}), 2
    ),
    "value-without-a-pod-is-an-error": State(
        external("queue", value="1"), World(replicas=5, values={"queue": "9"}), UNKNOWN
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_a_metric_proposes_what_upstream_proposes(name: str) -> None:
    case = STATES[name]
    rules = table(hpa(case.metric))
    seen = snapshot(case.world, 0, case.world.replicas or 1)
    turn = Turn(seen.now, rules, seen, no_forecast(), lead(), empty_state(1))
    (group,) = rules.metrics
    answer = metrics.propose(turn, group)
    assert np.where(answer.known, answer.replicas, UNKNOWN).tolist() == [case.proposed]


def sized(replicas: int | None, asks: int, *, total: int | None = None) -> World:
    """A queue that asks for so many replicas, at ten each."""
    return World(replicas=replicas, pods=pods(total or replicas or asks), values={"queue": str(10 * asks)})


QUEUE = external("queue", averageValue="10")
NO_WAIT = {"stabilizationWindowSeconds": 0}

TIMELINES = {
    # 100 + 10 % is ceil(100 * 1.1) = ceil(110.00000000000001).
    "percent-policy-float": Timeline(
        hpa(QUEUE, behavior={"scaleUp": {"policies": [{"type": "Percent", "value": 10, "periodSeconds": 15}]}}),
        {0: sized(100, 100), 15: sized(None, 500, total=100)},
        {0: None, 15: 111},
    ),
    # Without behavior the size at the first sync still counts when it is exactly 300 s old.
    "window-closed-without-behavior": Timeline(hpa(QUEUE), {0: sized(2, 1)}, {300: None, 315: 1}),
    "window-open-with-behavior": Timeline(hpa(QUEUE, behavior={}), {0: sized(2, 1)}, {285: None, 300: 1}),
    "scale-up-window-counts-start": Timeline(
        hpa(QUEUE, behavior={"scaleUp": {"stabilizationWindowSeconds": 30}}),
        {0: sized(4, 8)},
        {0: None, 15: None, 30: 8},
    ),
    # An event exactly 15 s old no longer counts: +2 on every tick.
    "period-is-open": Timeline(
        hpa(QUEUE, behavior={"scaleUp": {"policies": [{**RATES_PER_15, "value": 2}]}}),
        {0: sized(1, 20)},
        {0: 3, 15: 5, 30: 7},
    ),
    # At 45 s the event of 0 s is overwritten: 300 s ago there were 20 - 5 replicas, and 15 - 1 are allowed.
    "events-overwritten": Timeline(
        hpa(
            QUEUE,
            behavior={
                "scaleUp": {"policies": [{**RATES_PER_15, "value": 5}]},
                "scaleDown": {**NO_WAIT, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 300}]},
            },
        ),
        {0: sized(10, 15), 30: sized(None, 20), 45: sized(None, 5)},
        {0: 15, 15: None, 30: 20, 45: 14},
    ),
    # Of the outdated ones only the last was overwritten: when the window grows, the 4 of 0 s counts again.
    "old-recommendations-stay": Timeline(
        hpa(QUEUE, behavior={"scaleDown": NO_WAIT}),
        {
            0: sized(4, 3),
            15: sized(None, 2),
            30: dataclasses.replace(
                sized(None, 1),
                spec=hpa(QUEUE, behavior={"scaleDown": {"stabilizationWindowSeconds": 300}}),
            ),
        },
        {0: 3, 15: 2, 30: None},
    ),
    # Above the maximum it returns at once: no metric, no window, no rate, not even Disabled.
    "bounds-skip-everything": Timeline(
        hpa(QUEUE, most=10, behavior={"scaleDown": {"selectPolicy": "Disabled"}}),
        {0: World(replicas=20, pods=pods(20))},
        {0: 10, 15: None},
    ),
    "zero-pauses": Timeline(hpa(QUEUE), {0: dataclasses.replace(sized(0, 5), pods=())}, {0: None, 15: None}),
    "one-broken-metric-lets-up": Timeline(hpa(QUEUE, external("lost", averageValue="1")), {0: sized(4, 8)}, {0: 8}),
    "one-broken-metric-blocks-down": Timeline(
        hpa(QUEUE, external("lost", averageValue="1")), {0: sized(4, 1)}, {315: None, 330: None}
    ),
    # Beyond the table: the first sync seeds the window even when no metric answers then.
    "start-counts-from-the-first-sync": Timeline(
        hpa(QUEUE), {0: World(replicas=2, pods=pods(2)), 240: sized(None, 1, total=2)}, {300: None, 315: 1}
    ),
}


@pytest.mark.parametrize("name", TIMELINES)
def test_a_size_is_written_when_upstream_writes_it(name: str) -> None:
    case = TIMELINES[name]
    writes = run(case.spec, case.worlds, max(case.written))
    assert {at: writes.get(at) for at in case.written} == dict(case.written)
    assert set(writes) <= {at for at, size in case.written.items() if size is not None}


def test_every_number_on_the_way_to_a_decision_is_int64_or_float64() -> None:
    case = STATES["missing-down-at-100"]
    seen, rules = snapshot(case.world, 0, 4), table(hpa(case.metric))
    answer = metrics.propose(Turn(seen.now, rules, seen, no_forecast(), lead(), empty_state(1)), rules.metrics[0])
    kinds = [getattr(answer, field.name).dtype for field in dataclasses.fields(answer)]
    assert kinds == [np.int64, np.int8, np.int64, np.int64, np.float64, np.int64, np.int64]
