"""What a re-implementation of the HPA gets wrong: each case by name, with upstream's answer (Kubernetes 1.36.3)."""

from __future__ import annotations

from typing import Any

import pytest
from tests.loop.evaluate.worlds import (
    Object,
    answer,
    external,
    line,
    loads,
    of_object,
    of_pods,
    of_service,
    per_pod,
    pod,
    pods,
    resource,
    series,
    spec,
    used,
)

CPU_50 = resource("cpu", averageUtilization=50)
STARTING = pods(5, age=20, ready="False")


def state(metric: Object, replicas: int, *, status: int | None = None, **world: Any) -> Object:
    """A line without ticks; `used`, `custom` and `external` are what the metrics APIs know."""
    metrics = {"pods": world.pop("used", []), "custom": world.pop("custom", []), "external": world.pop("external", [])}
    existing = {} if status is None else {"statusReplicas": status}
    return line(spec(metric), replicas=replicas, metrics=metrics, **existing, **world)


def new(count: int, cpu: str | None = None) -> tuple[list[Object], list[Object]]:
    """Pods that started 20 s ago and are not ready, and their samples, if they have any."""
    names = [f"new-{number}" for number in range(count)]
    return [pod(name, age=20, ready="False") for name in names], [used(name, cpu=cpu) for name in names if cpu]


MISMATCH = {"type": "Utilization", "averageValue": "10"}

STATES: dict[str, tuple[Object, int | str]] = {
    # 55.9 % is cut to 55 first, and 55/50 = 1.1 is inside the tolerance.
    "percent-truncated": (state(CPU_50, 2, pods=pods(2, cpu="1"), used=loads(2, cpu="559m")), 2),
    # (2 * 110m + 112m) / 3 = 110.67m is cut to 110m first.
    "average-truncated": (
        state(
            per_pod("jobs", "100m"),
            3,
            pods=pods(3),
            custom=of_pods("jobs", {"web-0": "110m", "web-1": "110m", "web-2": "112m"}),
        ),
        3,
    ),
    "samples-rounded-up": (
        state(resource("cpu", averageValue="1m"), 1, pods=pods(1), used=loads(1, cpu="1000001n")),
        2,
    ),
    # The base is the pods measured and ready: ceil(.8 * 4).
    "ready-count-not-replicas": (
        state(CPU_50, 10, pods=pods(4) + new(6)[0], used=loads(4, cpu="40m") + new(6, "1m")[1]),
        4,
    ),
    # Without a sample they are missing, not unready: at 100 % they block the way down.
    "unready-without-sample-is-missing": (
        state(CPU_50, 10, pods=pods(4) + new(6)[0], used=loads(4, cpu="40m")),
        10,
    ),
    "ready-unknown-is-ready": (state(CPU_50, 1, pods=pods(1, ready="Unknown"), used=loads(1, cpu="100m")), 2),
    "ready-unknown-is-unready": (
        state(external("queue", value="1"), 3, pods=pods(3, ready="Unknown"), external=series("queue", "9")),
        0,
    ),
    "no-ready-pod": (state(external("queue", value="1"), 5, pods=STARTING, external=series("queue", "3")), 0),
    # AverageValue counts status.replicas, and inside the tolerance it answers them.
    "status-replicas": (
        state(of_object("hits", averageValue="10"), 5, status=7, pods=pods(7), custom=of_service("hits", "70")),
        7,
    ),
    "unready-memory-counts": (
        state(
            resource("memory", averageValue="100Mi"),
            2,
            pods=pods(2, age=20, ready="False"),
            used=loads(2, memory="200Mi"),
        ),
        4,
    ),
    # Exactly the initialization period (300 s) old, and unready since later than 30 s after its start.
    "init-period-is-open": (
        state(CPU_50, 1, pods=pods(1, age=300, ready="False", ready_for=200), used=loads(1, cpu="100m")),
        2,
    ),
    # The sample is exactly one window (30 s) younger than the transition.
    "window-is-closed": (
        state(CPU_50, 1, pods=pods(1, age=60, ready_for=40), used=[used("web-0", at=-10, cpu="100m")]),
        2,
    ),
    "failed-pod-needs-request": (
        state(CPU_50, 2, pods=[*pods(1), pod("dead", phase="Failed", cpu=None)], used=loads(1, cpu="100m")),
        "missing request for cpu in container app of Pod dead",
    ),
    # (400m + 1) / 2 = 70 % would turn the direction.
    "succeeded-pod-is-missing": (
        state(
            CPU_50,
            2,
            pods=[*pods(1, cpu="1"), pod("done", phase="Succeeded", cpu="1")],
            used=loads(1, cpu="400m"),
        ),
        2,
    ),
    # (3 * 100m + 1) / 4 = 32 %, and ceil(32/50 * 4) is 3.
    "missing-down-at-100": (state(CPU_50, 4, pods=pods(4, cpu="1"), used=loads(3, cpu="100m")), 3),
    # (300m + 100m) / 2 is the target; the pod that is gone counts in the average, not in the base.
    "stranger-in-average": (
        state(per_pod("jobs", "200m"), 1, pods=pods(1), custom=of_pods("jobs", {"web-0": "300m", "gone": "100m"})),
        1,
    ),
    "selector-absent-matches-all": (
        state(
            external("queue", averageValue="10"),
            1,
            pods=pods(1),
            external=series("queue", "10", shard="a") + series("queue", "20", shard="b"),
        ),
        3,
    ),
    # Of a resource the type is not read: averageValue wins, then averageUtilization.
    "target-type-ignored": (
        state(resource("cpu", averageUtilization=50, type="Value"), 1, pods=pods(1), used=loads(1, cpu="100m")),
        2,
    ),
    "target-type-binds-objects": (
        state(of_object("hits", averageValue="10", type="Value"), 1, pods=pods(1), custom=of_service("hits", "70")),
        "invalid object metric source: neither a value target nor an average value target was set",
    ),
    # Without a replica the ratio is infinite: never inside the tolerance, ceil(21/10).
    "zero-status-replicas": (
        state(external("queue", averageValue="10"), 2, status=0, pods=pods(2), external=series("queue", "21")),
        3,
    ),
    # Upstream's int32 turns over and reads as the minimum; the live loop holds it at the largest (Reactive.wraps).
    "object-overflow": (
        state(of_object("hits", averageValue="1m"), 2, pods=pods(2), custom=of_service("hits", "1P")),
        -(2**31),
    ),
    # Beyond the table: missing pods are filled in above and below the target, and not exactly on it.
    "average-on-target-fills-nothing": (
        state(per_pod("jobs", "200m"), 2, pods=pods(2), custom=of_pods("jobs", {"web-0": "200m"})),
        2,
    ),
    "value-without-a-pod-is-an-error": (
        state(external("queue", value="1"), 5, external=series("queue", "9")),
        "unable to calculate ready pods: no pods returned by selector while calculating replica count",
    ),
}


