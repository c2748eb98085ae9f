"""Blocks of 64 rows: what a row is measured by stands still within its block, however many rows come at once."""

from __future__ import annotations

ROWS = 64


def bounds(row: int, rows: int) -> list[int]:
    """Where `rows` rows, the first of which is number `row`, are cut: at 0, at every end of a block, at `rows`.

    bounds(60, 10) is [0, 4, 10]: four rows end a block, six begin the next.
    """
    return [0, *range(ROWS - row % ROWS, rows, ROWS), rows]


def ends(row: int) -> bool:
    """Whether a block ends before row number `row`."""
    return row % ROWS == 0
