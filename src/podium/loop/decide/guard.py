"""The fleet's blast radius: how much may be taken away in a window, whatever the reason."""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.table import Mode
from podium.model.arrays import UNKNOWN, Int64s
from podium.model.decision import Reason


def bound_reduction(turn: Turn, draft: Draft) -> Draft:
    """At most a stated share of all replicas goes down per window (10 % in 5 minutes); the rest waits.

    Worked example: 200 replicas allow 20 per window; 5 went a minute ago, 30 are to go now: 15 go, half of each.
    """
    guards, current, now = turn.table.guards, turn.current, turn.now
    # What is never written takes nothing away; counted, a standing wish of such a workload would use up the budget.
    written = (current != UNKNOWN) & (turn.table.mode == Mode.OWN)
    cuts = np.where(written, np.maximum(current - draft.wanted, 0), 0)
    recent = now - draft.state.reduced_at < guards.reduction_window
    taken = int(draft.state.reduced[recent].sum())
    fleet = int(current[written].sum()) + taken
    # A fleet of a few pods may still lose one at a time, or it could never shrink.
    budget = max(int(guards.reduction_fraction * fleet), 1) - taken
    allowed = _shared(cuts, max(budget, 0))
    refused = cuts > allowed
    share = taken / fleet if fleet else 0.0
    draft = draft.bent(
        refused, current - allowed, Reason.REDUCTION_GUARD, draft.wanted, share, guards.reduction_fraction
    )
    reduced = int(allowed.sum())
    state = dataclasses.replace(
        draft.state,
        reduced=np.append(draft.state.reduced[recent], [reduced] if reduced else []).astype(np.int64),
        reduced_at=np.append(draft.state.reduced_at[recent], [now] if reduced else []),
    )
    return dataclasses.replace(draft, state=state)


def _shared(cuts: Int64s, budget: int) -> Int64s:
    """Each cut in proportion, rounded down; what is left over goes one by one in the order of slots."""
    wanted = int(cuts.sum())
    if wanted <= budget:
        return cuts
    allowed = cuts * budget // wanted
    more = np.flatnonzero(allowed < cuts)[: budget - int(allowed.sum())]
    allowed[more] += 1
    return allowed
