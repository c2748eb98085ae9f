"""Forecasts of recorded loads, minute by minute, as the loop would have had them: they do not hang on what is decided.

So they are made once per load and asked share of unserved load, whatever policies are compared. Kept is what decisions
use of them: the floor; and what was expected, by which its reserve is told.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from podium.loop.backtest.trace import DAY, MINUTE
from podium.loop.remember.memory import AHEAD, Memory
from podium.loop.simulate import REPLICA
from podium.model.arrays import Bools, Float32s, Float64s, Int64s
from podium.model.forecast import Forecast

HALF = np.array([0.5])


@dataclasses.dataclass(frozen=True, slots=True)
class Foreseen:
    """Forecasts of m loads, made in each of t minutes; NaN and untrusted before `since`."""

    floor: Float32s  # [t, m] the load to be ready for within the lead time
    expected: Float32s  # [t, m] the median of the highest load within the lead time
    coverage: Float32s  # [t, m]
    trusted: Bools  # [t, m]

    def at(self, now: float, rows: Int64s, columns: Int64s) -> Forecast:
        """The forecasts made in minute `rows[n]` of load `columns[n]`, for n slots that live at `now`."""
        return Forecast(
            at=now,
            levels=np.empty(0),
            ahead=AHEAD[:1],
            quantiles=np.empty((0, 1, len(columns)), np.float32),
            coverage=self.coverage[rows, columns],
            trusted=self.trusted[rows, columns],
            floor=self.floor[rows, columns],
        )


def foresee(
    loads: Float64s,
    first: int,
    lead_seconds: Float64s,
    risk: Float64s,
    since: Int64s,
    new_memory: Callable[[], Memory],
    progress: Callable[[float], None] = lambda _: None,
    starts: Float64s | None = None,
) -> Foreseen:
    """Learn `loads` ([t, m] units of `simulate`, from minute `first` on) minute by minute.

    `starts` [k, m] are equally likely seconds of a start-up; None: all take `lead_seconds`. Kept is what is forecast
    from row `since[m]` on.
    """
    rows, size = loads.shape
    outlook, capacity = new_memory().outlook, np.full(size, REPLICA)
    outlook.resize(size)
    out = Foreseen(
        floor=np.full((rows, size), np.nan, np.float32),
        expected=np.full((rows, size), np.nan, np.float32),
        coverage=np.full((rows, size), np.nan, np.float32),
        trusted=np.zeros((rows, size), np.bool_),
    )
    begin = int(since.min(initial=rows))
    for row in range(rows):
        outlook.step((first + row) * MINUTE, loads[row], lead_seconds, risk, capacity, starts)
        if row >= begin:
            out.floor[row] = outlook.peak.floor
            out.expected[row] = outlook.peak.quantiles(first + row, HALF)[0]
            out.coverage[row] = outlook.calibration.coverage
            out.trusted[row] = outlook.calibration.trusted
        if row % DAY == 0:
            progress(row / rows)
    return out
