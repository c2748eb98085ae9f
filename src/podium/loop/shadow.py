"""What a plain HPA would have had beside the loop: under the same loads, in a plant of its own, counted turn by turn.

It is Kubernetes' HPA with a policy's own metrics, or, where it has none, the load at 70 % of what a replica serves.
A metric per pod becomes the whole usage shared by the HPA's own replicas: the load does not hang on who scales.
What a policy does beyond an HPA (forecast, schedule, rules, pauses, guards) is left out; its limits and behaviour stay.

Compared are workloads with a load and a known capacity. Replicas are paid from the order on, as by everybody.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide import horizontal, metrics
from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.policies import decide
from podium.loop.decide.state import State, empty_state
from podium.loop.decide.table import MetricGroup, MetricKind, Mode, PolicyTable, Rules, Windows
from podium.loop.plant import Plant
from podium.model import columns
from podium.model.arrays import UNKNOWN, Bools, Columns, Float64s, Int64s
from podium.model.forecast import Forecast
from podium.model.snapshot import Level, Phase, Pods, Snapshot, no_pods

TARGET = 0.7  # of a replica's capacity, where a policy has no metrics of its own
LONGEST_SECONDS = 300.0  # between two turns; a longer time nobody saw, and it is not compared

_LOAD = "podium.load"  # a name that no Signal can have
_PER_POD = (MetricKind.UTILISATION, MetricKind.AVERAGE)


def follow_metrics(turn: Turn, draft: Draft) -> Draft:
    """`horizontal.follow_metrics` without its reasons, which nobody reads here: a third of its time."""
    best = np.full(len(turn.table), UNKNOWN, np.int64)
    missing = np.zeros(len(turn.table), np.bool_)
    for group in turn.table.metrics:
        proposed = metrics.propose(turn, group).replicas
        best[group.slots] = np.maximum(best[group.slots], proposed)
        missing[group.slots] |= proposed == UNKNOWN
    measured = draft.open & (best != UNKNOWN) & ~(missing & (best < turn.current))
    return dataclasses.replace(draft, wanted=np.where(measured, best, draft.wanted), measured=measured)


ORDER = (
    horizontal.observed,
    horizontal.within_bounds,
    follow_metrics,
    horizontal.stabilise,
    horizontal.limit_rate,
    horizontal.within_limits,
)


@dataclasses.dataclass(frozen=True, slots=True)
class Tally:
    """Sums of n workloads since their comparison began: of what was there, and of the HPA. Hours, and load x hours."""

    since: Float64s  # [n] Unix seconds; NaN: not compared
    hours: Float64s  # [n] of comparing
    load: Float64s  # [n]
    replicas: Float64s  # [n] replica-hours
    unserved: Float64s  # [n]
    hpa_replicas: Float64s  # [n]
    hpa_unserved: Float64s  # [n]


@dataclasses.dataclass(frozen=True, slots=True)
class Course:
    """The HPA's fleet after one turn."""

    at: float  # Unix seconds; NaN before the first turn
    state: State
    plant: Plant
    written: Int64s  # [n] what it ordered in that turn; UNKNOWN: nothing
    written_from: Int64s  # [n] what that replaced
    tally: Tally

    def __len__(self) -> int:
        return len(self.plant)

    @property
    def compared(self) -> Bools:
        """[n] who has a shadow."""
        return ~np.isnan(self.tally.since)

    @property
    def replicas(self) -> Int64s:
        """[n] replicas that the HPA has; UNKNOWN where it is not compared."""
        return np.where(self.compared, self.plant.ordered, UNKNOWN)


def no_course(size: int) -> Course:
    """Nobody compared yet."""
    unknown = np.full(size, UNKNOWN, np.int64)
    sums = (np.zeros(size) for _ in range(6))
    return Course(np.nan, empty_state(size), Plant.empty(size), unknown, unknown, Tally(np.full(size, np.nan), *sums))


