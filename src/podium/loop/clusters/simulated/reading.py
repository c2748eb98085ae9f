"""From the world to the port's observation: workloads into the fleet's slots, pods into arrays."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection

import numpy as np

from podium.loop.clusters.port import Observation
from podium.loop.clusters.simulated.shape import WorldShape
from podium.loop.clusters.simulated.table import NEVER
from podium.loop.clusters.simulated.usage import UsageModel, sample_time
from podium.loop.clusters.simulated.world import World
from podium.model.arrays import UNKNOWN, Float64s, Int32s, Int64s
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Phase, Pods, Ready, Samples

_NOT_HERE = -1


class Reader:
    """Reads one world for whatever fleet is asked about; what depends on the fleet alone is kept between calls."""

    def __init__(
        self, cluster: str, shape: WorldShape, load: Callable[[WorkloadKey, float], float | None] | None
    ) -> None:
        self._cluster = cluster
        self._shape = shape
        self._load = load
        self._usage = UsageModel(shape)
        requests = [(workload.requests.cores, workload.requests.bytes) for workload in shape.workloads]
        self._requests = {
            "cpu": np.array([_milli(cores) for cores, _ in requests], np.int64),
            "memory": np.array([_milli(size) for _, size in requests], np.int64),
        }
        self._fleet = Fleet()
        self._slots, self._troubles = self._assignment(self._fleet)
        self._loads_at = -np.inf
        self._loads = np.full(len(shape.workloads), np.nan)

    def observation(self, world: World, fleet: Fleet, containers: Collection[str] = ()) -> Observation:
        """Everything about the fleet's workloads at `world.at`. A pod has one container, whatever it is called."""
        if fleet is not self._fleet:
            self._slots, self._troubles = self._assignment(fleet)
            self._fleet = fleet
        pods = world.pods
        counts = world.per_workload(pods.deleted == NEVER)
        ready = world.per_workload((pods.ready <= world.at) & (pods.deleted == NEVER))
        versions = np.array(list(map(str, world.versions().tolist())), object)
        names = np.full(len(fleet), "", object)
        here = self._slots >= 0
        names[self._slots[here]] = versions[here]
        rows = np.flatnonzero((pods.gone > world.at) & here[pods.workload])
        return Observation(
            replicas=self._by_slot(world.replicas, len(fleet), UNKNOWN),
            status_replicas=self._by_slot(counts, len(fleet), UNKNOWN),
            ready=self._by_slot(ready, len(fleet), UNKNOWN),
            resource_versions=tuple(names.tolist()),
            epochs=self._by_slot(world.epochs, len(fleet), 0),
            pods=_with_containers(self._pods(world, rows), containers),
            pod_names=tuple(pods.names[rows].tolist()),
            troubles=dict(self._troubles),
        )

    def _assignment(self, fleet: Fleet) -> tuple[Int32s, dict[WorkloadKey, str]]:
        numbers = {workload.key: number for number, workload in enumerate(self._shape.workloads)}
        slots = np.full(len(numbers), _NOT_HERE, np.int32)
        troubles = {}
        for key, slot in fleet.index.items():
            if key in numbers:
                slots[numbers[key]] = slot
            elif key.cluster == self._cluster:
                troubles[key] = f"{key} does not exist in the simulated cluster {self._cluster}"
        return slots, troubles

    def _by_slot(self, values: Int64s, size: int, absent: int) -> Int64s:
        out = np.full(size, absent, np.int64)
        here = self._slots >= 0
        out[self._slots[here]] = values[here]
        return out

    def _pods(self, world: World, rows: Int64s) -> Pods:
        pods, at = world.pods, world.at
        workload, scheduled, ready = pods.workload[rows], pods.scheduled[rows], pods.ready[rows]
        is_ready, has_node = ready <= at, scheduled < NEVER
        condition = np.where(is_ready, Ready.TRUE, np.where(has_node, Ready.FALSE, Ready.ABSENT))
        started = np.where(has_node, scheduled, np.nan)
        return Pods(
            slot=self._slots[workload],
            phase=np.where(pods.running[rows] <= at, Phase.RUNNING, Phase.PENDING).astype(np.int8),
            ready=condition.astype(np.int8),
            deleting=pods.deleted[rows] < NEVER,
            start=started,
            transition=np.where(is_ready, ready, started),
            requests={resource: milli[workload] for resource, milli in self._requests.items()},
            samples=self._samples(world, rows),
        )

    def _samples(self, world: World, rows: Int64s) -> dict[str, Samples]:
        if self._load is None:
            return {}
        at = sample_time(world.at)
        samples = self._usage.samples(world, at, self._loads_of(at, self._load))
        return {
            metric: Samples(milli=every.milli[rows], at=every.at[rows], window=every.window[rows])
            for metric, every in samples.items()
        }

    def _loads_of(self, at: float, load: Callable[[WorkloadKey, float], float | None]) -> Float64s:
        if at != self._loads_at:
            asked = (load(workload.key, at) for workload in self._shape.workloads)
            self._loads = np.array([np.nan if value is None else value for value in asked], np.float64)
            self._loads_at = at
        return self._loads


def _with_containers(pods: Pods, containers: Collection[str]) -> Pods:
    """The pods, measured under `resource@container`, too."""
    resources = {one: one.partition("@")[0] for one in sorted(containers)}
    requests = {one: pods.requests[resource] for one, resource in resources.items() if resource in pods.requests}
    samples = {one: pods.samples[resource] for one, resource in resources.items() if resource in pods.samples}
    return dataclasses.replace(pods, requests=pods.requests | requests, samples=pods.samples | samples)


def _milli(value: float | None) -> int:
    return UNKNOWN if value is None else round(value * 1000)
