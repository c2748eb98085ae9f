"""Announced events: what somebody knows is coming is carried from one lead time before it. It may only add."""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.metrics import INT32_MAX
from podium.model.arrays import UNKNOWN, Float64s
from podium.model.decision import Reason

BEYOND = 1.5  # times the usual load of a holiday: as much may be foreseen


def prepare_for_events(turn: Turn, draft: Draft) -> Draft:
    """Raise to the largest load that an event brings, over a replica's capacity. A forecast need not be trusted."""
    rows, loads = turn.table.announced, turn.snapshot.held.announced
    if rows is None or len(loads) != len(rows.slots) or np.isnan(loads).all():
        return draft
    size = len(turn.table)
    largest, which = np.full(size, -1.0), np.full(size, UNKNOWN, np.int64)
    order = np.argsort(np.nan_to_num(loads, nan=-1.0), kind="stable")  # the largest comes last and stands
    order = order[~np.isnan(loads[order])]
    largest[rows.slots[order]], which[rows.slots[order]] = loads[order], order
    mine = draft.open & (which != UNKNOWN)
    row = np.where(mine, which, 0)
    event = rows.event[row]
    since = rows.start[row] - np.where(np.isnan(rows.before[row]), turn.lead, rows.before[row])
    since = np.where(np.isnan(rows.start[row]), turn.now, since)  # a holiday is known by its date
    known = mine & (largest > 0) & ~np.isnan(turn.table.capacity)
    draft.reasons.add(mine & ~known, Reason.ANNOUNCED_UNKNOWN, largest, since, metric=event)
    exact = np.where(known, largest, 0.0) / np.where(known, turn.table.capacity, 1.0)
    needed = np.ceil(np.clip(exact, 0, INT32_MAX)).astype(np.int64)
    raised = known & (needed > draft.wanted)
    draft.reasons.add(known & ~raised, Reason.ANNOUNCED, largest, since, metric=event)
    draft.reasons.add(raised, Reason.ANNOUNCED_RAISES, needed, largest, since, metric=event)
    return dataclasses.replace(draft, wanted=np.where(raised, needed, draft.wanted))


def bounded(turn: Turn, draft: Draft, expected: Float64s, present: Float64s) -> Float64s:
    """[n] what a forecast expects, on a holiday no more than BEYOND times what is usual of one.

    The `present` load [n] counts as usual, too: a holiday that is none is followed like any other rise. Where it or
    the usual load is unknown, nothing is taken from the forecast.
    """
    rows, loads = turn.table.announced, turn.snapshot.held.announced
    if rows is None or not rows.calendars or len(loads) != len(rows.slots):
        return expected
    mine = (rows.days >= 0) & (loads > 0)
    if not mine.any():
        return expected
    usual, event = np.full(len(expected), np.nan), np.full(len(expected), UNKNOWN, np.int16)
    order = np.flatnonzero(mine)[np.argsort(loads[mine], kind="stable")]  # the largest comes last and stands
    usual[rows.slots[order]], event[rows.slots[order]] = loads[order], rows.event[order]
    bound = BEYOND * np.maximum(usual, present)
    told = draft.open & (expected > bound)
    draft.reasons.add(told, Reason.HOLIDAY_BOUNDS, expected, bound, turn.now, metric=event)
    return np.where(expected > bound, bound, expected)
