"""The same time on earlier days: the highest and lowest value of each part of a day, kept for a week.

A day has `per_day` parts of about ten rows. A row is held against the five parts around its time of day, so that what
comes every day may come a little earlier or later. Two questions are asked: is it beyond the second highest of the last
four days (one of which may have been an anomaly), and is it beyond all of the last seven.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from podium.foresight.memory import Field, Memory
from podium.model.arrays import Bools, Float32s, Float64s, Int64s

DAY_SECONDS = 86_400.0
PART_ROWS = 10
FEWEST, MOST = 8, 144  # parts of a day
AROUND = 2  # parts to either side
DAYS = 7
LAST_DAYS = 4
WEEKS = 8  # that are looked at in one go
ENOUGH_DAYS = 3  # of the seven, before anything is beyond all of them


def parts_per_day(step_seconds: float) -> int:
    """How many parts a day has for rows so far apart."""
    return min(max(round(DAY_SECONDS / (PART_ROWS * step_seconds)), FEWEST), MOST)


def fields(per_day: int) -> dict[str, Field]:
    """What is remembered: extremes by part, in a ring of eight days."""
    ring = ((DAYS + 1) * per_day,)
    return {"high": Field(ring, np.nan, np.float32), "low": Field(ring, np.nan, np.float32)}


class Limits(NamedTuple):
    """What each of some parts is held against; [parts, n], NaN where too few days are known."""

    number: Int64s  # [parts]
    second_high: Float64s  # of LAST_DAYS
    second_low: Float64s
    highest: Float64s  # of DAYS
    lowest: Float64s


def together(parts: Int64s, per_day: int) -> int:
    """How many rows, from the first on, may be judged in one go: those of WEEKS, whose parts are kept meanwhile."""
    return int(np.searchsorted(parts, parts[0] + WEEKS * DAYS * per_day, "left"))


def judge(
    memory: Memory, newest: int | None, parts: Int64s, values: Float64s, limits: Limits | None
) -> tuple[Limits, Int64s]:
    """Learn [rows, n] values (NaN teaches nothing) of rising `parts`, the newest before which was `newest`.

    Returns what the parts are held against, and the place there of each row. `limits` are the last ones returned: they
    hold while a part lasts, since the days before it do.
    """
    per_day = len(memory["high"]) // (DAYS + 1)
    starts = np.flatnonzero(np.diff(parts, prepend=parts[0] - 1))
    number, row = parts[starts], np.repeat(np.arange(len(starts)), np.diff(starts, append=len(parts)))
    rings = {name: memory[name] for name in ("high", "low")}
    if parts[-1] - parts[0] >= per_day - AROUND:  # later rows are held against what earlier ones teach
        rings = {name: _longer(ring, newest, int(parts[0]), int(parts[-1])) for name, ring in rings.items()}
    _learn(rings, newest, number, starts, values)
    if limits is None or len(number) > 1 or limits.number[0] != number[0]:
        limits = _limits(rings, number, per_day)
    for name, ring in rings.items():
        if ring is not memory[name]:
            kept = np.arange(parts[-1] - len(memory[name]) + 1, parts[-1] + 1)
            memory[name][kept % len(memory[name])] = ring[kept % len(ring)]
    return limits, row


def beyond(limits: Limits, row: Int64s, values: Float64s, up: Bools) -> tuple[Float64s, Float64s]:
    """([rows, n], [rows, n]) excess over the second extreme of LAST_DAYS on the side `up`, and over all of DAYS."""
    above, below = values - limits.second_high[row], limits.second_low[row] - values
    last = np.maximum(np.where(up, above, below), 0.0)
    return last, np.maximum(np.maximum(values - limits.highest[row], limits.lowest[row] - values), 0.0)


def _longer(ring: Float32s, newest: int | None, first: int, last: int) -> Float32s:
    """A ring that holds the extremes up to part `newest` of `ring` and has room for parts `first` to `last`."""
    out = np.full((len(ring) + last - first + 1, ring.shape[1]), np.nan, np.float32)
    if newest is not None:
        kept = np.arange(newest - len(ring) + 1, newest + 1)
        kept = kept[kept >= first - len(ring)]
        out[kept % len(out)] = ring[kept % len(ring)]
    return out


def _learn(rings: dict[str, Float32s], newest: int | None, number: Int64s, starts: Int64s, values: Float64s) -> None:
    """Take [rows, n] values into the parts `number`, which begin at the rows `starts`."""
    last = int(number[-1])
    for name, pick in (("high", np.fmax), ("low", np.fmin)):
        ring = rings[name]
        if newest is not None and last > newest:
            ring[np.arange(max(newest + 1, last - len(ring) + 1), last + 1) % len(ring)] = np.nan
        place = number % len(ring)
        ring[place] = pick(ring[place], pick.reduceat(values, starts, axis=0))


def _limits(rings: dict[str, Float32s], number: Int64s, per_day: int) -> Limits:
    """What the parts `number` are held against: the parts around them on the days before."""
    wanted = (
        number[:, None, None]
        - per_day * np.arange(1, DAYS + 1)[None, :, None]
        + np.arange(-AROUND, AROUND + 1)[None, None, :]
    )
    high = np.fmax.reduce(rings["high"][wanted % len(rings["high"])], axis=2).astype(np.float64)  # [parts, days, n]
    low = np.fmin.reduce(rings["low"][wanted % len(rings["low"])], axis=2).astype(np.float64)
    enough = np.count_nonzero(~np.isnan(high), axis=1) >= ENOUGH_DAYS
    highest = np.where(enough, np.fmax.reduce(high, axis=1), np.nan)
    lowest = np.where(enough, np.fmin.reduce(low, axis=1), np.nan)
    return Limits(number, _second(high), -_second(-low), highest, lowest)


def _second(extremes: Float64s) -> Float64s:
    """[parts, n] the second largest of the last days, or the only one; NaN where there is none."""
    first = second = np.full(extremes[:, 0].shape, np.nan)
    for day in range(LAST_DAYS):
        one = extremes[:, day]
        second = np.fmax(second, np.minimum(first, one))  # NaN, and so nothing, where either is unknown
        first = np.fmax(first, one)
    return np.where(np.isnan(second), first, second)
