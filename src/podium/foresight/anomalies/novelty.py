"""Whether values like these were ever there: how few earlier rows were near the means over 1, 5 and 15 rows.

Each scale has a histogram of a series' whole past. Its bins are a twelfth of the spread of 98 % of the values wide
and grow by doubling; near means the same bin or its neighbours. A row that has no like counts about 3.5, one like all
others 0. What is missing is looked at the same way: a gap in a series that never had one is news.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.anomalies import blocks
from podium.foresight.anomalies.logarithm import lg
from podium.foresight.anomalies.recent import MEANS, ROWS, means
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Bools, Float64s, Int32s, Int64s

BINS = 256
SPREAD_BINS = 12  # bins that the spread takes at least; at twice as many they are joined in pairs
NEAR = 1  # bins to either side
FULL = 3.5  # of something without its like
PRIOR = 100.0  # rows: the first days say less
FIRST_ROWS = 32  # known, before there is a histogram
DOUBLINGS = 40  # at most, each time
MEMORY_ROWS = 65_000  # beyond them counts are halved: what was long ago fades
AT_ONCE = 131_072  # counts that are looked at together: they fit a core's cache
SCALES = len(MEANS)
ALL_BINS = BINS + 2 * NEAR  # the outermost NEAR stay empty, so that every bin has neighbours
_SCALE = np.arange(SCALES)[:, None, None]
_LG = np.append(0.0, lg(np.arange(1.0, MEMORY_ROWS + 2.0 * blocks.ROWS + PRIOR)))  # of every count there can be

FIELDS = {
    "counts": Field((SCALES, ALL_BINS), 0, np.uint16),  # when the block began
    "total": Field((SCALES,), 0, np.int32),  # of the counts
    "bins": Field((SCALES, blocks.ROWS), 0, np.uint8),  # of the rows of this block, not counted yet
    "taught": Field((blocks.ROWS,), False, np.bool_),  # which of them will be
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
    gaps = np.isnan(now[0])
    taught = taught & ~gaps
    out = np.empty(gaps.shape)
    before = len(window) - len(out)
    bins = _bins(memory, now)
    bounds = blocks.bounds(row, len(out))
    whole = len(bounds) - 1 - (not blocks.ends(row + len(out)))  # blocks that end here; one more may only begin
    most, many, start = max(AT_ONCE // (SCALES * ALL_BINS * out.shape[1]), 1), 1, 0
    while start < whole:
        some = bounds[start : start + many + 1] if start + many < whole else bounds[start : whole + 1]
        part = slice(some[0], some[-1])
        done, new = _settle(memory, row + part.start, some, bins[:, part], gaps[part], taught[part])
        start += done
        out[part.start : bounds[start]] = new
        many = min(2 * many, most)
        if _lay_out(memory, window[: before + bounds[start]]):
            bins, many = _bins(memory, now), 1
    if bounds[whole] < len(out):
        part = slice(bounds[whole], None)
        out[part] = _begin(memory, row + bounds[whole], bins[:, part], gaps[part], taught[part])
    return out


def _bins(memory: Memory, means: Float64s) -> Int64s:
    """The bins of [SCALES, rows, n] means: the outermost hold all beyond; what is unknown goes to the lowest."""
    place = np.floor((means - memory["low"][:, None]) / memory["width"][:, None])
    return np.fmin(np.fmax(place, 0), BINS - 1).astype(np.int64)


def _begin(memory: Memory, row: int, bins: Int64s, gaps: Bools, taught: Bools) -> Float64s:
    """[rows, n] how new the rows are of a block that does not end yet; they wait for its end to be counted."""
    here = slice(row % blocks.ROWS, row % blocks.ROWS + len(gaps))
    memory["bins"][:, here], memory["taught"][here] = bins, taught
    out = _news(memory["counts"][None], memory["total"][None], np.zeros(len(gaps), np.int64), bins)
    memory["rows"][...] += len(gaps)
    if gaps.any():
        np.copyto(out, _gap(memory["then"]), where=gaps)
        memory["missing"][...] += np.count_nonzero(gaps, axis=0)
    return out


def _settle(
    memory: Memory, row: int, bounds: list[int], bins: Int64s, gaps: Bools, taught: Bools
) -> tuple[int, Float64s]:
    """Take in the rows of whole blocks, up to the first after which the histograms may have to be laid out anew.

    Returns how many blocks that are, and [rows, n] how new their rows are.
    """
    lengths, slots = np.diff(bounds), gaps.shape[1]
    block = np.repeat(np.arange(len(lengths)), lengths)
    counts = np.zeros((len(lengths) + 1, SCALES, ALL_BINS, slots), np.int32)  # when each began, and at the end
    counts[0] = memory["counts"]
    waiting = slice(0, row % blocks.ROWS)
    _count(counts[1:], np.zeros(waiting.stop, np.int64), memory["bins"][:, waiting], memory["taught"][waiting])
    _count(counts[1:], block, bins, taught)
    blocks.added_up(counts, 0)
    upto = blocks.added_up(counts[1:].copy(), 2)
    total = np.concatenate((memory["total"][None], upto[:, :, -1]))
    done = blocks.until(np.isnan(memory["width"]) | _wide(upto) | (total[1:] > MEMORY_ROWS))
    rows = slice(0, bounds[done] - bounds[0])
    out = _news(counts[:done], total[:done], block[rows], bins[:, rows])
    then = np.empty((done + 1, 2, slots))  # when each began, and at the end
    then[1:, 0] = memory["rows"] + np.cumsum(lengths[:done])[:, None]
    then[1:, 1] = memory["missing"]
    if gaps.any():
        cuts = np.subtract(bounds[:-1], bounds[0])
        then[1:, 1] += np.add.reduceat(gaps, cuts, axis=0, dtype=np.float64).cumsum(axis=0)[:done]
        then[0] = memory["then"]
        np.copyto(out, _gap(then.swapaxes(0, 1))[block[rows]], where=gaps[rows])
    memory["counts"][...], memory["total"][...], memory["then"][...] = counts[done], total[done], then[done]
    memory["rows"][...], memory["missing"][...] = then[done]
    return done, out


def _count(counts: Int32s, block: Int64s, bins: Int64s, taught: Bools) -> None:
    """Add [SCALES, rows, n] bins, of the rows that are taught, to the counts of their [rows] blocks."""
    slots = counts.shape[3]
    flat = ((block[:, None] * SCALES + _SCALE) * ALL_BINS + NEAR + bins) * slots + np.arange(slots)
    if not taught.all():
        flat = flat[:, taught]
    np.add.at(counts.reshape(-1), flat.reshape(-1), 1)


def _news(counts: Int32s, total: Int32s, block: Int64s, bins: Int64s) -> Float64s:
    """[rows, n] how new rows in these [SCALES, rows, n] bins are, by the [b, ...] counts of their [rows] blocks."""
    slots = counts.shape[3]
    flat = ((block[:, None] * SCALES + _SCALE) * ALL_BINS + NEAR + bins) * slots + np.arange(slots)
    all_of = counts.reshape(-1)
    near = all_of[flat - slots] + all_of[flat] + all_of[flat + slots]
    full, per = _LG[total + 1], FULL / _LG[total + int(PRIOR)]
    news = (full.swapaxes(0, 1)[:, block] - _LG[near + 1]) * per.swapaxes(0, 1)[:, block]
    out: Float64s = news.astype(np.float32).sum(axis=0) / np.float32(SCALES)
    return out.astype(np.float64)


def _gap(then: Float64s) -> Float64s:
    """How new a row without a value is, by [2, ...] rows and missing when its block began."""
    rows, missing = then
    out: Float64s = (lg(rows + 1.0) - lg(missing + 1.0)) * (FULL / lg(rows + PRIOR))
    return out


def _wide(upto: Int32s) -> Bools:
    """[b, SCALES, n] whether the spread of 98 % of the values takes too many bins; `upto`: counts added up by bin."""
    total = upto[:, :, -1:]
    inside = (upto >= 0.01 * total) & (upto < 0.99 * total)
    wide: Bools = np.count_nonzero(inside, axis=2) > 2 * SPREAD_BINS
    return wide


def _lay_out(memory: Memory, window: Float64s) -> bool:
    """Lay out bins, widen them and let counts fade, where the block that ended is a reason to. Says if bins moved."""
    moved = _first(memory, window)
    counts = memory["counts"]
    for _ in range(DOUBLINGS):
        wide = _wide(blocks.added_up(counts.astype(np.int32)[None], 2))[0]
        if not wide.any():
            break
        _widen(memory, wide)
        moved = True
    full = memory["total"] > MEMORY_ROWS
    if full.any():
        counts >>= full[:, None].astype(counts.dtype)
    if moved or full.any():
        memory["total"][...] = counts.sum(axis=1)
    return moved


def _first(memory: Memory, window: Float64s) -> bool:
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
    bins = _bins(memory, means(np.concatenate((np.full(window[-ROWS:].shape, np.nan), window[-ROWS:]))))
    _count(memory["counts"][None], np.zeros(len(newest), np.int64), bins, taught)
    return True


def _widen(memory: Memory, wide: Bools) -> None:
    """Join bins in pairs, around the middle, where [SCALES, n] says so."""
    counts, width, low = memory["counts"][:, NEAR:-NEAR], memory["width"], memory["low"]
    joined = np.zeros_like(counts)
    joined[:, BINS // 4 : BINS // 4 + BINS // 2] = counts[:, 0::2] + counts[:, 1::2]
    np.copyto(counts, joined, where=wide[:, None])
    np.copyto(low, low - width * (BINS // 2), where=wide)
    np.copyto(width, width * 2, where=wide)
