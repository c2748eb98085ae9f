"""Learning from the past before the first turn: recorded loads, step by step, as if the loop had been there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from podium.loop.decide.table import PolicyTable
from podium.loop.remember.memory import Memory
from podium.model.arrays import Float64s, Int64s
from podium.model.fleet import Fleet
from podium.signals.bound import BoundSignal
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
            memory.outlook.step(moment, row, lead)
        learned += STEP_SECONDS * float((~np.isnan(loads)).any(axis=1).sum())
    return learned


async def _fill(
    loads: Float64s, at: Float64s, signal: BoundSignal, source: Source, fleet: Fleet, table: PolicyTable
) -> None:
    """Put one signal's past [t, n] into the slots of its namespace that forecast it. No past is no error."""
    if not isinstance(source, Past):
        return
    try:
        subjects, values = await source.past(signal.query, at, signal.stale_after_seconds)
    except (Temporary, Permanent):
        return
    columns, slots = _places(subjects, signal, fleet, table)
    loads[:, slots] = values[:, columns]


def _places(
    subjects: Sequence[Subject], signal: BoundSignal, fleet: Fleet, table: PolicyTable
) -> tuple[Int64s, Int64s]:
    slot_of = {
        (slot.key.namespace, slot.key.kind, slot.key.name): number
        for number, slot in enumerate(fleet.slots)
        if slot.key is not None and slot.key.namespace == signal.namespace and table.load[number] == signal.name
    }
    pairs = [(column, slot_of[subject]) for column, subject in enumerate(subjects) if tuple(subject) in slot_of]
    columns, slots = zip(*pairs, strict=True) if pairs else ((), ())
    return np.array(columns, np.int64), np.array(slots, np.int64)
