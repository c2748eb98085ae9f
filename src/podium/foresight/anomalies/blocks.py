"""Blocks of 64 rows: what a row is measured by stands still within its block, however many rows come at once."""

from __future__ import annotations

import numpy as np

from podium.model.arrays import Bools, Int32s

ROWS = 64


def bounds(row: int, rows: int) -> list[int]:
    """Where `rows` rows, the first of which is number `row`, are cut: at 0, at every end of a block, at `rows`.

    bounds(60, 10) is [0, 4, 10]: four rows end a block, six begin the next.
    """
    return [0, *range(ROWS - row % ROWS, rows, ROWS), rows]


def ends(row: int) -> bool:
    """Whether a block ends before row number `row`."""
    return row % ROWS == 0


def until(found: Bools) -> int:
    """How many of [b, ...] blocks there are up to and with the first in which something was found, or all."""
    which = np.flatnonzero(found.reshape(len(found), -1).any(axis=1))
    return int(which[0]) + 1 if len(which) else len(found)


def added_up(counts: Int32s, axis: int) -> Int32s:
    """`counts` added up along an axis other than the last, in place.

    Slots by slots, which lie together, where there are many of them or few steps: numpy's own sum goes the other way.
    """
    if axis and counts.shape[-1] < ROWS:
        return counts.cumsum(axis=axis, out=counts)
    along = np.moveaxis(counts, axis, 0)
    for place in range(1, len(along)):
        along[place] += along[place - 1]
    return counts
