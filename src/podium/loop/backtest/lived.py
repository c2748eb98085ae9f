"""An installation's own past made cases: the loads, replicas, capacities and lead times that its loop recorded.

Loads and replicas come from the history of samples (a value a minute, thirty days), filled up from the ledger's turns
where a crash left a gap. Capacities and lead times come from the turns, one an hour, for as long as their inputs are
kept; before that those of the first kept turn hold. Podium need not run; nothing is written.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from podium.ledger.ledger import Ledger
from podium.loop.backtest.recorded import Hpa, Recorded
from podium.loop.backtest.replayed import Replayed, replayed
from podium.loop.backtest.run import Unfit
from podium.loop.policy import ScalingPolicy
from podium.loop.remember import record, samples
from podium.loop.remember.restore import Library
from podium.model.arrays import Float64s
from podium.model.clock import duration, microseconds
from podium.model.identity import WorkloadKey
from podium.signals.history.history import History
from podium.signals.series import Series
from podium.signals.source import Subject

MINUTE = 60.0
HOUR = 3600.0
SAME = 0.01  # capacities that differ by less are one


@dataclasses.dataclass(frozen=True, slots=True)
class Lived:
    """One workload that was led: what is asked of it now, and its past as a case."""

    key: WorkloadKey
    document: ScalingPolicy
    replayed: Replayed


@dataclasses.dataclass(frozen=True, slots=True)
class Past:
    """All workloads of which enough is recorded, and sentences about the others."""

    since: float
    until: float
    lived: tuple[Lived, ...]
    missing: tuple[str, ...]


def read(
    ledger: Ledger,
    days: float,
    step_seconds: float,
    wanted: Callable[[Mapping[WorkloadKey, ScalingPolicy]], Sequence[WorkloadKey]] = list,
) -> Past:
    """The last `days` of the workloads that `wanted` chooses. Raises KeyError where nothing is recorded."""
    documents, at = _newest(ledger)
    keys = wanted(documents)
    until = at + MINUTE
    since = until - days * 86400.0
    history = History(ledger.database, step_seconds=step_seconds)
    samples.refill(history, ledger, until)
    first = int(since // MINUTE)
    size = int(until // MINUTE) - first + 1
    facts = _facts(ledger, keys, since, until)
    lived, missing, pasts = [], [], {}
    for key in keys:
        load = documents[key].spec.load
        if load is None:
            missing.append(f"{key}: its policy names no load")
            continue
        names = (load.signal, samples.REPLICAS, samples.READY)
        pasts[key] = np.stack([_minutes(history.read(name, key, since, until), first, size) for name in names])
    begin = _begin(pasts.values())  # nothing is replayed of a time in which nobody was there
    for key, past in pasts.items():
        try:
            case = _case(key, documents[key], past[:, begin:], facts[key], first + begin)
        except Unfit as error:
            missing.append(f"{key}: {str(error).partition(': ')[2] or error}")
            continue
        lived.append(Lived(key, documents[key], case))
    return Past(since, until, tuple(lived), tuple(missing))


def _newest(ledger: Ledger) -> tuple[Mapping[WorkloadKey, ScalingPolicy], float]:
    """The policies in force by workload, and when the newest turn was (Unix seconds). Raises KeyError."""
    turn, policies = ledger.latest(record.TURN), ledger.latest(record.POLICIES)
    if turn is None:
        raise KeyError("nothing is recorded yet")
    if policies is None:
        raise KeyError("no policies are recorded yet")
    return record.read_policies(policies).documents, turn.at_us / 1e6


@dataclasses.dataclass(frozen=True, slots=True)
class _Facts:
    """What held at some moments [k]."""

    at: Float64s
    capacity: Float64s  # NaN: not known
    lead: Float64s


def _facts(ledger: Ledger, keys: Sequence[WorkloadKey], since: float, until: float) -> dict[WorkloadKey, _Facts]:
    """A replica's capacity and the lead time, by the hour, from the newest turn backwards."""
    library = Library(ledger)
    rows: dict[WorkloadKey, list[tuple[float, float, float]]] = {key: [] for key in keys}
    before = until
    while before > since:
        entry = ledger.latest(record.TURN, at_or_before_us=microseconds(before))
        if entry is None or entry.purged or entry.at_us < microseconds(since):
            break
        turn = record.read_turn(entry)
        table, index = library.table(turn), library.fleet(turn.fleet).index
        for key, found in rows.items():
            slot = index.get(key)
            if slot is not None:
                found.append((turn.snapshot.now, float(table.capacity[slot]), float(turn.lead[slot])))
        before = min(before, entry.at_us / 1e6) - HOUR
    out = {}
    for key, found in rows.items():
        columns = np.array(found[::-1], np.float64).reshape(-1, 3).T
        out[key] = _Facts(*columns)
    return out


def _begin(pasts: Iterable[Float64s]) -> int:
    """The first minute in which anything is known of anybody."""
    known = [np.flatnonzero((~np.isnan(past)).any(axis=0)) for past in pasts]
    return min((int(rows[0]) for rows in known if len(rows)), default=0)


def _case(key: WorkloadKey, document: ScalingPolicy, past: Float64s, facts: _Facts, first: int) -> Replayed:
    """The case of load, replicas and ready ones [3, t]. Raises Unfit."""
    load, ordered, ready = past
    limits = document.spec.replicas
    known = facts.capacity[~np.isnan(facts.capacity)]
    leads = facts.lead[np.isfinite(facts.lead)]
    notes, capacity = [], None
    if len(known):
        if known.max() <= known.min() * (1 + SAME):
            capacity = float(known[-1])
        else:
            # As it was minute by minute: the load is told in replicas, of which each serves one.
            moments, held = facts.at[~np.isnan(facts.capacity)], known
            minute = (first + np.arange(len(load))) * MINUTE
            load = load / held[np.clip(np.searchsorted(moments, minute, "right") - 1, 0, len(held) - 1)]
            capacity = 1.0
            notes.append(f"capacity: {known.min():.4g} to {known.max():.4g} a replica; the load is told in replicas")
    recorded = Recorded(
        subject=Subject(key.namespace, key.kind, key.name),
        load=load,
        ordered=ordered,
        ready=ready,
        request_cpu=None,
        request_memory=None,
        startup_seconds=None,
        hpa=Hpa(document.metadata.name, limits.min, limits.max, None, ()),
    )
    wait = float(np.median(leads)) if len(leads) else 120.0
    one = replayed(recorded, first, capacity=capacity, startup_seconds=wait, by_query=True)
    words = [] if len(leads) else [f"start-up: {duration(wait)}, assumed"]
    words += [f"start-up: {duration(round(wait))}, the median of the recorded lead times"] if len(leads) else []
    told = notes or [f"capacity: {capacity:g} a replica, as its policy had it" if capacity else one.notes[0]]
    case = dataclasses.replace(one.case, trace=dataclasses.replace(one.case.trace, name=str(key)))
    return dataclasses.replace(one, case=case, notes=(*told, *words))


def _minutes(series: Series, first: int, size: int) -> Float64s:
    """[t] the newest value of each minute; NaN where there is none."""
    out = np.full(size, np.nan)
    rows = np.floor(series.at / MINUTE).astype(np.int64) - first
    inside = (rows >= 0) & (rows < size)
    out[rows[inside]] = series.value[inside]
    return out
