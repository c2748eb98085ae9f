"""Plants of our own making: replicas whose CPU and latency follow a known capacity, scaled by a plain HPA."""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from podium.loop.capacity.capacities import Capacities
from podium.loop.decide.table import Bound, Learning
from podium.model.arrays import UNKNOWN, Float64s
from podium.model.capacity import Basis, Learned
from podium.model.snapshot import Level, Phase, Pods, Ready, Samples, Snapshot

START = 1_800_000_000.0 - 1_800_000_000 % 86400
PACE = 30.0  # seconds from one turn to the next
BELOW = 0.25  # seconds of latency


@dataclasses.dataclass
class Plant:
    """m workloads, each of whose replicas uses `target` of its CPU request at a load of `capacity` [m].

    Latency is 50 ms / (1 - u) with u = 0.8 at that load: 250 ms there. The load swings by 60 % over a day.
    """

    capacity: Float64s
    seed: int = 0
    target: float = 0.7
    idle: float = 0.05
    noise: float = 0.08
    mix: float = 0.1  # how far the cost of a request wanders within hours
    scaled_at: float = 0.7  # CPU target of the HPA

    def __post_init__(self) -> None:
        size = len(self.capacity)
        self.random = np.random.default_rng(self.seed)
        self.base = self.capacity * self.random.uniform(5, 15, size)
        self.phase = self.random.uniform(0, 2 * np.pi, size)
        self.ready = np.ceil(self.base / self.capacity / self.scaled_at)
        self.wandering = np.zeros(size)
        self.asked: list[Float64s] = []
        self.now = START

    def turn(self) -> tuple[Float64s, Float64s, Float64s]:
        """(load, CPU used of the request, latency) of the next moment; then the HPA decides, once a minute."""
        self.now += PACE
        size = len(self.capacity)
        day = 2 * np.pi * self.now / 86400
        swing = 1 + 0.6 * np.sin(day + self.phase) + 0.1 * np.sin(7 * day + self.phase)
        load = self.base * swing * np.exp(self.random.normal(0, 0.03, size))
        self.wandering += -self.wandering * PACE / 3600
        self.wandering += self.random.normal(0, self.mix * math.sqrt(2 * PACE / 3600), size)
        share = load / self.ready / self.capacity * np.exp(self.wandering)
        cpu = self.idle + (self.target - self.idle) * share
        cpu = cpu * np.exp(self.random.normal(0, self.noise, size))
        latency = 0.05 / (1 - np.minimum(0.8 * share, 0.999)) * np.exp(self.random.normal(0, self.noise, size))
        seen = load, cpu, latency
        if self.now % 60 == 0:
            off = np.abs(cpu / self.scaled_at - 1) > 0.1
            self.asked = [*self.asked[-4:], np.where(off, np.ceil(self.ready * cpu / self.scaled_at), self.ready)]
            self.ready = np.maximum(np.maximum.reduce(self.asked), 1)
        return seen


def by_cpu(size: int, target: float = 0.7) -> Learning:
    """Everybody learns by the CPU."""
    return Learning(
        np.arange(size, dtype=np.int32), np.zeros(size, np.int16), np.full(size, target), (),
        np.zeros(size, np.bool_), np.full(size, Basis.CPU, np.int8),
    )  # fmt: skip


def by_latency(size: int) -> Learning:
    """Everybody learns by a latency of 250 ms."""
    bound = Bound("latency", np.arange(size), np.full(size, BELOW))
    return Learning(
        np.arange(size, dtype=np.int32), np.zeros(size, np.int16), np.full(size, np.nan), (bound,),
        np.ones(size, np.bool_), np.full(size, Basis.LATENCY, np.int8),
    )  # fmt: skip


def snapshot(
    now: float,
    ready: Float64s,
    load: Float64s,
    cpu: Float64s | None = None,
    latency: Float64s | None = None,
    starting: int = 0,
) -> Snapshot:
    """What the loop sees of it: a pod per replica, each requesting a core, and `starting` more that do not serve."""
    size = len(ready)
    count = ready.astype(np.int64)
    slot = np.repeat(np.arange(size, dtype=np.int32), count + starting)
    first = np.repeat(np.cumsum(count + starting) - count - starting, count + starting)
    serves = np.arange(len(slot)) - first < np.repeat(count, count + starting)
    used = np.zeros(len(slot)) if cpu is None else cpu[slot]
    pods = Pods(
        slot=slot,
        phase=np.full(len(slot), Phase.RUNNING, np.int8),
        ready=np.where(serves, Ready.TRUE, Ready.FALSE).astype(np.int8),
        deleting=np.zeros(len(slot), np.bool_),
        start=np.full(len(slot), START),
        transition=np.full(len(slot), START),
        requests={"cpu": np.full(len(slot), 1000, np.int64)},
        samples={}
        if cpu is None
        else {"cpu": Samples(np.rint(1000 * used).astype(np.int64), np.full(len(slot), now), np.full(len(slot), 30.0))},
    )
    nothing = np.full(size, UNKNOWN, np.int64)

    def level(value: Float64s) -> Level:
        return Level(value, np.full(size, now), np.zeros(size, np.int32))

    signals = {"load": level(load)} | ({} if latency is None else {"latency": level(latency)})
    return Snapshot(now, ("prom", "cluster"), np.ones(2, np.bool_), count, count, nothing, nothing, pods, signals)


def live(plant: Plant, capacities: Capacities, learning: Learning, hours: float) -> Learned:
    """Let `hours` pass, and what is known then."""
    for _ in range(round(hours * 3600 / PACE)):
        ready = plant.ready.copy()
        load, cpu, latency = plant.turn()
        capacities.follow(snapshot(plant.now, ready, load, cpu, latency), learning, load, ())
    return capacities.learned(learning)
