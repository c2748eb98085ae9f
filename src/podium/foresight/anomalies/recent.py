"""The last hour or so: means over the newest rows, and by how much a row breaks out of the range of those before it.

The range is robust: the sixty rows before are six parts of ten, and its upper end is the fourth smallest of the parts'
maxima. So up to two parts may be a spike, or an earlier anomaly, without hiding the next one, and a part that is quiet
does not make every ordinary value a break.
"""

from __future__ import annotations

import numpy as np

from podium.model.arrays import Float64s

PART_ROWS = 10
PARTS = 6
RANK = 3  # of the parts' maxima in rising order: the fourth
ROWS = PARTS * PART_ROWS  # of the past that are needed before a row
MEANS = (1, 5, 15)  # rows; at most ROWS + 1


def means(window: Float64s) -> Float64s:
    """[len(MEANS), rows, n] means of the newest known values at each row of [ROWS + rows, n]; NaN: none is known."""
    rows = len(window) - ROWS
    gaps = np.isnan(window)
    some = bool(gaps.any())
    values = np.where(gaps, 0.0, window) if some else window
    known = (~gaps).astype(np.float64) if some else gaps
    total, count = np.zeros(window[ROWS:].shape), np.zeros(window[ROWS:].shape)
    out = np.empty((len(MEANS), *total.shape))
    for back in range(MEANS[-1]):
        part = slice(ROWS - back, ROWS - back + rows)
        total = total + values[part]
        if some:
            count += known[part]
        if back + 1 in MEANS:
            place = out[MEANS.index(back + 1)]
            if some:
                place[...] = np.nan
                np.divide(total, count, out=place, where=count > 0)
            else:
                np.divide(total, float(back + 1), out=place)
    return out


def breaks(window: Float64s) -> tuple[Float64s, Float64s]:
    """([rows, n], [rows, n]): how far each row lies above and below the range of the ROWS before it; 0 within.

    NaN where the row, or too much of what was before it, is unknown.
    """
    now = window[ROWS:]
    return np.maximum(now - _top(window), 0.0), np.maximum(-_top(-window) - now, 0.0)


def _top(window: Float64s) -> Float64s:
    """[rows, n] the RANK-th of the parts' maxima, in rising order, before each row."""
    rows = len(window) - ROWS
    if rows == 1:
        parts = np.fmax.reduce(window[:-1].reshape(PARTS, PART_ROWS, -1), axis=1).T[None]
    else:
        two = np.fmax(window[1:], window[:-1])
        four = np.fmax(two[2:], two[:-2])
        eight = np.fmax(four[4:], four[:-4])
        ten = np.fmax(eight[:-2], two[8:])
        parts = np.stack([ten[start : start + rows] for start in range(0, ROWS, PART_ROWS)], axis=-1)
    parts = np.sort(parts, axis=-1)  # parts that nobody knows, NaN, come last
    out: Float64s = parts[..., RANK]
    return out
