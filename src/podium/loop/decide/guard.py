"""The fleet's blast radius: how much may be taken away in a window, whatever the reason."""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.state import State
from podium.loop.decide.table import Mode, PolicyTable
from podium.model.arrays import UNKNOWN, Bools, Int64s
from podium.model.decision import Reason


def bound_reduction(turn: Turn, draft: Draft) -> Draft:
    """At most a stated share of all replicas goes down per window (10 % in 5 minutes); the rest waits.

    Worked example: 200 replicas allow 20 per window; 5 went a minute ago, 30 are to go now: 15 go, half of each.
    """
    guards, current = turn.table.guards, turn.current
    state = _remembered(turn, draft.state)
    # What is never written takes nothing away; counted, a standing wish of such a workload would use up the budget.
    written = _written(turn.table, current)
    cuts = np.where(written, np.maximum(current - draft.wanted, 0), 0)
    taken = int(state.reduced.sum())
    fleet = int(current[written].sum()) + taken
    allowed = _shared(cuts, max(allowance(turn.table, current, taken) - taken, 0), turn.now)
    refused = cuts > allowed
    share = taken / fleet if fleet else 0.0
    draft = draft.bent(
        refused, current - allowed, Reason.REDUCTION_GUARD, draft.wanted, share, guards.reduction_fraction
    )
    return dataclasses.replace(draft, state=state)


def allowance(table: PolicyTable, current: Int64s, taken: int) -> int:
    """How many replicas may go within the window, those `taken` included, of a fleet that has `current` [n] left."""
    fleet = int(current[_written(table, current)].sum()) + taken
    # A fleet of a few pods may still lose one at a time, or it could never shrink.
    return max(int(table.guards.reduction_fraction * fleet), 1)


def _written(table: PolicyTable, current: Int64s) -> Bools:
    written: Bools = (current != UNKNOWN) & (table.mode == Mode.OWN)
    return written


def _remembered(turn: Turn, state: State) -> State:
    """What was taken away within the window, the last turn's writes included.

    Only what was written counts: a workload that nobody lets us write would use up the budget of all others, for ever.
    """
    written, before = turn.snapshot.written, turn.snapshot.written_from
    last = int(np.where(written != UNKNOWN, np.maximum(before - written, 0), 0).sum())
    reduced = np.append(state.reduced, [last] if last else []).astype(np.int64)
    reduced_at = np.append(state.reduced_at, [turn.before.at] if last else [])
    recent = turn.now - reduced_at < turn.table.guards.reduction_window
    return dataclasses.replace(state, reduced=reduced[recent], reduced_at=reduced_at[recent])


def _shared(cuts: Int64s, budget: int, now: float) -> Int64s:
    """Each cut in proportion, rounded down; what is left over goes one by one, from another slot on in every turn.

    In a fixed order the first slots would take the only one of a small budget, also when their write never succeeds.
    """
    wanted = int(cuts.sum())
    if wanted <= budget:
        return cuts
    allowed = cuts * budget // wanted
    waiting = np.flatnonzero(allowed < cuts)
    first = (int(now) * 2_654_435_761 >> 16) % len(waiting)  # scattered: 15 s steps must not meet 15 slots
    allowed[np.roll(waiting, -first)[: budget - int(allowed.sum())]] += 1
    return allowed
