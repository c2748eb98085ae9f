"""How large a series' breaks usually are: the four-fifths quantile of their sizes, and how often there is one at all.

A break counts by how many times the usual one it is, on a logarithmic scale. Where breaks are frequent they say less:
LESS per factor of ten above one row in a hundred. The quantile of sizes is robust: whatever the largest fifth does,
which is where anomalies are, it does not move.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from podium.foresight.anomalies import blocks
from podium.foresight.anomalies.logarithm import lg
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float64s, Int64s

LEVEL = 0.8
PER_DECADE = 20
LOWEST, DECADES = -9, 24  # sizes of 1e-9 to 1e15 in whatever the unit is
BINS = PER_DECADE * DECADES
FEWEST = 5  # breaks before there is a usual one
WARM_ROWS = 200.0
LESS = 0.4
RATE = 0.01
MEMORY_BREAKS, MEMORY_ROWS = 8_192, 65_536.0  # beyond them counts are halved: what was long ago fades
NOTHING = -9.0  # the score of no break

FIELDS = {
    "sizes": Field((BINS,), 0, np.int32),
    "broken": Field((), 0.0, np.float64),
    "known": Field((), 0.0, np.float64),
    "touched": Field((), False, np.bool_),  # broke since its block began
    "usual": Field((), np.nan, np.float64),  # the logarithm of what scores 0
}


def judge(memory: Memory, row: int, excess: Float64s) -> Float64s:
    """[rows, n] how much more than usual each break is, and learn it. Of `excess` 0 is none, NaN unknown.

    0 is the usual break of a series that breaks in 1 % of its rows, 1 is ten times that. `row` numbers the first.
    """
    sizes, broken, known, touched, usual = (memory[name] for name in FIELDS)
    out, flat = np.full(excess.shape, NOTHING), sizes.reshape(-1)  # a view: adding at one index is faster than at two
    place, slot = np.nonzero(excess > 0)
    size = lg(excess[place, slot])
    bins = np.clip(np.floor((size - LOWEST) * PER_DECADE), 0, BINS - 1).astype(np.int64)
    bounds = blocks.bounds(row, len(excess))
    counted = np.add.reduceat(~np.isnan(excess), bounds[:-1], axis=0, dtype=np.float64)
    cuts = pairwise(np.searchsorted(place, bounds).tolist())
    for count, (first, last), end in zip(counted, cuts, bounds[1:], strict=True):
        known += count
        if last > first:
            who = slot[first:last]
            out[place[first:last], who] = np.fmax(size[first:last] - usual[who], NOTHING)  # NaN: nothing usual yet
            np.add.at(flat, bins[first:last] * len(known) + who, 1)
            np.add.at(broken, who, 1.0)
            touched[who] = True
        if blocks.ends(row + end) and touched.any():
            _settle(memory, np.flatnonzero(touched))
            touched[...] = False
    return out


def _settle(memory: Memory, slots: Int64s) -> None:
    """What is usual anew, for slots whose breaks were counted."""
    sizes, broken, known = memory["sizes"], memory["broken"], memory["known"]
    upto = sizes[:, slots].cumsum(axis=0)
    total = upto[-1]
    middle = LOWEST + ((upto < LEVEL * total).sum(axis=0) + 0.5) / PER_DECADE
    rare = LESS * (lg((broken[slots] + 1.0) / (known[slots] + 100.0)) - LG_RATE)
    ready = (total >= FEWEST) & (known[slots] >= WARM_ROWS)
    memory["usual"][slots] = np.where(ready, middle + rare, np.nan)
    full = slots[total > MEMORY_BREAKS]
    sizes[:, full] >>= 1
    old = slots[known[slots] > MEMORY_ROWS]
    known[old] /= 2
    broken[old] /= 2


LG_RATE = float(lg(np.asarray(RATE)))
