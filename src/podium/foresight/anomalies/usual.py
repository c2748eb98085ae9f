"""How large a series' breaks usually are: the four-fifths quantile of their sizes, and how often there is one at all.

A break counts by how many times the usual one it is, on a logarithmic scale. Where breaks are frequent they say less:
LESS per factor of ten above one row in a hundred. The quantile of sizes is robust: whatever the largest fifth does,
which is where anomalies are, it does not move.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.anomalies import blocks
from podium.foresight.anomalies.logarithm import lg
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float64s, Int32s, Int64s

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
AT_ONCE = 131_072  # counts that are looked at together: they fit a core's cache

FIELDS = {
    "sizes": Field((BINS,), 0, np.uint16),  # at most MEMORY_BREAKS + blocks.ROWS in all
    "broken": Field((), 0.0, np.float64),
    "known": Field((), 0.0, np.float64),
    "touched": Field((), False, np.bool_),  # broke since its block began
    "usual": Field((), np.nan, np.float64),  # the logarithm of what scores 0
}


def judge(memory: Memory, row: int, excess: Float64s) -> Float64s:
    """[rows, n] how much more than usual each break is, and learn it. Of `excess` 0 is none, NaN unknown.

    0 is the usual break of a series that breaks in 1 % of its rows, 1 is ten times that. `row` numbers the first.
    """
    slots = excess.shape[1]
    out = np.full(excess.shape, NOTHING)
    place, slot = np.nonzero(excess > 0)
    size = lg(excess[place, slot])
    bins = np.clip(np.floor((size - LOWEST) * PER_DECADE), 0, BINS - 1).astype(np.int64)
    bounds = np.array(blocks.bounds(row, len(excess)))
    whole = len(bounds) - 1 - (not blocks.ends(row + len(excess)))  # blocks that end here; one more may only begin
    counted = np.add.reduceat(~np.isnan(excess), bounds[:-1], axis=0, dtype=np.float64)
    cuts = np.searchsorted(place, bounds)
    limit = np.empty(len(place))  # the usual break by which each is measured
    most, start = max(AT_ONCE // (BINS * slots), 1), 0
    while start < whole:
        end = min(start + most, whole)
        mine = slice(cuts[start], cuts[end])
        block = np.searchsorted(bounds, place[mine], "right") - 1 - start
        done, before = _settle(memory, counted[start:end], block, bins[mine], slot[mine])
        mine = slice(cuts[start], cuts[start + done])
        limit[mine] = before[block[: mine.stop - mine.start], slot[mine]]
        start += done
    if whole < len(counted):
        mine = slice(cuts[whole], cuts[-1])
        limit[mine] = memory["usual"][slot[mine]]
        _begin(memory, counted[whole], bins[mine], slot[mine])
    out[place, slot] = np.fmax(size - limit, NOTHING)  # NaN: nothing usual yet
    return out


def _begin(memory: Memory, counted: Float64s, bins: Int64s, slot: Int64s) -> None:
    """Count breaks of a block that does not end yet."""
    memory["known"][...] += counted
    if len(slot):
        np.add.at(memory["sizes"].reshape(-1), bins * len(counted) + slot, 1)
        np.add.at(memory["broken"], slot, 1.0)
        memory["touched"][slot] = True


def _settle(memory: Memory, counted: Float64s, block: Int64s, bins: Int64s, slot: Int64s) -> tuple[int, Float64s]:
    """Take in [b, n] whole blocks and the breaks in them, as many blocks as nothing fades in.

    Returns how many those are, and [b, n] what was usual when each of them began.
    """
    count, slots = counted.shape
    sizes, broken = np.zeros((count, BINS, slots), np.int32), np.zeros((count, slots))
    np.add.at(sizes.reshape(-1), (block * BINS + bins) * slots + slot, 1)
    np.add.at(broken.reshape(-1), block * slots + slot, 1.0)
    touched = broken > 0
    touched[0] |= memory["touched"]
    sizes[0] += memory["sizes"]
    blocks.added_up(sizes, 0)
    broken, known = _from(memory["broken"], broken), _from(memory["known"], counted)
    total, usual = _usual(sizes, broken, known)
    usual = np.concatenate((memory["usual"][None], usual))
    newest = np.where(touched, np.arange(1, count + 1)[:, None], 0)  # who did not break keeps what was usual
    usual = np.take_along_axis(usual, np.maximum.accumulate(np.pad(newest, ((1, 0), (0, 0)))), 0)
    full, old = touched & (total > MEMORY_BREAKS), touched & (known > MEMORY_ROWS)
    done = blocks.until(full | old)
    last = done - 1
    memory["sizes"][...] = sizes[last] >> full[last]
    half = np.where(old[last], 0.5, 1.0)
    memory["broken"][...] = broken[last] * half
    memory["known"][...] = known[last] * half
    memory["usual"][...] = usual[done]
    memory["touched"][...] = False
    return done, usual[:done]


def _from(first: Float64s, each: Float64s) -> Float64s:
    """[b, n] sums up to and with each block."""
    out: Float64s = np.cumsum(np.concatenate((first[None], each)), axis=0)[1:]
    return out


def _usual(sizes: Int32s, broken: Float64s, known: Float64s) -> tuple[Int32s, Float64s]:
    """([b, n], [b, n]) how many breaks there are of [b, BINS, n] sizes, and what is usual; NaN while too few."""
    upto = blocks.added_up(sizes.copy(), 1)
    total = upto[:, -1]
    below = np.count_nonzero(upto < (LEVEL * total)[:, None], axis=1)
    middle = LOWEST + (below + 0.5) / PER_DECADE
    rare = LESS * (lg((broken + 1.0) / (known + 100.0)) - LG_RATE)
    ready = (total >= FEWEST) & (known >= WARM_ROWS)
    return total, np.where(ready, middle + rare, np.nan)


LG_RATE = float(lg(np.asarray(RATE)))
