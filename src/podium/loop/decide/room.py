"""What a cluster has room for: nothing is asked for that quotas or full nodes would refuse, or budgets forbid to take.

More pods where some wait for a node serve nobody sooner, and a quota's refusal would stand in events that few read: the
reason stands in the decision instead. A node that an autoscaler of nodes brings ends the wait, and the workload grows
on. Of a number that a disruption budget wants to be available nothing is taken: it would block every drain of a node.
Going to zero is its owner's word and passes.
"""

from __future__ import annotations

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.model.arrays import UNKNOWN
from podium.model.decision import Reason


def within(turn: Turn, draft: Draft) -> Draft:
    """Between what a budget keeps and what quotas and nodes have room for."""
    room, current = turn.snapshot.room, turn.current
    if len(room.quota) != len(turn.table):
        return draft
    asked = draft.wanted
    stuck = draft.open & (asked > current) & (room.unplaced > 0)
    draft = draft.bent(stuck, current, Reason.NO_NODE, asked, room.unplaced)
    asked, allowed = draft.wanted, current + room.quota
    full = draft.open & (asked > current) & (room.quota != UNKNOWN) & (asked > allowed)
    draft = draft.bent(full, allowed, Reason.QUOTA_LIMITS, asked, allowed)
    asked, kept = draft.wanted, np.minimum(room.budget, current)
    needed = draft.open & (asked < current) & (asked > 0) & (room.budget != UNKNOWN) & (asked < kept)
    return draft.bent(needed, kept, Reason.BUDGET_KEEPS, asked, kept)