class Shadow:
    """The HPA beside a loop. `follow` after every turn; its `course` is a value that others may keep."""

    def __init__(self) -> None:
        self.course = no_course(0)
        self._followed: PolicyTable | None = None
        self._plain: _Plain | None = None

    def adopt(self, size: int, changed: Int64s) -> None:
        """A fleet of `size` slots from now on, of which `changed` belong to other workloads than before."""
        old = self.course
        fresh = no_course(max(size - len(old), 0))

        def grown(array: np.ndarray, unknown: float) -> np.ndarray:
            out = np.concatenate([array, np.full(max(size - len(array), 0), unknown, array.dtype)])
            out[changed] = unknown
            return out

        sums = {field.name: grown(getattr(old.tally, field.name), 0.0) for field in dataclasses.fields(Tally)[1:]}
        self.course = Course(
            old.at,
            old.state.forgotten(changed).resized(size) if len(old) else fresh.state,
            old.plant.forgotten(changed).resized(size),
            grown(old.written, UNKNOWN),
            grown(old.written_from, UNKNOWN),
            Tally(grown(old.tally.since, np.nan), **sums),
        )

    def set_back(self, now: float) -> None:
        """The clock shows `now` again, before the last turn: what starts takes as long as it would have taken."""
        old = self.course
        tally = dataclasses.replace(old.tally, since=np.minimum(old.tally.since, now))
        plant = dataclasses.replace(old.plant, serves_at=old.plant.serves_at + (now - old.at))
        self.course = dataclasses.replace(old, at=np.nan, state=old.state.set_back(now), plant=plant, tally=tally)

    def follow(self, snapshot: Snapshot, ready: Int64s, forecast: Forecast, table: PolicyTable, lead: Float64s) -> None:
        """One turn: count the time since the last, then let the HPA decide. `ready` [n] pods serve in truth."""
        if self._plain is None or self._followed is not table:
            self._followed, self._plain = table, _Plain(table)
        plain, before = self._plain, self.course
        load = plain.load(snapshot)
        begun = plain.compared & ~before.compared & (snapshot.replicas != UNKNOWN) & (ready != UNKNOWN)
        tally = _counted(before, snapshot, ready, load, table.capacity)
        since = np.where(begun, snapshot.now, np.where(plain.compared, tally.since, np.nan))
        # Both begin with what is there.
        plant = before.plant.order(snapshot.now, np.where(begun, snapshot.replicas, UNKNOWN), np.zeros(len(before)))
        current = np.where(np.isnan(since), UNKNOWN, plant.ordered)
        seen, decides = plain.turn(snapshot, current, before, load)
        state, decisions = decide(before.state, seen, forecast, decides, lead, order=ORDER)
        ordered = (decisions.replicas != current) & (current != UNKNOWN) & (decisions.replicas != UNKNOWN)
        self.course = Course(
            snapshot.now,
            state,
            plant.order(snapshot.now, np.where(ordered, decisions.replicas, UNKNOWN), lead),
            np.where(ordered, decisions.replicas, UNKNOWN),
            np.where(ordered, current, UNKNOWN),
            dataclasses.replace(tally, since=since),
        )

    def checkpoint(self) -> Columns:
        """Everything, as columns."""
        return columns.flatten(self.course)

    def restore(self, stored: Columns, size: int) -> None:
        """Take over what `checkpoint` returned; what a Podium without a shadow left has nothing to compare yet."""
        self.course = columns.restore(Course, stored) if stored else no_course(size)
        self._followed = self._plain = None


def _counted(before: Course, snapshot: Snapshot, ready: Int64s, load: Float64s, capacity: Float64s) -> Tally:
    """The sums with the time since the last turn, where both sides were known throughout."""
    seconds = snapshot.now - before.at
    if not 0 < seconds <= LONGEST_SECONDS:
        return before.tally
    tally, hours = before.tally, seconds / 3600.0
    known = before.compared & ~np.isnan(load) & (ready != UNKNOWN) & (snapshot.replicas != UNKNOWN)
    time = np.where(known, hours, 0.0)
    load = np.where(known, load, 0.0)
    capacity = np.where(known, capacity, 0.0)

    def short(serving: Int64s) -> Float64s:
        return np.maximum(load - serving * capacity, 0.0) * time

    return Tally(
        since=tally.since,
        hours=tally.hours + time,
        load=tally.load + load * time,
        replicas=tally.replicas + np.where(known, snapshot.replicas, 0) * time,
        unserved=tally.unserved + short(ready),
        hpa_replicas=tally.hpa_replicas + before.plant.ordered * time,
        hpa_unserved=tally.hpa_unserved + short(before.plant.ready(snapshot.now)),
    )


