"""Alarms as episodes: from when to when, how strong, and what it was: a spike, a level shift or a hole.

What it was shows only afterwards: whether the series came back. So a kind is told once fifteen rows after the end are
known, and None until then; scores and alarms do not wait for it.
"""

from __future__ import annotations

import dataclasses
from typing import Literal, TypeAlias

import numpy as np

from podium.model.arrays import Bools, Float64s

Kind: TypeAlias = Literal["spike", "level shift", "hole"]
Severity: TypeAlias = Literal["warning", "critical"]

JOINED_ROWS = 5  # alarms so near are one episode
BEFORE_ROWS, AFTER_ROWS = 60, 30  # what they are compared with
ENOUGH_ROWS = 15  # known after the end, before it is said what it was
CRITICAL = 0.6  # the score of one and a half times what raises an alarm
NOTHING = 0.1  # of what was before: less is next to nothing
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
    start = max(first - BEFORE_ROWS, 0)
    before = _middle(values[start:first][~anomaly[start:first]])
    during = values[first : last + 1]
    known = during[~np.isnan(during)]
    farthest = None
    if len(known):
        farthest = float(known[np.argmax(np.abs(known - (before if before is not None else known[0])))])
    peak = float(score[first : last + 1].max())
    return Episode(
        first=first,
        last=last,
        begin=float(at[first]),
        end=float(at[last]),
        peak=peak,
        severity="critical" if peak >= CRITICAL else "warning",
        kind=_kind(before, farthest, during, values[last + 1 : last + 1 + AFTER_ROWS]),
        before=before,
        farthest=farthest,
    )


def _kind(before: float | None, farthest: float | None, during: Float64s, after: Float64s) -> Kind | None:
    """What it was; None while too little is known of what came after it."""
    if len(after) < ENOUGH_ROWS:
        return None
    if before is None or farthest is None or np.count_nonzero(np.isnan(during)) * 2 > len(during):
        return "hole"
    if before != 0 and abs(farthest) <= NOTHING * abs(before):
        return "hole"
    later = _middle(after)
    if later is None:
        return "hole"
    moved = farthest - before
    return "level shift" if moved and (later - before) / moved >= STAYED else "spike"


def _middle(values: Float64s) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None
