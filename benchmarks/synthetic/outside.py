"""What lies outside of the loop, in memory: a cluster and a source whose answers were prepared before they are asked.

They stand for the network, whose own time is measured elsewhere: what is timed begins with arrays in hand. The
cluster does what it is told; a new pod runs a turn after it was asked for and serves two turns after.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from podium.loop.clusters.port import Observation
from podium.model.arrays import Float64s, Int64s
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Phase, Pods, Ready, Samples
from podium.signals.source import Reading, Subject
from synthetic.fleet import CAPACITY, CLUSTER, LOAD, QUEUE, SOURCE, name_of

DAY_SECONDS = 86_400.0
CORES = 0.5  # that a pod requests
BYTES = 512 * 2**20
CORES_PER_LOAD = 0.6 * CORES / CAPACITY  # 60 % of the request at capacity: the load decides, cpu follows
POOL = 16  # turns after which the noise repeats


class Outside:
    """The truth: loads that follow the day, each workload's at its own hour, and the pods that serve them."""

    def __init__(self, count: int, at: float, seed: int = 1) -> None:
        self.count = count
        self.at = at
        chance = np.random.default_rng(seed)
        self._base = chance.lognormal(np.log(2.5 * CAPACITY), 0.4, count)
        self._phase = chance.uniform(0, DAY_SECONDS, count)
        self._noise = 1 + 0.03 * chance.standard_normal((POOL, count))
        self._pod_noise = 1 + 0.05 * chance.standard_normal(1 << 20)
        self._turn = 0
        self.replicas = np.maximum(np.ceil(self.loads() / CAPACITY), 1).astype(np.int64)
        self._ready = self.replicas.copy()
        self._versions = np.full(count, 1000, np.int64)
        self._texts = ["1000"] * count
        self._names = [[(space, f"{name}-{pod}") for pod in range(8)] for space, name in map(name_of, range(count))]
        self._changed: set[int] = set()
        self._listed: tuple[tuple[str, str], ...] = ()
        self._subjects = tuple(Subject(*_named(number)) for number in range(count))
        self.prepare(at, everything=True)

    def loads(self) -> Float64s:
        """[n] requests/s now."""
        wave = 1 + 0.5 * np.sin(2 * np.pi * (self.at - self._phase) / DAY_SECONDS)
        loads: Float64s = self._base * wave * self._noise[self._turn % POOL]
        return loads

    def prepare(self, at: float, *, everything: bool = False) -> None:
        """Let time pass until `at`, and lay out what will be answered then."""
        self.at, self._turn = at, self._turn + 1
        serving = np.minimum(self._ready, self.replicas)
        self._ready = self.replicas.copy()
        loads = self.loads()
        for slot in self._changed:
            self._texts[slot] = str(self._versions[slot])
        if self._changed or everything:
            self._listed = tuple(itertools.chain.from_iterable(map(self._names_of, range(self.count))))
        self._changed.clear()
        self.observation = self._observe(serving, loads)
        stamps = np.full(self.count, at - 5.0)
        queue = np.round(10 * loads / CAPACITY * self._noise[(self._turn + 3) % POOL])
        self.readings = {
            LOAD: Reading(self._subjects, loads, stamps),
            QUEUE: Reading(self._subjects, queue, stamps),
        }

    def scaled(self, command: Scale) -> str:
        """Carry out a write."""
        slot = command.slot
        self.replicas[slot] = command.replicas
        self._versions[slot] += 1
        self._changed.add(slot)
        return str(self._versions[slot])

    def _names_of(self, number: int) -> list[tuple[str, str]]:
        names, count = self._names[number], int(self.replicas[number])
        while len(names) < count:
            space, name = name_of(number)
            names.append((space, f"{name}-{len(names)}"))
        return names[:count]

    def _observe(self, serving: Int64s, loads: Float64s) -> Observation:
        slot = np.repeat(np.arange(self.count, dtype=np.int32), self.replicas)
        ordinal = np.arange(len(slot)) - np.repeat(np.cumsum(self.replicas) - self.replicas, self.replicas)
        serves = ordinal < serving[slot]
        began = np.floor(self.at - 3600.0 - ordinal * 60.0)
        share = np.where(serves, (loads / np.maximum(serving, 1))[slot], 0.0)
        noise = np.resize(np.roll(self._pod_noise, 7919 * self._turn), len(slot))
        sampled = np.where(serves, self.at - 15.0, np.nan)
        window = np.full(len(slot), 15.0)

        def samples(value: Float64s) -> Samples:
            return Samples(np.round(1000 * value).astype(np.int64), sampled, window)

        pods = Pods(
            slot=slot,
            phase=np.where(serves, Phase.RUNNING, Phase.PENDING).astype(np.int8),
            ready=np.where(serves, Ready.TRUE, Ready.FALSE).astype(np.int8),
            deleting=np.zeros(len(slot), np.bool_),
            start=began,
            transition=began + 20.0,
            requests={
                "cpu": np.full(len(slot), round(1000 * CORES)),
                "memory": np.full(len(slot), 1000 * BYTES),
            },
            samples={
                "cpu": samples(np.round(0.005 + share * CORES_PER_LOAD * noise, 3)),
                "memory": samples(np.round(BYTES / 4 + share * 2**20)),
            },
        )
        return Observation(
            replicas=self.replicas.copy(),
            status_replicas=self.replicas.copy(),
            ready=serving,
            resource_versions=tuple(self._texts),
            epochs=np.ones(self.count, np.int64),
            pods=pods,
            pod_names=self._listed,
            troubles={},
        )


class MemoryCluster:
    """The cluster port over the outside."""

    name = CLUSTER

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def observe(self, fleet: Fleet) -> Observation:  # noqa: ARG002  (there is one fleet)
        """See the port."""
        return self._outside.observation

    async def claim(self, keys: Sequence[WorkloadKey], epoch: int) -> None:
        """See the port."""

    async def scale(self, command: Scale) -> str:
        """See the port."""
        return self._outside.scaled(command)

    async def close(self) -> None:
        """See the port."""


class MemorySource:
    """The source port over the outside."""

    name = SOURCE

    def __init__(self, outside: Outside) -> None:
        self._outside = outside

    async def read(self, query: str, now: float) -> Reading:  # noqa: ARG002  (prepared for this moment)
        """See the port."""
        return self._outside.readings[query]

    async def close(self) -> None:
        """See the port."""


def _named(number: int) -> tuple[str, str, str]:
    namespace, name = name_of(number)
    return namespace, "deployment", name
