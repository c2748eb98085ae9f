"""Learning from the past before the first turn: recorded loads, step by step, as if the loop had been there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from podium.loop.decide.table import PolicyTable
from podium.loop.remember.memory import Memory
from podium.model.arrays import Float64s, Int64s
from podium.model.fleet import Fleet
from podium.signals.bound import NEVER_NEGATIVE, BoundSignal
from podium.signals.signal import Reduce
from podium.signals.source import Past, Permanent, Source, Subject, Temporary

STEP_SECONDS = 60.0
AT_ONCE = 1440  # steps fetched together: a day


async def backfill(
    memory: Memory,
    table: PolicyTable,
    sources: Mapping[str, Source],
    signals: Sequence[BoundSignal],
    lead: Float64s,
    since: float,
    until: float,
) -> float:
    """Learn the loads between `since` and `until`. Returns the seconds of history that some source could give."""
    wanted = [one for one in signals if one.name in table.load and isinstance(sources.get(one.source), Past)]
    learned = 0.0
    for start in np.arange(since, until, AT_ONCE * STEP_SECONDS).tolist():
        at = np.arange(start, min(start + AT_ONCE * STEP_SECONDS, until), STEP_SECONDS)
        loads = np.full((len(at), len(table)), np.nan)
        for signal in wanted:
            await _fill(loads, at, signal, sources[signal.source], memory.fleet, table)
        for moment, row in zip(at.tolist(), loads, strict=True):
            memory.outlook.step(moment, row, lead, table.risk, table.capacity, None, memory.fleet.tenants)
            if table.announced is not None:
                memory.usual.follow(moment, row, table.announced, memory.announced(table, moment, lead))
        learned += STEP_SECONDS * float((~np.isnan(loads)).any(axis=1).sum())
    return learned


async def _fill(
    loads: Float64s, at: Float64s, signal: BoundSignal, source: Source, fleet: Fleet, table: PolicyTable
) -> None:
    """Put one signal's past [t, n] into the slots of its namespace that forecast it. No past is no error."""
    if not isinstance(source, Past):
        return
    try:
        subjects, values = await source.past(signal.past_query or signal.query, at, signal.stale_after_seconds)
    except (Temporary, Permanent):
        return
    columns, slots = _places(subjects, signal, fleet, table)
    mine = _judged(values[:, columns], signal)
    for slot in np.unique(slots).tolist():
        loads[:, slot] = _reduced(mine[:, slots == slot], signal.reduce)


def _judged(values: Float64s, signal: BoundSignal) -> Float64s:
    """What is no measurement is missing, as it is in a turn: not finite, or negative where the unit cannot be."""
    bad = ~np.isfinite(values)
    if signal.unit in NEVER_NEGATIVE:
        bad |= values < 0
    return np.where(bad, np.nan, values)


def _reduced(values: Float64s, reduce: Reduce) -> Float64s:
    """[t] one workload's series [t, k] as one: of those that were there; NaN where none was."""
    there = ~np.isnan(values)
    if reduce == "max":
        out = np.where(there, values, -np.inf).max(axis=1)
    else:
        out = np.where(there, values, 0.0).sum(axis=1)
        if reduce == "mean":
            out = out / np.maximum(there.sum(axis=1), 1)
    return np.where(there.any(axis=1), out, np.nan)


def _places(
    subjects: Sequence[Subject], signal: BoundSignal, fleet: Fleet, table: PolicyTable
) -> tuple[Int64s, Int64s]:
    """[k] columns whose subject is a workload that forecasts this signal, and [k] its slot.

    The kind `workload` is any kind, where only one has the name. Pods of the past are nobody's: their names are gone.
    """
    slot_of: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for number, slot in enumerate(fleet.slots):
        if slot.key is not None and slot.key.namespace == signal.namespace and table.load[number] == signal.name:
            slot_of.setdefault((slot.key.namespace, slot.key.name), []).append((slot.key.kind, number))
    pairs = []
    for column, subject in enumerate(subjects):
        named = slot_of.get((subject.namespace, subject.name), [])
        found = [number for kind, number in named if subject.kind in (kind, "workload")]
        if len(found) == 1:
            pairs.append((column, found[0]))
    columns, slots = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(columns, np.int64), np.array(slots, np.int64)