class _Plain:
    """A table of policies as a plain HPA would have it."""

    def __init__(self, table: PolicyTable) -> None:
        names, size = np.array(table.load, np.str_), len(table)
        self.compared: Bools = (table.mode != UNKNOWN) & ~np.isnan(table.capacity) & (names != "")
        self._measured = {str(name): np.flatnonzero(names == name) for name in np.unique(names) if name}
        self._own = [group for group in table.metrics if group.kind in (*_PER_POD, MetricKind.AVERAGE_VALUE)]
        owned = np.zeros(size, np.bool_)
        for group in self._own:
            owned[group.slots] = True
        slots = np.flatnonzero(self.compared & ~owned).astype(np.int32)
        targets = np.maximum(np.rint(1000 * TARGET * table.capacity[slots]), 1).astype(np.int64)
        by_load = MetricGroup(MetricKind.AVERAGE_VALUE, _LOAD, slots, targets, np.zeros(len(slots), np.int16))
        self._groups = (by_load,) if len(slots) else ()
        self._table = dataclasses.replace(
            table,
            mode=np.where(self.compared, Mode.OWN, UNKNOWN).astype(np.int8),
            metrics=(),
            forecast=np.zeros(size, np.bool_),
            windows=Windows(),
            rules=Rules(),
            latency=(),
            limits_alone=None,
            ordered=None,
        )

    def load(self, snapshot: Snapshot) -> Float64s:
        """[n] the load of each workload; NaN where it is unknown."""
        out = np.full(len(self.compared), np.nan)
        for name, slots in self._measured.items():
            if name in snapshot.signals:
                out[slots] = snapshot.signals[name].value[slots]
        return out

    def turn(self, snapshot: Snapshot, current: Int64s, before: Course, load: Float64s) -> tuple[Snapshot, PolicyTable]:
        """What the HPA sees of a turn with `current` [n] replicas of its own, and the policies that then decide."""
        source = np.zeros(len(load), np.int32)
        signals = {_LOAD: Level(load, np.full(len(load), snapshot.now), source)}
        groups = [*self._groups]
        for group in self._own:
            if group.kind is MetricKind.AVERAGE_VALUE:
                groups.append(group)
                signals |= {group.signal: level} if (level := snapshot.signals.get(group.signal)) else {}
                continue
            shared, usage = _shared(group, snapshot)
            groups.append(shared)
            signals[shared.signal] = Level(usage, np.full(len(usage), snapshot.now), source)
        seen = dataclasses.replace(
            snapshot,
            replicas=current,
            status_replicas=current,
            written=before.written,
            written_from=before.written_from,
            pods=no_pods(),
            signals=signals,
        )
        return seen, dataclasses.replace(self._table, metrics=tuple(groups))


def _shared(group: MetricGroup, snapshot: Snapshot) -> tuple[MetricGroup, Float64s]:
    """A metric per pod as one of the workload: its target per replica, and [n] the usage of all pods together."""
    pods, size = snapshot.pods, len(snapshot.replicas)
    usage = _usage(group.signal, snapshot)
    targets = group.targets
    if group.kind is MetricKind.UTILISATION:
        requests = pods.requests.get(group.signal)
        known = np.zeros(len(pods), np.bool_) if requests is None else (requests >= 0) & (pods.phase != Phase.GONE)
        milli = np.zeros(len(pods)) if requests is None else requests.astype(np.float64)
        count = np.bincount(pods.slot[known], minlength=size)
        request = np.bincount(pods.slot[known], weights=milli[known], minlength=size) / np.maximum(count, 1)
        usage = np.where(count > 0, usage, np.nan)
        targets = np.maximum(np.rint(request[group.slots] * group.targets / 100), 1).astype(np.int64)
    name = f"podium.{group.kind.name.lower()}.{group.signal}"
    return MetricGroup(MetricKind.AVERAGE_VALUE, name, group.slots, targets, group.position), usage


def _usage(signal: str, snapshot: Snapshot) -> Float64s:
    """[n] what all measured pods use together; NaN where none is measured."""
    level = snapshot.signals.get(signal)
    if level is not None:
        return level.value
    pods: Pods = snapshot.pods
    size, samples = len(snapshot.replicas), pods.samples.get(signal)
    if samples is None:
        return np.full(size, np.nan)
    measured = ~np.isnan(samples.at)
    total = np.bincount(pods.slot[measured], weights=samples.milli[measured] / 1000, minlength=size)
    return np.where(np.bincount(pods.slot[measured], minlength=size) > 0, total, np.nan)
