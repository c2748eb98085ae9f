"""What came once is not expected again: a hole is marked in the past and told from no more, a spike cut to its bound.

A bin is out of range when it lies FAR above the highest, or below the lowest, of the same time on the days before (of
the cycles before, where a load has a period of its own). What
leaves the range and is back within SPIKE_SECONDS or HOLE_SECONDS was a spike or a hole, which is known, and acted upon,
when it is over. What stays longer is a surge of demand or a new level, what comes on a second day is in reach of the
first, and what comes more than OFTEN in a week is a habit: they are learned as they are. Nothing changes while it goes
on: the newest loads, and with them the present forecast, are true.

Spikes are cut and not marked because those of real loads come again on the next day more often than holes do.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Array, Field, Memory
from podium.model.arrays import Bools, Float32s, Int64s

FAR = np.float32(0.4)  # in logarithms of the load: half as much again as ever, or a third less
SPIKE_SECONDS = 3_600.0
HOLE_SECONDS = 6 * 3_600.0
LONGEST_SECONDS = 86_400.0  # what lasts longer is not counted further
DAYS = 7  # before, that are looked at
OFTEN, OFTEN_SECONDS = 3, 604_800.0
ALL_BUT_SIGN = np.uint16(0x7FFF)
FEWEST_DAYS = 3  # known, before there is a range
FIELDS = {
    "out": Field(fill=0, dtype=np.int16),  # bins since it left the range; negative: below
    "often": Field(fill=0.0),  # incidents of about a week
}


def marked(past: Array) -> Bools:
    """[..., n] which halves bear the sign: read from their bits, twenty times as fast as numpy's own signbit."""
    out: Bools = past.view(np.uint16) > ALL_BUT_SIGN
    return out


def unmarked(past: Array) -> Float32s:
    """[..., n] as it is to be learned from: NaN where marked."""
    out: Float32s = past.astype(np.float32)
    np.copyto(out, np.nan, where=marked(past))
    return out


def true(past: Array) -> Float32s:
    """[..., n] as it was, marked or not."""
    out: Float32s = (past.view(np.uint16) & ALL_BUT_SIGN).view(np.float16).astype(np.float32)
    return out


def follow(memory: Memory, past: Array, number: int, cycle: Float32s, age: Int64s, bin_seconds: float) -> None:
    """Take in bin `number`, the newest of the ring `past` [rows, n]: incidents that it ends are marked there.

    `cycle` [n] is how many bins the day has, or the period of a slot's own; `age` [n] how many bins are since its first
    reading: what lies before was borrowed.
    """
    rows = len(past)
    usual = int(np.median(cycle)) if len(cycle) else 1
    days = true(past[(number - usual * np.arange(1, min(DAYS, (rows - 1) // usual) + 1)) % rows])
    other = np.flatnonzero(cycle != usual)
    if len(other):
        days[:, other] = _cycles(past, number, np.full(len(other), number), other, cycle[other])[: len(days)]
    now = past[number % rows].astype(np.float32)
    enough = np.count_nonzero(~np.isnan(days), axis=0) >= FEWEST_DAYS
    enough &= age >= FEWEST_DAYS * cycle
    side = (now > np.fmax.reduce(days, axis=0) + FAR).astype(np.int16)
    side -= now < np.fmin.reduce(days, axis=0) - FAR
    side *= enough
    out = memory["out"]
    before = np.sign(out)
    np.copyto(side, before, where=np.isnan(now))  # what is not known ends nothing
    most = np.where(out < 0, round(HOLE_SECONDS / bin_seconds), round(SPIKE_SECONDS / bin_seconds))
    often = memory["often"]
    often *= np.float32(1 - bin_seconds / OFTEN_SECONDS)
    over = np.flatnonzero((out != 0) & (side != before) & (np.abs(out) <= most))
    if len(over):
        often[over] += 1
        over = over[often[over] <= OFTEN]
        _mark(past, over, out[over].astype(np.int64), number, cycle)
    longest = round(LONGEST_SECONDS / bin_seconds)
    out[...] = np.where(side == before, np.minimum(np.maximum(out + side, -longest), longest), side)


def _cycles(past: Array, number: int, bins: Int64s, slots: Int64s, cycle: Float32s) -> Float32s:
    """[d, m] the loads 1, 2 ... cycles before some bins of some slots; NaN before what is kept."""
    there = bins - np.rint(cycle * np.arange(1, DAYS + 1, dtype=np.float32)[:, None]).astype(np.int64)
    out = true(past[there % len(past), slots])
    out[there <= number - len(past)] = np.nan
    return out


def _mark(past: Array, slots: Int64s, lengths: Int64s, number: int, cycle: Float32s) -> None:
    """Bound the spikes, and mark the holes, that lasted `lengths` bins (negative: below) up to the one before this."""
    back = np.arange(1, int(np.abs(lengths).max(initial=0)) + 1)
    which, place = np.nonzero(back <= np.abs(lengths)[:, None])
    bins, columns = number - back[place], slots[which]
    here = bins % len(past)
    hole = lengths[which] < 0
    past[here[hole], columns[hole]] = -np.abs(past[here[hole], columns[hole]])
    bins, here, columns = bins[~hole], here[~hole], columns[~hole]
    days = _cycles(past, number, bins, columns, cycle[columns])
    highest = np.fmax.reduce(days, axis=0) + FAR
    past[here, columns] = np.fmin(past[here, columns], highest)
