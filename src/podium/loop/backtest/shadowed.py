"""Two courses of one workload side by side: what one would have saved over the other, and where it would have hurt.

A moment is a stretch of minutes in which one left load unserved that the other served, with at most five quiet minutes
inside. Load that both left unserved counts for neither.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np

from podium.loop.backtest.likely import Interval, draws, saved
from podium.loop.backtest.run import Field, Ran
from podium.loop.backtest.score import Score
from podium.loop.backtest.trace import DAY, MINUTE
from podium.loop.simulate import REPLICA
from podium.model.arrays import Float64s, Int64s
from podium.model.clock import duration, rfc3339

QUIET = 5  # minutes that do not end a moment
MOST = 20  # moments named of each workload and kind


@dataclasses.dataclass(frozen=True, slots=True)
class Moment:
    """A stretch in which one side served load that the other left."""

    begin: float  # Unix seconds
    minutes: int
    unserved: float  # load x minutes, in the unit of the series
    worst: int  # replicas that were missing at most

    def words(self) -> str:
        """For people."""
        many = "a replica" if self.worst == 1 else f"up to {self.worst} replicas"
        return f"{rfc3339(self.begin)}, {duration(self.minutes * MINUTE)}: {many} too few"


@dataclasses.dataclass(frozen=True, slots=True)
class Shadowed:
    """One workload: what was (or another policy), and what would have been."""

    name: str
    was: Score
    would: Score
    saved: Interval | None  # replica-hours with 95 % confidence; None: too few days
    hurt: tuple[Moment, ...]  # where it would have left load that was served, the worst first
    helped: tuple[Moment, ...]  # where it would have served load that was left
    notes: tuple[str, ...] = ()

    @property
    def saved_hours(self) -> float:
        """Replica-hours; negative: it would have cost more."""
        return self.was.replica_hours - self.would.replica_hours

    def verdict(self, risk: float) -> str:
        """In a word or two."""
        would, was = self.would.unserved_fraction, self.was.unserved_fraction
        if would > max(risk, was):
            return "would have hurt"
        if self.saved is not None and self.saved[0] > 0:
            return "would have saved"
        if was > risk >= would:
            return "would have helped"
        if self.saved_hours < 0:
            return "would have cost more"
        return "about the same" if self.saved is not None else "would have saved, perhaps"

    def as_json(self, risk: float) -> dict[str, Any]:
        """Everything."""
        return {
            "workload": self.name,
            "verdict": self.verdict(risk),
            "was": _figures(self.was),
            "would": _figures(self.would),
            "saved_replica_hours": self.saved_hours,
            "saved_likely": None if self.saved is None else list(self.saved),
            "hurt": [dataclasses.asdict(one) for one in self.hurt],
            "helped": [dataclasses.asdict(one) for one in self.helped],
            "notes": list(self.notes),
        }


def shadowed(field: Field, column: int, was: Ran, would: Ran, was_column: int, notes: Sequence[str] = ()) -> Shadowed:
    """Compare what two contenders did with case `column`; `was` has it in `was_column`."""
    rows = np.flatnonzero(field.judged[:, column])
    load = field.units[rows, column]
    lacked = np.maximum(load - was.course.ready[rows, was_column] * REPLICA, 0.0)
    lacks = np.maximum(load - would.course.ready[rows, column] * REPLICA, 0.0)
    one, other = was.scores[was_column], would.scores[column]
    days = len(one.minutes) - (one.minutes[-1] < DAY // 2 if len(one.minutes) else 0)
    capacity = field.cases[column].capacity
    return Shadowed(
        field.cases[column].trace.name,
        one,
        other,
        saved(other, one, draws(days)),
        _moments(field.first, rows, np.where(lacked > 0, 0.0, lacks), capacity),
        _moments(field.first, rows, np.where(lacks > 0, 0.0, lacked), capacity),
        tuple(notes),
    )


def _moments(first: int, rows: Int64s, short: Float64s, capacity: float) -> tuple[Moment, ...]:
    """The stretches of minutes `rows` with `short` units unserved, the worst first."""
    bad = np.flatnonzero(short > 0)
    if not len(bad):
        return ()
    parts = np.split(bad, np.flatnonzero(np.diff(rows[bad]) > QUIET) + 1)
    found = [
        Moment(
            begin=(first + int(rows[part[0]])) * MINUTE,
            minutes=int(rows[part[-1]] - rows[part[0]]) + 1,
            unserved=float(short[part].sum()) / REPLICA * capacity,
            worst=int(np.ceil(short[part].max() / REPLICA)),
        )
        for part in parts
    ]
    return tuple(sorted(found, key=lambda one: -one.unserved)[:MOST])


def _figures(score: Score) -> dict[str, Any]:
    return {
        "replica_hours": score.replica_hours,
        "reserve_replica_hours": score.reserve_hours,
        "unserved_fraction": score.unserved_fraction,
        "violation_minutes": score.violation_minutes,
        "changes": int(score.changes.sum()),
    }


def added(scores: Sequence[Score]) -> Score:
    """The scores of several workloads as one, day by day from each one's first."""
    days = max((len(one.minutes) for one in scores), default=0)

    def total(name: str) -> Any:
        columns = [getattr(one, name) for one in scores]
        if any(column is None for column in columns):
            return None
        out = np.zeros(days, columns[0].dtype if columns else np.float64)
        for column in columns:
            out[: len(column)] += column
        return out

    return Score(*(total(one.name) for one in dataclasses.fields(Score)))
