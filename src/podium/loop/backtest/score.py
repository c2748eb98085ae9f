"""What a back-test counts, day by day: load, what of it found no capacity, replicas paid, and their changes."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from podium.loop.backtest.trace import DAY
from podium.loop.simulate import REPLICA, Course
from podium.model.arrays import Bools, Float64s, Int32s, Int64s


@dataclasses.dataclass(frozen=True, slots=True)
class Score:
    """One policy on one trace: a row per day that was judged, the last of which may be short."""

    minutes: Int64s  # [d] judged
    load: Float64s  # [d] replica-minutes
    unserved: Float64s  # [d] replica-minutes of load that found no capacity
    violations: Int64s  # [d] minutes with any
    paid: Int64s  # [d] replica-minutes ordered
    oracle: Int64s  # [d] replica-minutes that the clairvoyant oracle orders
    changes: Int64s  # [d] minutes in which the number of replicas changed
    reserve: Int64s | None = None  # [d] replica-minutes of `paid` for what nobody could foresee; None: it has no floor

    @property
    def unserved_fraction(self) -> float:
        """Share of the load that found no capacity; 0 without any load."""
        load = float(self.load.sum())
        return float(self.unserved.sum()) / load if load > 0 else 0.0

    @property
    def violation_minutes(self) -> int:
        """Minutes in which some load found no capacity."""
        return int(self.violations.sum())

    @property
    def replica_hours(self) -> float:
        """Paid, from the order on."""
        return float(self.paid.sum()) / 60

    @property
    def reserve_hours(self) -> float | None:
        """Replica-hours that were there only for what nobody could foresee; None: it keeps no reserve on purpose."""
        return None if self.reserve is None else float(self.reserve.sum()) / 60

    def part(self, days: slice) -> Score:
        """Some days of it."""
        columns: list[Any] = [getattr(self, one.name) for one in dataclasses.fields(Score)]
        chosen: list[Any] = [None if column is None else column[days] for column in columns]
        return Score(*chosen)

    @property
    def oracle_replica_hours(self) -> float:
        """What it would have cost to serve every minute fully, knowing the future."""
        return float(self.oracle.sum()) / 60

    @property
    def cost(self) -> float:
        """Paid over the oracle's."""
        return self.replica_hours / self.oracle_replica_hours


def oracle_replicas(load: Float64s) -> Int64s:
    """As many as every minute's load needs, never fewer than one; one where the load is not known."""
    return np.maximum(np.ceil(np.where(np.isnan(load), 0.0, load) / REPLICA), 1).astype(np.int64)


def scores(load: Float64s, judged: Bools, course: Course, reserve: Int64s | None = None) -> list[Score]:
    """What n slots did with their loads [t, n] (units of `loop.simulate`), over the minutes that are judged.

    `reserve` [t, n] is how many of the ordered replicas were reserve, UNKNOWN where that is not known.
    """
    return [
        _score(
            load[rows, slot],
            course.ordered[:, slot],
            course.ready[rows, slot],
            rows,
            None if reserve is None else np.maximum(reserve[rows, slot], 0),
        )
        for slot in range(load.shape[1])
        for rows in (np.flatnonzero(judged[:, slot]),)
    ]


def _score(load: Float64s, ordered: Int32s, ready: Int32s, rows: Int64s, reserve: Int64s | None) -> Score:
    """One slot, its judged `rows` gathered into days of the calendar of rows."""
    day = (rows - rows[0]) // DAY
    unserved = np.maximum(load - ready * REPLICA, 0.0)
    paid = ordered[rows]
    before = ordered[np.maximum(rows - 1, 0)]
    some = np.bincount(day) > 0

    def total(values: Float64s) -> Float64s:
        return np.bincount(day, values)[some].astype(np.float64)

    def count(values: Bools | Int32s | Int64s) -> Int64s:
        return total(values.astype(np.float64)).astype(np.int64)

    return Score(
        minutes=np.bincount(day)[some].astype(np.int64),
        load=total(load / REPLICA),
        unserved=total(unserved / REPLICA),
        violations=count(unserved > 0),
        paid=count(paid),
        oracle=count(oracle_replicas(load)),
        changes=count((paid != before) & (before > 0)),
        reserve=None if reserve is None else count(reserve),
    )
