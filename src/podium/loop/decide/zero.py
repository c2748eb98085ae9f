"""To zero and back: a workload whose policy names an activation signal rests at zero while there is nothing to do.

As in KEDA, a signal of its own says whether there is work: above its threshold the workload has at least one replica,
and once it has stood at or below it for `idle` seconds the last one goes. A signal that is unknown takes nothing down
and wakes nobody. Whatever asks for replicas ahead of the load (a forecast, an announced event, a scheduled minimum)
wakes a workload as well, so that it serves when the work comes; a forecast of less than a hundredth of one replica's
load does not. A workload without an activation signal that is at zero was put there by a person, and stays.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.table import PolicyTable
from podium.model.arrays import UNKNOWN, Bools, Float64s
from podium.model.decision import Reason

NOTHING = 0.01  # of what one replica serves: less than that is the noise of a band around zero


def may_rest(table: PolicyTable) -> Bools:
    """[n] which workloads may be at zero."""
    out = np.zeros(len(table), np.bool_)
    for group in table.activation:
        out[group.slots] = True
    return out


def worth_waking(table: PolicyTable, expected: Float64s) -> Bools:
    """[n] whether a load expected is one to wake for; whoever never rests is awake for any."""
    if not table.activation:
        return np.ones(len(table), np.bool_)
    return ~may_rest(table) | (expected > NOTHING * table.capacity)


def rest(turn: Turn, draft: Draft) -> Draft:
    """Wake who has work, keep one replica until it was idle for long enough, and let who is idle rest at zero."""
    table, now, current = turn.table, turn.now, turn.current
    if not table.activation:
        return draft
    size = len(table)
    value, above, asked = np.full(size, np.nan), np.full(size, np.nan), np.full(size, np.nan)
    for group in table.activation:
        above[group.slots], asked[group.slots] = group.above, group.idle
        if (level := turn.snapshot.signals.get(group.signal)) is not None:
            value[group.slots] = level.value[group.slots]
    mine, idle = draft.open & ~np.isnan(above), value <= above  # NaN: neither idle nor at work
    before = draft.state.idle_of(size)
    since = np.where(value > above, np.nan, np.where(idle & np.isnan(before), now, before))
    state = dataclasses.replace(draft.state, idle_since=since)
    for_seconds = now - since
    draft = dataclasses.replace(draft, state=state, measured=draft.measured | mine)
    low = turn.bounds.minimum.value
    at_zero, wanted = mine & (current == 0), draft.wanted
    woken = at_zero & (value > above)
    draft = draft.bent(woken, np.maximum(np.maximum(wanted, low), 1), Reason.ACTIVATED, value, above)
    draft = draft.bent(at_zero & ~woken, low, Reason.RESTING, value, above)
    up = mine & (current > 0) & (low == 0)
    leaves = up & idle & (for_seconds >= asked)
    draft = draft.bent(leaves, np.zeros(size, np.int64), Reason.IDLE, for_seconds, asked)
    kept = up & ~leaves & (wanted != UNKNOWN) & (wanted < 1)
    return draft.bent(kept, np.ones(size, np.int64), Reason.NOT_IDLE_YET, for_seconds, asked)
