"""The same time on earlier days: the highest and lowest value of each part of a day, kept for a week.

A day has `per_day` parts of about ten rows. A row is held against the five parts around its time of day, so that what
comes every day may come a little earlier or later. Two questions are asked: is it beyond the second highest of the last
four days (one of which may have been an anomaly), and is it beyond all of the last seven.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Field, Memory
from podium.model.arrays import Bools, Float64s, Int64s

DAY_SECONDS = 86_400.0
PART_ROWS = 10
FEWEST, MOST = 8, 144  # parts of a day
AROUND = 2  # parts to either side
DAYS = 7
LAST_DAYS = 4
ENOUGH_DAYS = 3  # of the seven, before anything is beyond all of them


def parts_per_day(step_seconds: float) -> int:
    """How many parts a day has for rows so far apart."""
    return min(max(round(DAY_SECONDS / (PART_ROWS * step_seconds)), FEWEST), MOST)


def fields(per_day: int) -> dict[str, Field]:
    """What is remembered: extremes by part, in a ring of eight days."""
    ring = ((DAYS + 1) * per_day,)
    return {"high": Field(ring, np.nan, np.float64), "low": Field(ring, np.nan, np.float64)}


def together(parts: Int64s, per_day: int) -> int:
    """How many rows, from the first on, need nothing that one of them would teach."""
    return int(np.searchsorted(parts, parts[0] + per_day - AROUND, "left"))


def beyond(memory: Memory, parts: Int64s, values: Float64s, up: Bools) -> tuple[Float64s, Float64s]:
    """([rows, n], [rows, n]) excess over the second extreme of LAST_DAYS on the side `up`, and over all of DAYS.

    `parts` [rows] rise. NaN where too few days are known.
    """
    number, row = np.unique(parts, return_inverse=True)
    ring = len(memory["high"])
    per_day = ring // (DAYS + 1)
    wanted = (
        number[:, None, None]
        - per_day * np.arange(1, DAYS + 1)[None, :, None]
        + np.arange(-AROUND, AROUND + 1)[None, None, :]
    )
    place = wanted % ring
    high = np.fmax.reduce(memory["high"][place], axis=2)  # [parts, days, n]
    low = np.fmax.reduce(-memory["low"][place], axis=2)
    above = values - _second(high)[row]
    below = -_second(low)[row] - values
    last = np.maximum(np.where(up, above, below), 0.0)
    enough = np.count_nonzero(~np.isnan(high), axis=1) >= ENOUGH_DAYS
    top = np.where(enough, np.fmax.reduce(high, axis=1), np.nan)[row]
    bottom = -np.where(enough, np.fmax.reduce(low, axis=1), np.nan)[row]
    return last, np.maximum(np.maximum(values - top, bottom - values), 0.0)


def _second(extremes: Float64s) -> Float64s:
    """[parts, n] the second largest of the last days, or the only one; NaN where there is none."""
    first = second = np.full(extremes[:, 0].shape, np.nan)
    for day in range(LAST_DAYS):
        one = extremes[:, day]
        second = np.fmax(second, np.minimum(first, one))  # NaN, and so nothing, where either is unknown
        first = np.fmax(first, one)
    return np.where(np.isnan(second), first, second)


def learn(memory: Memory, newest: int | None, parts: Int64s, values: Float64s) -> int:
    """Take in [rows, n] values (NaN teaches nothing) of rising `parts`; `newest` was the last. Returns the new one."""
    ring = len(memory["high"])
    last = int(parts[-1])
    if newest is not None and last > newest:
        fresh = np.arange(max(newest + 1, last - ring + 1), last + 1) % ring
        for name in ("high", "low"):
            memory[name][fresh] = np.nan
    starts = np.flatnonzero(np.diff(parts, prepend=parts[0] - 1))
    place = parts[starts] % ring
    for name, pick in (("high", np.fmax), ("low", np.fmin)):
        memory[name][place] = pick(memory[name][place], pick.reduceat(values, starts, axis=0))
    return last
