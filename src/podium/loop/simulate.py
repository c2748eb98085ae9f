"""The loop over recorded loads: the same pure `decide`, another clock, and a plant for a cluster.

Many loads are the slots of one simulated fleet, so one pass over time answers for all of them. A turn at minute t sees
the load up to and including t; what it orders serves by the rule of `loop.plant`.

Loads are told in thousandths of what one replica serves: a replica requests 1000 units, a load of 2500 needs 3.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from podium.loop.plant import Plant
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int32s, Int64s
from podium.model.snapshot import Level, Phase, Pods, Ready, Snapshot, no_pods

REPLICA = 1000.0  # units of load that one replica serves
LOAD = "load"  # the signal that policies forecast
CPU = "cpu"  # what the pods use, as the cluster's own metrics would tell it
SOURCES = ("recorded", "cluster")  # of LOAD and of CPU; the cluster is always the last source
MINUTE = 60.0

Decide = Callable[[int, Snapshot, Int64s], Int64s]
"""(number of the turn, n slots now, replicas that serve) -> replicas wanted. It keeps its own memory."""
Enough = Callable[[int, Int32s], bool]  # (number of the turn, replicas ordered in it) -> whether to end here


@dataclasses.dataclass(frozen=True, slots=True)
class Course:
    """What happened to n slots over t minutes: replicas [t, n], 0 before a slot's first known load."""

    ordered: Int32s
    ready: Int32s


def simulate(
    loads: Float64s,
    start: float,
    decide: Decide,
    startup_seconds: Float64s,
    *,
    share: Float64s | float = 1.0,
    given: Int32s | None = None,
    enough: Enough = lambda _number, _ordered: False,
    pods: bool = False,
) -> Course:
    """Turn by turn over `loads` ([t, n] units, NaN unknown), a minute apart from `start` on.

    `startup_seconds` is that of every order [n], or of those of each turn [t, n].

    A slot begins with its first known load, as large as that needs at `share` [n] of a replica's capacity. Where
    `given` [t, n] is above 0 it was decided already and is ordered whatever `decide` says: so the past of a slot is
    taken over. It ends before its time, and with fewer rows, when `enough`. Replicas are all alike; `pods` lists them
    one by one, serving or pending, for policies that count them.
    """
    fleet = _Fleet(loads.shape[1], startup_seconds, share, pods=pods)
    ordered = np.zeros(loads.shape, np.int32)
    ready = np.zeros_like(ordered)
    nothing = np.zeros(loads.shape[1], np.int32)
    for number, load in enumerate(loads):
        now = start + number * MINUTE
        fleet.turn(number, now, load, decide, nothing if given is None else given[number])
        ordered[number] = fleet.plant.ordered
        ready[number] = fleet.plant.ready(now)
        if enough(number, ordered[number]):
            return Course(ordered[: number + 1], ready[: number + 1])
    return Course(ordered, ready)


class _Fleet:
    """n slots on one plant."""

    def __init__(self, size: int, startup_seconds: Float64s, share: Float64s | float, *, pods: bool) -> None:
        self._startup = startup_seconds
        self._share = share
        self._pods = pods
        self._alive: Bools = np.zeros(size, np.bool_)
        self._written = np.full(size, UNKNOWN, np.int64)
        self._written_from = self._written
        self.plant = Plant.empty(size)

    def turn(self, number: int, now: float, load: Float64s, decide: Decide, given: Int32s) -> None:
        """One minute: everybody sees the load [n] and decides; the plant follows."""
        self._bring_up(load, given)
        before = self.plant.ordered
        wanted = before
        if self._alive.any():
            wanted = decide(number, self._snapshot(now, load), self.plant.ready(now))
        wanted = np.where(given > 0, given, np.where(self._alive, wanted, UNKNOWN))
        startup = self._startup if self._startup.ndim == 1 else self._startup[number]
        self.plant = self.plant.order(now, wanted, startup)
        changed = self.plant.ordered != before
        self._written = np.where(changed, self.plant.ordered, UNKNOWN)
        self._written_from = np.where(changed, before, UNKNOWN)

    def _bring_up(self, load: Float64s, given: Int32s) -> None:
        """Slots whose first load (or given size) has come stand there and serve."""
        fresh = ~self._alive & (~np.isnan(load) | (given > 0))
        if not fresh.any():
            return
        needed = np.ceil(np.nan_to_num(load) / (REPLICA * self._share)).astype(np.int64)
        size = np.where(given > 0, given, np.maximum(needed, 1))
        self.plant = dataclasses.replace(
            self.plant,
            ordered=np.where(fresh, size, self.plant.ordered),
            serving=np.where(fresh, size, self.plant.serving),
        )
        self._alive = self._alive | fresh

    def _snapshot(self, now: float, load: Float64s) -> Snapshot:
        at = np.where(np.isnan(load), np.nan, now)
        replicas = np.where(self._alive, self.plant.ordered, UNKNOWN)
        sources = np.arange(len(SOURCES), dtype=np.int32)[:, None].repeat(len(load), axis=1)
        return Snapshot(
            now=now,
            sources=SOURCES,
            answered=np.ones(len(SOURCES), np.bool_),
            replicas=replicas,
            status_replicas=replicas,
            written=self._written,
            written_from=self._written_from,
            pods=_pods(self.plant.ordered, self.plant.ready(now)) if self._pods else no_pods(),
            signals={LOAD: Level(load, at, sources[0]), CPU: Level(load / REPLICA, at, sources[1])},
        )


def _pods(ordered: Int64s, ready: Int64s) -> Pods:
    """Every replica as a pod that has long been there: those that serve, and the others, which are Pending."""
    slot: Int32s = np.repeat(np.arange(len(ordered), dtype=np.int32), ordered)
    rank = np.arange(len(slot)) - np.repeat(np.cumsum(ordered) - ordered, ordered)
    serves = rank < ready[slot]
    long_ago = np.zeros(len(slot))
    return Pods(
        slot=slot,
        phase=np.where(serves, np.int8(Phase.RUNNING), np.int8(Phase.PENDING)),
        ready=np.where(serves, np.int8(Ready.TRUE), np.int8(Ready.FALSE)),
        deleting=np.zeros(len(slot), np.bool_),
        start=long_ago,
        transition=long_ago,
        requests={},
        samples={},
    )
