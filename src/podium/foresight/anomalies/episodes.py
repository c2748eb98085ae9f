"""Alarms as episodes: from when to when, how strong, and what it was: a spike, a level shift or a hole.

What it was shows only afterwards: whether the series came back within the hour, if rows are minutes, to what the days
before let expect. So a kind is told once fifteen rows after the end are known, and None until then; scores and alarms
do not wait for it. What is over after sixty rows was a spike, up or down, or a hole; what lasts longer a level shift.
"""

from __future__ import annotations

import dataclasses
from typing import Literal, TypeAlias

import numpy as np

from podium.model.arrays import Bools, Float64s

Kind: TypeAlias = Literal["spike", "level shift", "hole"]
Severity: TypeAlias = Literal["warning", "critical"]

JOINED_ROWS = 5  # alarms so near are one episode
BEFORE_ROWS, AFTER_ROWS = 60, 120  # what they are compared with: half of those after tell whether it stayed
DAY_SECONDS, DAYS = 86_400.0, 3  # whose rhythm is no anomaly
ENOUGH_ROWS = 15  # known after the end, before it is said what it was
CRITICAL = 0.6  # the score of one and a half times what raises an alarm
NOTHING = 0.1  # of what was before: less is next to nothing
SAME_SECONDS = 900.0  # apart at most: rows of one time of day
STAYED = 0.5  # of the way to the farthest value, still there afterwards


@dataclasses.dataclass(frozen=True, slots=True)
class Episode:
    """Alarms that belong together. Rows are numbered in the order of time."""

    first: int
    last: int
    begin: float  # Unix seconds of the first and of the last row
    end: float
    peak: float  # the highest score
    severity: Severity
    kind: Kind | None
    before: float | None  # the usual value just before; None where nothing is known
    farthest: float | None  # the value farthest from it


def episodes(at: Float64s, values: Float64s, score: Float64s, anomaly: Bools) -> list[Episode]:
    """The episodes of [t] rows in the order of time; `values` are NaN where unknown."""
    rows = np.flatnonzero(anomaly)
    if not len(rows):
        return []
    cut = np.flatnonzero(np.diff(rows) > JOINED_ROWS) + 1
    return [
        _episode(int(part[0]), int(part[-1]), at, values, score, anomaly) for part in np.split(rows, cut) if len(part)
    ]


def _episode(first: int, last: int, at: Float64s, values: Float64s, score: Float64s, anomaly: Bools) -> Episode:
    start, stop = max(first - BEFORE_ROWS, 0), min(last + 1 + AFTER_ROWS, len(at))
    around = values[start:stop]
    calm = ~anomaly[start:first]
    before = _middle(values[start:first][calm])
    usual = _rhythm(at, values, start, stop)
    level = _middle((around - usual)[: first - start][calm])  # of today against the days before
    expected = np.full(len(around), np.nan if before is None else before)
    if level is not None:
        expected = np.where(np.isnan(usual), expected, usual + level)
    off = around - expected
    during = slice(first - start, last + 1 - start)
    known = np.flatnonzero(~np.isnan(around[during])) + during.start
    far = int(known[np.argmax(np.abs(np.nan_to_num(off[known])))]) if len(known) else None
    peak = float(score[first : last + 1].max())
    return Episode(
        first=first,
        last=last,
        begin=float(at[first]),
        end=float(at[last]),
        peak=peak,
        severity="critical" if peak >= CRITICAL else "warning",
        kind=_kind(around, expected, during, far),
        before=before,
        farthest=None if far is None else float(around[far]),
    )


def _kind(around: Float64s, expected: Float64s, during: slice, far: int | None) -> Kind | None:
    """What it was; None while too little is known of what came after it. `far` is the farthest row `during` it."""
    after = slice(during.stop, None)
    if len(around[after]) < ENOUGH_ROWS:
        return None
    if far is None or np.isnan(expected[far]) or np.count_nonzero(np.isnan(around[during])) * 2 > len(around[during]):
        return "hole"
    if np.isnan(around[after]).all() or 0 != abs(expected[far]) * NOTHING >= abs(around[far]):
        return "hole"
    off = around - expected
    stayed = []
    with np.errstate(over="ignore"):
        times = off / np.where(expected == 0, np.nan, expected)
    for measure in (off, times):  # what was added stays, or the times it is
        later, moved = _middle(measure[after]), measure[far]
        stayed.append(later is not None and moved != 0 and later * np.sign(moved) >= STAYED * abs(moved))
    return "level shift" if any(stayed) else "spike"


def _rhythm(at: Float64s, values: Float64s, start: int, stop: int) -> Float64s:
    """[stop - start] the middle of the values at the same time on the days before; NaN where none is known."""
    wanted = at[start:stop] - DAY_SECONDS * np.arange(1, DAYS + 1)[:, None]
    row = np.searchsorted(at, wanted)
    there = np.where(at[row] - wanted < SAME_SECONDS, values[row], np.nan)
    there.sort(axis=0)  # NaN comes last
    known = np.count_nonzero(~np.isnan(there), axis=0)
    out: Float64s = there[np.maximum(known - 1, 0) // 2, np.arange(stop - start)]
    return out


def _middle(values: Float64s) -> float | None:
    """The median of what is known: a sixth of the time of numpy's own."""
    known = np.sort(values[~np.isnan(values)])
    count = len(known)
    return float(known[(count - 1) // 2] / 2 + known[count // 2] / 2) if count else None
