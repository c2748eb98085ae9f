"""What a snapshot says of the replicas whose capacity is learned: load, CPU and bounds, a row per learning slot."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np

from podium.loop.decide.table import Learning
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s, count_by_slot
from podium.model.snapshot import Level, Phase, Pods, Ready, Snapshot


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """One moment, m rows."""

    ready: Float64s  # [m] replicas that serve; NaN: unknown
    starting: Float64s  # [m] replicas that do not serve yet
    load: Float64s  # [m] of the whole workload; NaN: unknown
    cpu: Float64s  # [m] CPU used over CPU requested; NaN: unknown
    bound: Float64s  # [m] the largest of what must stay below a bound, over that bound; NaN: unknown or none


def seen(snapshot: Snapshot, learning: Learning, load: Float64s, doubted: Sequence[int]) -> Seen:
    """The learning slots in `snapshot`, whose loads are `load` [n]. What a `doubted` source says is unknown."""
    slots = learning.slots
    live = _live(snapshot.pods)
    serving = live & (snapshot.pods.phase == Phase.RUNNING) & (snapshot.pods.ready == Ready.TRUE)
    ready, starting = _counted(snapshot, slots, live, serving)
    with np.errstate(over="ignore"):
        cpu = np.full(len(slots), np.nan) if _doubts_cluster(snapshot, doubted) else _cpu(snapshot, slots, serving)
    bound = np.full(len(slots), -np.inf)
    for group in learning.bounds:
        level = snapshot.signals.get(group.signal)
        mine = slots[group.rows]
        value = np.full(len(mine), np.nan) if level is None else _believed(level, mine, doubted)
        bound[group.rows] = np.maximum(bound[group.rows], value / group.below)  # NaN stays
    return Seen(ready, starting, load[slots], cpu, np.where(np.isneginf(bound), np.nan, bound))


def _believed(level: Level, slots: Int64s | np.ndarray, doubted: Sequence[int]) -> Float64s:
    value = level.value[slots]
    return np.where(np.isin(level.source[slots], doubted), np.nan, value) if len(doubted) else value


def _doubts_cluster(snapshot: Snapshot, doubted: Sequence[int]) -> bool:
    """Is the cluster itself, the last source, under suspicion?"""
    return len(snapshot.sources) - 1 in doubted


def _live(pods: Pods) -> Bools:
    out: Bools = ((pods.phase == Phase.RUNNING) | (pods.phase == Phase.PENDING)) & ~pods.deleting
    return out


def _counted(snapshot: Snapshot, slots: np.ndarray, live: Bools, serving: Bools) -> tuple[Float64s, Float64s]:
    """[m] pods that serve and [m] that do not yet; where no pod can be seen, the replicas asked for serve."""
    pods, size = snapshot.pods, len(snapshot.replicas)
    asked = np.where(snapshot.replicas == UNKNOWN, np.nan, snapshot.replicas)[slots]
    if not len(pods):
        return asked, np.zeros(len(slots))
    ready = count_by_slot(serving, pods.slot, size)[slots]
    all_live = count_by_slot(live, pods.slot, size)[slots]
    shown = all_live > 0
    return np.where(shown, ready, asked), np.where(shown, all_live - ready, 0).astype(np.float64)


def _cpu(snapshot: Snapshot, slots: np.ndarray, serving: Bools) -> Float64s:
    """[m] what the serving, measured pods use over what they request; NaN while one of them requests nothing."""
    pods, size = snapshot.pods, len(snapshot.replicas)
    samples, requests = pods.samples.get("cpu"), pods.requests.get("cpu")
    if samples is None or requests is None or not len(pods):
        return np.full(len(slots), np.nan)
    measured = serving & ~np.isnan(samples.at)
    bare = count_by_slot(serving & (requests <= 0), pods.slot, size)[slots] > 0
    used = np.bincount(pods.slot[measured], weights=samples.milli[measured], minlength=size)[slots]
    asked = np.bincount(pods.slot[measured], weights=requests[measured], minlength=size)[slots]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((asked > 0) & ~bare, used / asked, np.nan)
