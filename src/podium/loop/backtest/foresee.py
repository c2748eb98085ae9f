"""Forecasts of recorded loads, minute by minute, as the loop would have had them: they do not hang on what is decided.

So they are made once per load, whatever policies are compared. Kept is what decisions use of them: the largest
quantile within the lead time.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from podium.loop.backtest.trace import DAY, MINUTE
from podium.loop.remember.memory import AHEAD, LEVELS, Memory
from podium.model.arrays import Bools, Float32s, Float64s, Int64s
from podium.model.fleet import Fleet, Slot
from podium.model.forecast import Forecast


@dataclasses.dataclass(frozen=True, slots=True)
class Foreseen:
    """Forecasts of m loads, made in each of t minutes; NaN and untrusted before `since`."""

    peak: Float32s  # [t, q, m] the largest of the quantiles LEVELS within the lead time
    coverage: Float32s  # [t, m]
    trusted: Bools  # [t, m]

    def at(self, now: float, rows: Int64s, columns: Int64s) -> Forecast:
        """The forecasts made in minute `rows[n]` of load `columns[n]`, for n slots that live at `now`."""
        return Forecast(
            at=now,
            levels=LEVELS,
            ahead=AHEAD[:1],
            quantiles=np.ascontiguousarray(self.peak[rows, :, columns].T[:, None, :]),
            coverage=self.coverage[rows, columns],
            trusted=self.trusted[rows, columns],
        )


def foresee(
    loads: Float64s,
    first: int,
    lead_seconds: Float64s,
    since: Int64s,
    new_memory: Callable[[], Memory],
    progress: Callable[[float], None] = lambda _: None,
) -> Foreseen:
    """Learn `loads` ([t, m], from minute `first` on) minute by minute; keep what is forecast from row `since[m]` on."""
    rows, size = loads.shape
    memory = new_memory()
    memory.adopt(Fleet((Slot(None),) * size))
    out = Foreseen(
        peak=np.full((rows, len(LEVELS), size), np.nan, np.float32),
        coverage=np.full((rows, size), np.nan, np.float32),
        trusted=np.zeros((rows, size), np.bool_),
    )
    begin = int(since.min(initial=rows))
    for row in range(rows):
        now = (first + row) * MINUTE
        memory.outlook.step(now, loads[row], lead_seconds)
        if row >= begin:
            forecast = memory.forecast(now)
            inside = forecast.ahead[:, None] <= np.maximum(lead_seconds, forecast.ahead[0])
            curve = np.where(inside & ~np.isnan(forecast.quantiles), forecast.quantiles, np.float32(-np.inf))
            peak = curve.max(axis=1)
            out.peak[row] = np.where(np.isfinite(peak), peak, np.float32(np.nan))
            out.coverage[row] = forecast.coverage
            out.trusted[row] = forecast.trusted
        if row % DAY == 0:
            progress(row / rows)
    return out
