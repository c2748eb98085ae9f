"""Learned capacities among the policies of a turn, and what is said of them."""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.table import MetricGroup, MetricKind, PolicyTable
from podium.model.arrays import Bools, Float64s
from podium.model.capacity import Basis, Learned
from podium.model.decision import Reason

SAID = {
    Basis.CPU: Reason.CAPACITY_BY_CPU,
    Basis.LATENCY: Reason.CAPACITY_BY_LATENCY,
    Basis.SATURATION: Reason.CAPACITY_BY_SATURATION,
}


def over(table: PolicyTable, learned: Learned) -> PolicyTable:
    """The same policies, with what was learned in the place of capacities that nobody wrote.

    Where a capacity is known the load is one more metric, as where it was written. Raises nothing: what is not known
    yet stays NaN.
    """
    if table.learning is None or not len(learned.slots):
        return table
    known = ~np.isnan(learned.used)
    slots, position = learned.slots[known], table.learning.position[known]
    capacity = in_force(table.capacity, learned)
    targets = np.maximum(np.rint(1000.0 * learned.used[known]), 1).astype(np.int64)
    names = np.array([table.load[slot] for slot in slots.tolist()], np.str_)
    groups = tuple(
        MetricGroup(MetricKind.LOAD, str(name), slots[names == name], targets[names == name], position[names == name])
        for name in np.unique(names)
    )
    alone = table.limits_alone
    if alone is not None and len(slots):
        alone = alone.copy()
        alone[slots] = False
    return dataclasses.replace(
        table, capacity=capacity, metrics=(*table.metrics, *groups), limits_alone=alone, learned=learned
    )


def in_force(capacity: Float64s, learned: Learned) -> Float64s:
    """[n] the written capacities, and the learned ones of who asks for that; NaN: not known."""
    out = capacity.copy()
    out[learned.slots] = learned.used
    return out


def tell_capacity(turn: Turn, draft: Draft) -> Draft:
    """What a replica serves, where that was learned; it moves no number."""
    learned, size = turn.table.learned, len(turn.table)
    if learned is None:
        return draft

    def spread(values: np.ndarray, unknown: float) -> np.ndarray:
        out = np.full(size, unknown, np.float64)
        out[learned.slots] = values
        return out

    mine = np.zeros(size, np.bool_)
    mine[learned.slots] = True
    known: Bools = draft.open & mine & ~np.isnan(spread(learned.used, np.nan))
    draft.reasons.add(draft.open & mine & ~known, Reason.CAPACITY_UNKNOWN, spread(learned.seconds, np.nan))
    estimate, margin = spread(learned.estimate, np.nan), spread(learned.margin, np.nan)
    percent = np.clip(np.rint(100.0 * np.nan_to_num(spread(learned.reached, 0.0))), 0, 10_000).astype(np.int16)
    basis = spread(learned.basis, -1)
    for one, code in SAID.items():
        told = known & (basis == one)
        draft.reasons.add(told, code, estimate, margin, spread(learned.seconds, np.nan), metric=percent)
    return draft
