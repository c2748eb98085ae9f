"""The limits in force: those of the policy, bent by what its schedule and its rules say at the moment.

The strictest of each kind counts. Where a minimum and a maximum cross, the minimum wins: serving goes before saving.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.table import Int16s, PolicyTable
from podium.model.arrays import UNKNOWN, Float64s, Int32s, Int64s
from podium.model.decision import Reason
from podium.model.snapshot import Held, Holds, Snapshot


@dataclasses.dataclass(frozen=True, slots=True)
class Bound:
    """One limit of n slots, and whose word it is."""

    value: Int64s  # [n]
    code: Int16s  # [n] Reason
    position: Int16s  # [n] number of the window or rule in its policy; UNKNOWN: neither
    until: Float64s  # [n] Unix seconds; NaN: open


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """The limits in force in one turn."""

    minimum: Bound
    maximum: Bound
    ceiling: Int64s  # [n] the maximum without what rules say: a signal may lie, a calendar does not


def in_force(table: PolicyTable, snapshot: Snapshot) -> Bounds:
    """The limits of one turn."""
    held = matching(table, snapshot.held)
    low = _plain(table.minimum, Reason.AT_MINIMUM)
    high = _plain(table.maximum, Reason.AT_MAXIMUM)
    windows = table.windows
    if len(windows.slots):
        until = held.windows[windows.span]
        rows = np.flatnonzero(~np.isnan(until))
        given = windows.slots[rows], windows.position[rows], until[rows]
        low = _raised(low, given[0], windows.minimum[rows], Reason.SCHEDULED_MINIMUM, *given[1:])
        high = _lowered(high, given[0], windows.maximum[rows], Reason.SCHEDULED_MAXIMUM, *given[1:])
    ceiling = high.value
    rules = table.rules
    if len(rules.slots):
        rows = np.flatnonzero(held.rules == Holds.YES)
        where, position, until = rules.slots[rows], rules.position[rows], np.full(len(rows), np.nan)
        low = _raised(low, where, rules.minimum[rows], Reason.RULE_MINIMUM, position, until)
        high = _lowered(high, where, rules.maximum[rows], Reason.RULE_MAXIMUM, position, until)
    # Neither leaves the policy's own limits, and the minimum is the last to give way.
    low = dataclasses.replace(low, value=np.minimum(low.value, table.maximum))
    high = dataclasses.replace(high, value=np.maximum(high.value, low.value))
    return Bounds(low, high, np.maximum(ceiling, low.value))


def matching(table: PolicyTable, held: Held) -> Held:
    """What held, as many as the table has; what was not looked at does not hold (windows) or is unknown (rules)."""
    windows, rules = held.windows, held.rules
    if len(windows) != len(table.windows.spans):
        windows = np.full(len(table.windows.spans), np.nan)
    if len(rules) != len(table.rules.slots):
        rules = np.full(len(table.rules.slots), Holds.UNKNOWN, np.int8)
    return Held(windows, rules)


def _plain(value: Int64s, code: Reason) -> Bound:
    size = len(value)
    return Bound(
        value, np.full(size, code, np.int16), np.full(size, UNKNOWN, np.int16), np.full(size, np.nan, np.float64)
    )


def _raised(bound: Bound, slots: Int32s, value: Int64s, code: Reason, position: Int16s, until: Float64s) -> Bound:
    return _bent(bound, slots, np.where(value == UNKNOWN, -(2**62), value), code, position, until, sign=1)


def _lowered(bound: Bound, slots: Int32s, value: Int64s, code: Reason, position: Int16s, until: Float64s) -> Bound:
    return _bent(bound, slots, np.where(value == UNKNOWN, 2**62, value), code, position, until, sign=-1)


def _bent(
    bound: Bound, slots: Int32s, value: Int64s, code: Reason, position: Int16s, until: Float64s, *, sign: int
) -> Bound:
    """With the strictest of these rows where it is stricter; of equal ones the first."""
    # The strictest row of a slot is written last. lexsort is stable, so equal ones keep their order, reversed here.
    order = np.lexsort((-np.arange(len(slots)), sign * value))
    order = order[sign * value[order] > sign * bound.value[slots[order]]]
    if not len(order):
        return bound
    out = Bound(bound.value.copy(), bound.code.copy(), bound.position.copy(), bound.until.copy())
    where = slots[order]
    out.value[where], out.code[where] = value[order], code
    out.position[where], out.until[where] = position[order], until[order]
    return out