@pytest.mark.parametrize("name", STATES)
def test_a_metric_proposes_what_upstream_proposes(name: str) -> None:
    case, expected = STATES[name]
    (metric,) = answer(case)["metrics"]
    assert metric.get("error", metric["replicas"]) == expected


def sized(replicas: int | None, asks: int, *, total: int | None = None) -> Object:
    """A tick in which a queue asks for so many replicas, at ten each."""
    forced = {} if replicas is None else {"replicas": replicas}
    return forced | {"pods": pods(total or replicas or asks), "metrics": {"external": series("queue", str(10 * asks))}}


QUEUE = external("queue", averageValue="10")
LOST = external("lost", averageValue="1")
NO_WAIT = {"stabilizationWindowSeconds": 0}
PODS_PER_15 = {"type": "Pods", "periodSeconds": 15}
ZERO_GATE = {"featureGates": {"HPAScaleToZero": True}}

TIMELINES: dict[str, tuple[Object, dict[int, Object], dict[int, int | None]]] = {
    # 100 + 10 % is ceil(100 * 1.1) = ceil(110.00000000000001).
    "percent-policy-float": (
        line(spec(QUEUE, behavior={"scaleUp": {"policies": [{"type": "Percent", "value": 10, "periodSeconds": 15}]}})),
        {0: sized(100, 100), 15: sized(None, 500, total=100)},
        {0: None, 15: 111},
    ),
    # Without behavior the size at the first sync still counts when it is exactly 300 s old.
    "window-closed-without-behavior": (line(spec(QUEUE)), {0: sized(2, 1)}, {300: None, 315: 1}),
    "window-open-with-behavior": (line(spec(QUEUE, behavior={})), {0: sized(2, 1)}, {285: None, 300: 1}),
    "scale-up-window-counts-start": (
        line(spec(QUEUE, behavior={"scaleUp": {"stabilizationWindowSeconds": 30}})),
        {0: sized(4, 8)},
        {0: None, 15: None, 30: 8},
    ),
    # An event exactly 15 s old no longer counts: +2 on every tick.
    "period-is-open": (
        line(spec(QUEUE, behavior={"scaleUp": {"policies": [{**PODS_PER_15, "value": 2}]}})),
        {0: sized(1, 20)},
        {0: 3, 15: 5, 30: 7},
    ),
    # At 45 s the event of 0 s is overwritten: 300 s ago there were 20 - 5 replicas, and 15 - 1 are allowed.
    "events-overwritten": (
        line(
            spec(
                QUEUE,
                behavior={
                    "scaleUp": {"policies": [{**PODS_PER_15, "value": 5}]},
                    "scaleDown": {**NO_WAIT, "policies": [{"type": "Pods", "value": 1, "periodSeconds": 300}]},
                },
            )
        ),
        {0: sized(10, 15), 30: sized(None, 20), 45: sized(None, 5)},
        {0: 15, 15: None, 30: 20, 45: 14},
    ),
    # Of the outdated ones only the last was overwritten: when the window grows, the 4 of 0 s counts again.
    "old-recommendations-stay": (
        line(spec(QUEUE, behavior={"scaleDown": NO_WAIT})),
        {
            0: sized(4, 3),
            15: sized(None, 2),
            30: sized(None, 1)
            | {"spec": spec(QUEUE, behavior={"scaleDown": {"stabilizationWindowSeconds": 300}})},
        },
        {0: 3, 15: 2, 30: None},
    ),
    # 900 % of nothing is nothing: with per cents alone, zero is never left.
    "percent-from-zero": (
        line(
            spec(
                QUEUE,
                least=0,
                behavior={
                    "scaleDown": NO_WAIT,
                    "scaleUp": {"policies": [{"type": "Percent", "value": 900, "periodSeconds": 15}]},
                },
            ),
            **ZERO_GATE,
        ),
        {0: sized(1, 0, total=1), 15: sized(None, 5), 30: {}},
        {0: 0, 15: None, 30: None},
    ),
    # Above the maximum it returns at once: no metric, no window, no rate, not even Disabled.
    "bounds-skip-everything": (
        line(spec(QUEUE, most=10, behavior={"scaleDown": {"selectPolicy": "Disabled"}})),
        {0: {"replicas": 20, "pods": pods(20)}},
        {0: 10, 15: None},
    ),
    # ScaledToZero=True outlives a manual scale: what a person means as a pause is scaled up again.
    "pause-undone-by-scaled-to-zero": (
        line(spec(QUEUE, least=0, behavior={"scaleDown": NO_WAIT}), **ZERO_GATE),
        {0: sized(1, 0, total=1), 15: sized(2, 2), 30: sized(0, 3)},
        {0: 0, 15: None, 30: 3},
    ),
    # Scaled to zero, and then asked to follow cpu: there is no pod to measure.
    "raised-minimum-needs-pods": (
        line(spec(QUEUE, least=0, behavior={"scaleDown": NO_WAIT}), **ZERO_GATE),
        {0: sized(1, 0, total=1), 15: {"pods": [], "spec": spec(CPU_50, least=1)}, 30: {}},
        {0: 0, 15: None, 30: None},
    ),
    "zero-pauses": (line(spec(QUEUE)), {0: sized(0, 5) | {"pods": []}}, {0: None, 15: None}),
    "one-broken-metric-lets-up": (line(spec(QUEUE, LOST)), {0: sized(4, 8)}, {0: 8}),
    "one-broken-metric-blocks-down": (line(spec(QUEUE, LOST)), {0: sized(4, 1)}, {315: None, 330: None}),
    # Beyond the table: the first sync seeds the window even when no metric answers then.
    "start-counts-from-the-first-sync": (
        line(spec(QUEUE)),
        {0: {"replicas": 2, "pods": pods(2)}, 240: sized(None, 1, total=2)},
        {300: None, 315: 1},
    ),
    # A behaviour that comes later knows nothing of what was added before it came.
    "events-need-a-behavior": (
        line(spec(QUEUE)),
        {0: sized(2, 4), 15: sized(None, 9) | {"spec": spec(QUEUE, behavior={"scaleUp": {"policies": [
            {"type": "Pods", "value": 3, "periodSeconds": 300}]}})}},
        {0: 4, 15: 7},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TIMELINES)
def test_a_size_is_written_when_upstream_writes_it(name: str) -> None:
    case, worlds, expected = TIMELINES[name]
    ticks = [{"at": at} | worlds.get(at, {}) for at in sorted({*worlds, *expected})]
    reconciled = answer(case | {"ticks": ticks})["ticks"]
    writes = {tick["at"]: tick["wrote"] for tick in reconciled if "wrote" in tick}
    assert {at: writes.get(at) for at in expected} == expected
    assert set(writes) <= {at for at, size in expected.items() if size is not None}
