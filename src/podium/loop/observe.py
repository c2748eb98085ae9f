"""Observing: the cluster and every source, asked at the same time, joined into one snapshot. Silence leaves a gap."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np

from podium.loop.clusters import port
from podium.loop.clusters.port import Cluster, Observation
from podium.model.arrays import UNKNOWN, Float64s, count_by_slot, sum_by_slot
from podium.model.fleet import Fleet
from podium.model.snapshot import Level, Phase, Pods, Ready, Samples, Snapshot, no_pods
from podium.signals.bound import BoundSignal
from podium.signals.health import Health
from podium.signals.observe import Observed, Observer
from podium.signals.placement import PodRows


@dataclasses.dataclass(frozen=True, slots=True)
class ClusterSignal:
    """A Signal whose origin is the cluster's own resource metrics: `resource` under another name, in one namespace."""

    namespace: str
    name: str
    resource: str
    stale_after_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Sight:
    """One look at the world: what decisions may know, and what only acting and people need."""

    snapshot: Snapshot
    observation: Observation
    health: tuple[Health, ...]
    origins: dict[str, dict[int, str]]  # signal -> {slot: "recorded: …" | "synthetic: …"}
    cluster_trouble: str  # why the cluster could not be read at all; "" when it was


async def look(
    cluster: Cluster,
    observer: Observer,
    signals: Sequence[BoundSignal],
    cluster_signals: Sequence[ClusterSignal],
    fleet: Fleet,
    now: float,
    deadline_seconds: float,
) -> Sight:
    """Everything known at `now`. Neither a dead cluster nor a dead source raises: what they would say is unknown."""
    (observation, trouble), answers = await asyncio.gather(
        _observe_cluster(cluster, fleet, deadline_seconds), observer.ask(signals, now, deadline_seconds)
    )
    rows = PodRows(observation.pods, observation.pod_names)
    observed = observer.join(signals, answers, fleet, rows, now)
    snapshot = _snapshot(cluster.name, observation, observed, cluster_signals, fleet, now, answered=not trouble)
    return Sight(snapshot, observation, observed.health, observed.origins, trouble)


async def _observe_cluster(cluster: Cluster, fleet: Fleet, deadline_seconds: float) -> tuple[Observation, str]:
    try:
        async with asyncio.timeout(deadline_seconds):
            return await cluster.observe(fleet), ""
    except TimeoutError:
        return _nothing_seen(fleet), f"cluster {cluster.name} did not answer within {deadline_seconds:g} s"
    except (port.Temporary, port.Permanent) as error:
        return _nothing_seen(fleet), str(error)


def _nothing_seen(fleet: Fleet) -> Observation:
    size = len(fleet)
    unknown = np.full(size, UNKNOWN, np.int64)
    return Observation(unknown, unknown, unknown, ("",) * size, np.zeros(size, np.int64), no_pods(), (), {})


def _snapshot(
    cluster: str,
    observation: Observation,
    observed: Observed,
    cluster_signals: Sequence[ClusterSignal],
    fleet: Fleet,
    now: float,
    *,
    answered: bool,
) -> Snapshot:
    pods = dataclasses.replace(observation.pods, samples=observation.pods.samples | observed.samples)
    own = len(observed.sources)  # the cluster itself is the last source
    levels: dict[str, Level] = {}
    for resource, samples in observation.pods.samples.items():
        if "@" not in resource:  # single containers have no level of their own
            levels[resource] = _resource_level(pods, samples, len(fleet), own)
    levels |= _renamed(levels, cluster_signals, fleet, now)
    nothing = np.full(len(fleet), UNKNOWN, np.int64)
    return Snapshot(
        now=now,
        sources=(*observed.sources, cluster),
        answered=np.append(observed.answered, answered),
        replicas=observation.replicas,
        status_replicas=observation.status_replicas,
        written=nothing,
        written_from=nothing,
        pods=pods,
        signals=levels | observed.levels,
        room=observation.room,
    )


def _resource_level(pods: Pods, samples: Samples, size: int, source: int) -> Level:
    """What a workload's pods use together; unknown while a serving pod is unmeasured, or half would look like all."""
    live = (pods.phase == Phase.RUNNING) & ~pods.deleting
    measured = live & ~np.isnan(samples.at)
    holes = live & (pods.ready == Ready.TRUE) & ~measured
    known = (count_by_slot(measured, pods.slot, size) > 0) & (count_by_slot(holes, pods.slot, size) == 0)
    total: Float64s = sum_by_slot(samples.milli[measured], pods.slot[measured], size) / 1000
    oldest = np.full(size, np.inf)
    np.minimum.at(oldest, pods.slot[measured], samples.at[measured])
    return Level(np.where(known, total, np.nan), np.where(known, oldest, np.nan), np.full(size, source, np.int32))


def _renamed(
    levels: Mapping[str, Level], signals: Sequence[ClusterSignal], fleet: Fleet, now: float
) -> dict[str, Level]:
    """Each signal's resource under its name in its namespace, as far as it is fresh."""
    out: dict[str, Level] = {}
    for signal in signals:
        level = out.get(signal.name)
        if level is None:
            level = out[signal.name] = _copied(levels.get(signal.name), len(fleet))
        slots = fleet.by_namespace.get(signal.namespace, _NO_SLOTS)
        resource = levels.get(signal.resource)
        if resource is None:
            level.value[slots], level.at[slots], level.source[slots] = np.nan, np.nan, UNKNOWN
            continue
        fresh = now - resource.at[slots] <= signal.stale_after_seconds
        level.value[slots] = np.where(fresh, resource.value[slots], np.nan)
        level.at[slots], level.source[slots] = resource.at[slots], resource.source[slots]
    return out


def _copied(level: Level | None, size: int) -> Level:
    if level is None:
        return Level(np.full(size, np.nan), np.full(size, np.nan), np.full(size, UNKNOWN, np.int32))
    return Level(level.value.copy(), level.at.copy(), level.source.copy())


_NO_SLOTS = np.empty(0, np.int64)
