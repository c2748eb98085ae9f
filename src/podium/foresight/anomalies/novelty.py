"""Whether values like these were ever there: how few earlier rows were near the means over 1, 5 and 15 rows.

Each scale has a histogram of a series' whole past. Its bins are a twelfth of the spread of 98 % of the values wide
and grow by doubling; near means the same bin or its neighbours. A row that has no like counts about 3.5, one like all
others 0. What is missing is looked at the same way: a gap in a series that never had one is news.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from podium.foresight.anomalies import blocks
from podium.foresight.anomalies.logarithm import lg
from podium.foresight.anomalies.recent import MEANS, ROWS, means
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Bools, Float64s, Int64s

BINS = 256
SPREAD_BINS = 12  # bins that the spread takes at least; at twice as many they are joined in pairs
NEAR = 1  # bins to either side
FULL = 3.5  # of something without its like
PRIOR = 100.0  # rows: the first days say less
FIRST_ROWS = 32  # known, before there is a histogram
WIDEN_ROWS = 64  # the spread is looked at so often
DOUBLINGS = 40  # at most, each time
MEMORY_ROWS = 131_072  # beyond them counts are halved: what was long ago fades
SCALES = len(MEANS)
_SCALE = np.arange(SCALES)[:, None, None]
_LG = np.append(0.0, lg(np.arange(1.0, MEMORY_ROWS + 2.0 * blocks.ROWS + PRIOR)))  # of every count there can be

FIELDS = {
    "counts": Field((SCALES, BINS), 0, np.int32),
    "news": Field((SCALES, BINS), 0.0, np.float32),  # of a value in each bin, when its block began
    "width": Field((SCALES,), np.nan, np.float64),
    "low": Field((SCALES,), np.nan, np.float64),
    "rows": Field((), 0.0, np.float64),
    "missing": Field((), 0.0, np.float64),
    "then": Field((2,), 0.0, np.float64),  # rows and missing when the block began
}


def judge(memory: Memory, row: int, window: Float64s, now: Float64s, taught: Bools) -> Float64s:
    """[rows, n] how new each row is, 0 to FULL, and learn those that are `taught`.

    `now` are the means [SCALES, rows, n], NaN in rows without a value; `window` the values of these rows and of some
    before them; `row` the number of the first.
    """
    rows, missing = memory["rows"], memory["missing"]
    gaps = np.isnan(now[0])
    any_gap = bool(gaps.any())
    out = np.empty(now.shape[1:])
    before = len(window) - len(out)
    bins = _bins(memory, now)
    slot = np.arange(now.shape[2])
    for start, end in pairwise(blocks.bounds(row, len(out))):
        part = slice(start, end)
        news = memory["news"][_SCALE, bins[:, part], slot]
        out[part] = (news[0] + news[1] + news[2]) / SCALES
        rows += end - start
        if any_gap:
            np.copyto(out[part], _gap(memory), where=gaps[part])
            missing += np.count_nonzero(gaps[part], axis=0)
        _count(memory, bins[:, part], taught[part] & ~gaps[part])
        if blocks.ends(row + end) and _settle(memory, window[: before + end], (row + end) % WIDEN_ROWS == 0):
            bins = _bins(memory, now)
    return out


def _bins(memory: Memory, means: Float64s) -> Int64s:
    """The bins of [SCALES, rows, n] means: the outermost hold all beyond; what is unknown goes to the lowest."""
    place = np.floor((means - memory["low"][:, None]) / memory["width"][:, None])
    return np.fmin(np.fmax(place, 0), BINS - 1).astype(np.int64)


def _count(memory: Memory, bins: Int64s, taught: Bools) -> None:
    counts = memory["counts"]
    slots = counts.shape[2]
    flat = (_SCALE * BINS + bins) * slots + np.arange(slots)
    if not taught.all():
        flat = flat[:, taught]
    np.add.at(counts.reshape(-1), flat.reshape(-1), 1)


def _settle(memory: Memory, window: Float64s, widen: bool) -> bool:
    """The block is complete: what is news from now on. Says whether bins have moved."""
    moved = _begin(memory, window)
    counts, news, then = memory["counts"], memory["news"], memory["then"]
    upto = np.zeros((SCALES, BINS + 2 * NEAR + 1, counts.shape[2]), np.int64)
    inner = upto[:, NEAR + 1 : -NEAR]
    np.cumsum(counts, axis=1, out=inner)
    if widen and _widen(memory, inner):
        moved = True
    total = upto[:, -NEAR - 1]
    upto[:, -NEAR:] = total[:, None]
    near = upto[:, 2 * NEAR + 1 :] - upto[:, : -2 * NEAR - 1]
    near += 1
    per = FULL / _LG[total + int(PRIOR)]
    news[...] = (_LG[total + 1][:, None] - _LG[near]) * per[:, None]
    then[0], then[1] = memory["rows"], memory["missing"]
    if (total > MEMORY_ROWS).any():
        counts >>= (total > MEMORY_ROWS)[:, None].astype(np.int32)
    return moved


def _gap(memory: Memory) -> Float64s:
    """[n] how new a row without a value is."""
    rows, missing = memory["then"]
    out: Float64s = (lg(rows + 1.0) - lg(missing + 1.0)) * (FULL / lg(rows + PRIOR))
    return out


def _begin(memory: Memory, window: Float64s) -> bool:
    """Lay out the bins of slots of which enough is known, by the newest values, which are the first counted."""
    width, low = memory["width"], memory["low"]
    new = np.isnan(width[0])
    if not new.any():
        return False
    newest = window[-ROWS:]
    known = ~np.isnan(newest)
    slots = np.flatnonzero(new & (np.count_nonzero(known, axis=0) >= FIRST_ROWS))
    if not len(slots):
        return False
    newest, known = newest[:, slots], known[:, slots]
    for column, slot in enumerate(slots.tolist()):
        values = np.sort(newest[known[:, column], column])
        middle, rare = float(values[len(values) // 2]), len(values) // 20
        spread = max(float(values[-1 - rare] - values[rare]), 1e-6 * abs(middle), 1e-9)
        width[:, slot] = spread / SPREAD_BINS
        low[:, slot] = middle - width[:, slot] * (BINS // 2)
    memory["counts"][:, :, slots] = 0
    taught = np.zeros((len(newest), len(width[0])), np.bool_)
    taught[:, slots] = known
    _count(
        memory, _bins(memory, means(np.concatenate((np.full(window[-ROWS:].shape, np.nan), window[-ROWS:])))), taught
    )
    return True


def _widen(memory: Memory, upto: Int64s) -> bool:
    """Join bins in pairs, around the middle, while the spread of 98 % of the values takes too many of them.

    `upto` are the counts, added up along the bins; it is kept so. Says whether bins have moved.
    """
    counts, width, low = memory["counts"], memory["width"], memory["low"]
    for again in range(DOUBLINGS):
        total = upto[:, -1:]
        inside = ((upto >= 0.01 * total) & (upto < 0.99 * total)).sum(axis=1)
        wide = (inside > 2 * SPREAD_BINS) & ~np.isnan(width)
        if not wide.any():
            return again > 0
        joined = np.zeros_like(counts)
        joined[:, BINS // 4 : BINS // 4 + BINS // 2] = counts[:, 0::2] + counts[:, 1::2]
        np.copyto(counts, joined, where=wide[:, None])
        np.copyto(low, low - width * (BINS // 2), where=wide)
        np.copyto(width, width * 2, where=wide)
        np.cumsum(counts, axis=1, out=upto)
    return True
