"""What documents, people and rules say of a workload beside its measurements: limits, pauses and doubts."""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.limits import matching
from podium.model.arrays import UNKNOWN
from podium.model.decision import Reason
from podium.model.snapshot import Holds


def follow_limits_alone(turn: Turn, draft: Draft) -> Draft:
    """Where a policy has a schedule or rules and measures nothing, nothing asks for more than the minimum in force."""
    if turn.table.limits_alone is None:
        return draft
    low = turn.bounds.minimum.value
    mine = draft.open & turn.table.limits_alone
    draft = draft.bent(mine & (draft.wanted > low), low, Reason.LIMITS_ALONE, low)
    return dataclasses.replace(draft, measured=draft.measured | mine)


def hold_unknown_rules(turn: Turn, draft: Draft) -> Draft:
    """While a rule that could keep a workload up is unknown, the workload does not go down."""
    rules = turn.table.rules
    if not len(rules.slots):
        return draft
    held = matching(turn.table, turn.snapshot.held).rules
    open_question = (held == Holds.UNKNOWN) | (held == Holds.TOO_LONG)
    rows = np.flatnonzero(open_question & ((rules.minimum != UNKNOWN) | rules.pause_down))
    position = np.full(len(turn.table), UNKNOWN, np.int16)
    why = np.full(len(turn.table), np.nan)
    backwards = rows[::-1]  # of several rules the first is named
    position[rules.slots[backwards]], why[rules.slots[backwards]] = rules.position[backwards], held[backwards]
    current, wanted = turn.current, draft.wanted
    down = draft.open & (position != UNKNOWN) & (current != UNKNOWN) & (wanted < current)
    draft.reasons.add(down, Reason.RULE_UNKNOWN, wanted, why, metric=position)
    return dataclasses.replace(draft, wanted=np.where(down, current, wanted))


def paused(turn: Turn, draft: Draft) -> Draft:
    """A direction that a document, a person or a rule paused is not taken."""
    table, seen = turn.table, turn.current != UNKNOWN
    held = matching(table, turn.snapshot.held).rules
    stopped = (
        (table.pause_up, table.rules.pause_up, table.ordered.up if table.ordered else None, _UP),
        (table.pause_down, table.rules.pause_down, table.ordered.down if table.ordered else None, _DOWN),
    )
    for documented, by_rule, by_order, codes in stopped:
        going = seen & ((draft.wanted > turn.current) if codes is _UP else (draft.wanted < turn.current))
        if not going.any():
            continue
        wanted = draft.wanted
        draft = draft.bent(going & documented, turn.current, codes[0], wanted)
        if by_order is not None and table.ordered is not None and len(table.ordered.until):
            number = by_order.astype(np.int64)
            until = table.ordered.until[np.maximum(number, 0)]
            draft = draft.bent(going & (number != UNKNOWN), turn.current, codes[1], wanted, number, until)
        rows = np.flatnonzero((held == Holds.YES) & by_rule)[::-1]
        if len(rows):
            position = np.full(len(table), UNKNOWN, np.int16)
            position[table.rules.slots[rows]] = table.rules.position[rows]
            mine = going & (position != UNKNOWN)
            draft.reasons.add(mine, codes[2], wanted, metric=position)
            draft = dataclasses.replace(draft, wanted=np.where(mine, turn.current, draft.wanted))
    return draft


_UP = (Reason.PAUSED_UP, Reason.ORDERED_PAUSE_UP, Reason.RULE_PAUSES_UP)
_DOWN = (Reason.PAUSED_DOWN, Reason.ORDERED_PAUSE_DOWN, Reason.RULE_PAUSES_DOWN)
