"""Which loads per replica were served well: minutes by load, in bins a tenth apart, and the knee among them.

A minute is good when everything that is asked held (latency below its bound, CPU near its target), else bad. The knee
is the load up to which at most a tenth of the minutes are bad, taking for granted that more load is never better: the
level set of the isotonic regression of "bad" on the load. It minimises

    9 x (bad minutes at or under the knee) + (good minutes above it)

(Robertson, Wright and Dykstra, Order Restricted Statistical Inference, 1988), so one cumulative sum finds it. A knee
must be ahead by `EVIDENCE` such minutes: the lowest one that is not is taken, and one good minute proves nothing.

Each bin remembers its newest hour, so that twenty bad minutes outvote what three bins remember of an older version. The
bins are a ring of 16 under the highest load seen, 4.6-fold in all; that top rises two bins a minute at most, so an
outlier of a billion costs the lowest two, and once an hour it comes down to what is left.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import Bools, Float64s, Int32s, Int64s

Tally = NDArray[np.uint16]  # thousandths of minutes: 60,000 are an hour

BINS = 16
STEP = float(np.log(1.1))
HOUR = 60.0  # minutes that a bin remembers
BAD = 9.0  # a bad minute weighs as much as so many good ones: one in ten is allowed
EVIDENCE = 10.0  # minutes
RISE = 2  # bins a minute
NOWHERE = -(2**31)  # top of a slot that has seen nothing
GONE = 500  # thousandths of a minute under which a bin is empty


def note(tally: Tally, top: Int32s, x: Float64s, held: Bools, told: Bools) -> tuple[Tally, Int32s]:
    """[2, 16, m] good and bad minutes, and [m] the highest bin, after one more minute at load `x` where `told`."""
    out, highest = tally.copy(), top.copy()
    rows = np.flatnonzero(told & (x > 0))
    places = np.floor(np.log(x[rows]) / STEP).astype(np.int64)
    highest[rows] = np.where(highest[rows] == NOWHERE, places, highest[rows])
    for _ in range(RISE):
        higher = rows[places > highest[rows]]
        highest[higher] += 1
        out[:, highest[higher] % BINS, higher] = 0
    inside = (places <= highest[rows]) & (places > highest[rows] - BINS)
    rows, at = rows[inside], places[inside] % BINS
    cells = out[:, at, rows].astype(np.float64)
    cells[np.where(held[rows], 0, 1), np.arange(len(rows))] += 1000.0
    out[:, at, rows] = np.rint(cells * np.minimum(1000.0 * HOUR / cells.sum(axis=0), 1.0)).astype(np.uint16)
    return out, highest


def lowered(tally: Tally, top: Int32s) -> Int32s:
    """[m] the highest bin that anything is left of."""
    places = top.astype(np.int64) - np.arange(BINS)[:, None]
    left = tally.sum(axis=0, dtype=np.int64)[places % BINS, np.arange(len(top))] >= GONE
    return np.where(left.any(axis=0), top - left.argmax(axis=0), NOWHERE).astype(np.int32)


def knee(tally: Tally, top: Int32s) -> tuple[Float64s, Float64s, Float64s, Bools]:
    """([m] the load served well for certain, [m] the likeliest knee, [m] where half the minutes are bad, and

    [m] whether more was seen to be too much). NaN where nothing was served well for long enough. Loads are the middles
    of bins.
    """
    size = len(top)
    places = top.astype(np.int64) - np.arange(BINS - 1, -1, -1)[:, None]  # [16, m] rising
    good, bad = tally[:, places % BINS, np.arange(size)] / 1000.0
    cost = np.vstack([np.zeros(size), np.cumsum(BAD * bad - good, axis=0)])
    best = cost.min(axis=0)
    likeliest = cost.argmin(axis=0)
    lowest = (cost <= best + EVIDENCE).argmax(axis=0)
    above = BAD * bad.sum(axis=0) - BAD * np.vstack([np.zeros(size), np.cumsum(bad, axis=0)])[lowest, np.arange(size)]
    half = np.vstack([np.zeros(size), np.cumsum(bad - good, axis=0)]).argmin(axis=0)
    known = (lowest > 0) & (top != NOWHERE)
    found = (_load(top, cut, known) for cut in (lowest, likeliest, half))
    return *found, known & (above >= EVIDENCE)


def _load(top: Int32s, cut: Int64s, known: Bools) -> Float64s:
    """[m] the middle of the bin under a cut: 1 is the lowest."""
    place = np.where(known, top.astype(np.float64) - BINS + cut, 0.0)
    return np.where(known, np.exp(STEP * (place + 0.5)), np.nan)
