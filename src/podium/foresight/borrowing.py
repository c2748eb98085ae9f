"""A new load borrows from those of its group (a tenant's): their days, scaled to its own level, until it knows its own.

Every hour of its first day what lies before its first reading is written anew into its past: the lenders' same bins,
each less its mean over the bins that both have seen, plus its own. A lender weighs by how well its shape explains what
was seen so far: 1 / (mean square error)^SHARPNESS, where DOUBT bins are added of an error as large as the lenders'
shapes lie apart, so that an hour that resembles decides little. A load that stays what it is counts as one lender (its
DOUBT bins are as wrong as loads move in a day): where lenders do not resemble each other, or explain nothing, little is
borrowed. Once, in the first hour, the lenders' lines are borrowed too: what follows from such a
past is the same for loads of any size. Own readings are never touched.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from podium.foresight.memory import Array, Memory
from podium.model.arrays import Float32s, Float64s, Int64s

EVERY = 12  # bins between two loans to one slot: an hour
MOST = 48  # lenders that are asked, spread over the group: more change little
SHARPNESS = 3.0
DOUBT = 6.0  # bins
LENT_SAMPLES = np.float32(150)  # of usual weight that borrowed lines stand for: half a day
SMALLEST = 1e-6


class Loan(NamedTuple):
    """What a slot borrows."""

    slot: int
    lenders: Int64s
    weights: Float64s  # of the lenders; with that of a load that stays, their sum is 1
    first: bool  # the first of this slot


def loans(memory: Memory, number: int, day: int, groups: Int64s) -> list[Loan]:
    """Who borrows after bin `number`, the last one learned: slots of a group in the first day since they were born."""
    born = memory["born"]
    age = number - born
    fresh = np.flatnonzero((groups >= 0) & (born >= 0) & (age >= EVERY) & (age < day) & (age % EVERY == 0))
    if not len(fresh):
        return []
    grown = (groups >= 0) & (born >= 0) & (age >= day)
    out = []
    for slot in fresh.tolist():
        lenders = np.flatnonzero(grown & (groups == groups[slot]))
        lenders = lenders[:: -(-len(lenders) // MOST) or 1]
        if len(lenders):
            bins = np.arange(born[slot], number + 1)
            weights = _weights(memory["past"], slot, lenders, bins, day)
            out.append(Loan(slot, lenders, weights, bool(age[slot] == EVERY)))
    return out


def lend_past(memory: Memory, number: int, loan: Loan, week_rows: Int64s) -> None:
    """Write the lenders' days before the first reading of a slot, and but `week_rows` their weeks."""
    past, week, born = memory["past"], memory["week"], int(memory["born"][loan.slot])
    rows = np.arange(born, number + 1) % len(past)
    before = np.arange(number - len(past) + 1, born) % len(past)
    own, theirs = _true(past[rows, loan.slot]), _true(past[np.ix_(rows, loan.lenders)])
    level, off = _mean(own[:, None])[0], _mean(theirs)
    past[before, loan.slot] = np.maximum(level + _blend(_true(past[np.ix_(before, loan.lenders)]) - off, loan), 0)
    shape = level + _blend(week[:, loan.lenders].astype(np.float32) - off, loan)
    shape[week_rows] = week[week_rows, loan.slot]
    week[:, loan.slot] = shape
    heaviest = loan.lenders[loan.weights.argmax()]
    for name in ("periods.own", "periods.heard"):
        memory[name][loan.slot] = memory[name][heaviest]


def lend_lines(memory: Memory, loan: Loan) -> None:
    """Add the lenders' normal equations to a slot's, as if LENT_SAMPLES had taught them, and what they solved to."""
    square, cross, grown = memory["square"], memory["cross"], memory["grown"]
    count = np.maximum(square[-1, loan.lenders], SMALLEST)  # the last number is always 1: its square counts samples
    share = (loan.weights / max(loan.weights.sum(), SMALLEST)).astype(np.float32)
    times = grown[loan.slot] * LENT_SAMPLES * share / count
    square[:, loan.slot] += square[:, loan.lenders] @ times
    cross[..., loan.slot] += cross[..., loan.lenders] @ times
    memory["coefficients"][..., loan.slot] = memory["coefficients"][..., loan.lenders] @ share
    memory["bounds"][:, loan.slot] = memory["bounds"][:, loan.lenders].max(axis=1)
    memory["samples"][loan.slot] += LENT_SAMPLES


def _weights(past: Array, slot: int, lenders: Int64s, bins: Int64s, day: int) -> Float64s:
    """[m] how much each lender weighs, from the bins that the slot has seen."""
    rows = bins % len(past)
    own, theirs = _true(past[rows, slot]), _true(past[np.ix_(rows, lenders)])
    known = ~np.isnan(theirs) & ~np.isnan(own)[:, None]
    count = known.sum(axis=0)
    apart = np.where(known, own[:, None] - theirs, np.nan)
    error = _sum_of_squares(apart)
    stays = _sum_of_squares(own[:, None])[0] * count / max(1, int((~np.isnan(own)).sum()))
    usual, between = _apart(_true(past[np.ix_((bins[-1] - np.arange(day)) % len(past), lenders)]))
    explains = ((error + DOUBT * between) / (count + DOUBT)) ** -SHARPNESS
    nobody = float(np.mean((stays + DOUBT * usual) / (count + DOUBT))) ** -SHARPNESS
    explains[count == 0] = 0
    return np.asarray(explains / (explains.sum() + nobody))


def _apart(days: Float32s) -> tuple[float, float]:
    """Mean squares of [day, m] loads: how far each lies from its own mean, and how far their shapes from each other."""
    shapes = np.nan_to_num(days - _mean(days)).astype(np.float64)
    usual = float((shapes**2).mean()) + SMALLEST
    m = shapes.shape[1]
    if m == 1:
        return usual, usual
    between = 2 * m / (m - 1) * (usual - float((shapes.mean(axis=1) ** 2).mean()))
    return usual, max(between, SMALLEST)


def _blend(shapes: Float32s, loan: Loan) -> Float32s:
    """[r] the lenders' [r, m] shapes by their weights; NaN where none is known."""
    known = ~np.isnan(shapes)
    weight = known @ loan.weights
    total = np.where(known, shapes, 0) @ loan.weights
    # A lender that does not know a bin leaves its weight to the others.
    scale = np.divide(loan.weights.sum(), weight, out=np.full(len(weight), np.nan), where=weight > 0)
    return np.asarray(total * scale, np.float32)


def _true(past: Array) -> Float32s:
    return np.abs(past).astype(np.float32)


def _mean(values: Float32s) -> Float32s:
    """[m] of the known; NaN where nothing is."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0).sum(axis=0)
    return np.asarray(np.divide(total, count, out=np.full(len(count), np.nan, np.float32), where=count > 0))


def _sum_of_squares(values: Float32s) -> Float64s:
    """[m] about their mean."""
    apart = values.astype(np.float64) - _mean(values)
    return np.asarray(np.where(np.isnan(apart), 0, apart * apart).sum(axis=0))
