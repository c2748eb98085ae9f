"""The observe step's share of signals: what Prometheus answers, parsed while it arrives, joined into levels per slot.

Three signals of every workload, as one answer each, in parts of 64 kB. `parse` is the processor time from bytes to
readings, `json` the same by decoding the whole answer with Python's json module. `join` is from readings to levels.

    .venv/bin/python benchmarks/observe.py [WORKLOADS]
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from podium.clients.prometheus import PrometheusClient
from podium.clients.vectors import Arriving, Vector
from podium.model.arrays import Int64s
from podium.model.fleet import Fleet, Slot
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Phase, Pods, Ready, no_pods
from podium.signals.bound import BoundSignal
from podium.signals.observe import Observer
from podium.signals.placement import PodRows
from podium.signals.prometheus import PrometheusSource
from podium.signals.source import Reading

SIGNALS = ("requests", "latency", "errors")
NAMESPACES, TURNS, PART_BYTES = 200, 7, 65536
RESULT, SAID = Path(__file__).parent / "results" / "observe.md", list[str]()
START = 1_800_000_000.0


class Bodies(PrometheusClient):
    """The client behind its socket: whole answers, fed in parts through what decodes them."""

    def __init__(self) -> None:
        super().__init__("http://127.0.0.1:9")
        self.bodies: dict[str, bytes] = {}

    async def instant(self, query: str, at: float, parameters: Mapping[str, str] | None = None) -> Vector:  # noqa: ARG002
        arriving, body = Arriving(), self.bodies[query]
        for start in range(0, len(body), PART_BYTES):
            arriving.take(body[start : start + PART_BYTES])
        rest = arriving.rest()
        return arriving.close(rest[rest.index(b"[") : rest.rindex(b"]") + 1], ())


BOUND = [
    BoundSignal(namespace=f"tenant-{number}", name=name, source="prom", query=name, unit="per_second", cluster="local")
    for name in SIGNALS
    for number in range(NAMESPACES)
]


def body(labels: list[str], values: list[float], now: float) -> bytes:
    """An answer as Prometheus writes it."""
    rows = ",".join(
        f'{{"metric":{one},"value":[{now:.3f},"{value}"]}}' for one, value in zip(labels, values, strict=True)
    )
    return ('{"status":"success","data":{"resultType":"vector","result":[' + rows + "]}}").encode()


@dataclasses.dataclass
class Run:
    """What one way of labelling costs, in milliseconds for all signals together."""

    parse: list[float] = dataclasses.field(default_factory=list)
    peer: list[float] = dataclasses.field(default_factory=list)
    join: list[float] = dataclasses.field(default_factory=list)


def milliseconds(since: float) -> float:
    return (time.process_time() - since) * 1e3


async def measure(size: int, *, shuffled: bool) -> Run:
    names = [(f"tenant-{number % NAMESPACES}", f"service-{number}") for number in range(size)]
    fleet = Fleet(tuple(Slot(WorkloadKey("local", space, "deployment", "apps", name)) for space, name in names))
    labels = [f'{{"namespace":"{space}","deployment":"{name}"}}' for space, name in names]
    client, random = Bodies(), np.random.default_rng(7)
    observer, rows, run = Observer([PrometheusSource("prom", client)]), PodRows(no_pods(), ()), Run()
    for turn in range(TURNS):
        now = START + 15 * turn
        for name in SIGNALS:
            order = random.permutation(size) if shuffled else np.arange(size)
            client.bodies[name] = body([labels[row] for row in order.tolist()], random.gamma(2, 50, size).tolist(), now)
        await _turn(observer, fleet, rows, now, run)
        run.peer.append(_peer(client.bodies))
    await observer.close()
    return run


async def measure_pods(size: int) -> Run:
    """Series of pods, 2.5 for each workload, of which one in a hundred is another in every turn."""
    workloads = size * 2 // 5
    names = [(f"tenant-{number % NAMESPACES}", f"service-{number}") for number in range(workloads)]
    fleet = Fleet(tuple(Slot(WorkloadKey("local", space, "deployment", "apps", name)) for space, name in names))
    client, random, run = Bodies(), np.random.default_rng(7), Run()
    observer = Observer([PrometheusSource("prom", client)])
    owner, generation = np.arange(size) % workloads, np.zeros(size, np.int64)
    for turn in range(TURNS):
        now = START + 15 * turn
        generation[random.choice(size, size // 100, replace=False)] += 1
        pods = tuple(
            (names[slot][0], f"{names[slot][1]}-{row}-{age}")
            for row, (slot, age) in enumerate(zip(owner.tolist(), generation.tolist(), strict=True))
        )
        labels = [f'{{"namespace":"{space}","pod":"{pod}"}}' for space, pod in pods]
        for name in SIGNALS:
            client.bodies[name] = body(labels, random.gamma(2, 50, size).tolist(), now)
        await _turn(observer, fleet, PodRows(_running(owner, now), pods), now, run)
        run.peer.append(_peer(client.bodies))
    await observer.close()
    return run


def _running(owner: Int64s, now: float) -> Pods:
    size = len(owner)
    since = np.full(size, now - 3600)
    phase, ready = np.full(size, Phase.RUNNING, np.int8), np.full(size, Ready.TRUE, np.int8)
    return Pods(owner.astype(np.int32), phase, ready, np.zeros(size, np.bool_), since, since, {}, {})


async def _turn(observer: Observer, fleet: Fleet, rows: PodRows, now: float, run: Run) -> None:
    since = time.process_time()
    answers = await observer.ask(BOUND, now, 60)
    run.parse.append(milliseconds(since))
    since = time.process_time()
    observed = observer.join(BOUND, answers, fleet, rows, now)
    run.join.append(milliseconds(since))
    assert all(isinstance(answer, Reading) for answer in answers.values())
    assert all(np.isfinite(level.value).all() for level in observed.levels.values())


def _peer(bodies: Mapping[str, bytes]) -> float:
    since = time.process_time()
    for one in bodies.values():
        series = json.loads(one)["data"]["result"]
        np.array([float(row["value"][1]) for row in series])
    return milliseconds(since)


def rows(size: int) -> Iterator[tuple[str, Run]]:
    yield "of workloads", asyncio.run(measure(size, shuffled=False))
    yield "another order each turn", asyncio.run(measure(size, shuffled=True))
    yield "of pods, 1 % new each turn", asyncio.run(measure_pods(size))


def say(line: str) -> None:
    print(line)
    SAID.append(line)


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    say(f"{size:,} series x {len(SIGNALS)} signals, processor time in ms, median of {TURNS - 1} turns after the first")
    say(f"{'series':26} {'parse':>8} {'json':>8} {'ratio':>6} {'join':>8} {'first join':>11}")
    for name, run in rows(size):
        parse, peer, join = (statistics.median(one[1:]) for one in (run.parse, run.peer, run.join))
        say(f"{name:26} {parse:8.1f} {peer:8.1f} {peer / parse:6.1f} {join:8.1f} {run.join[0]:11.1f}")
    if len(sys.argv) == 1:
        RESULT.write_text("\n".join(["# What Prometheus answers, parsed and joined", "", "```", *SAID, "```", ""]))


if __name__ == "__main__":
    main()
