"""A recorded load, minute by minute: what a back-test replays.

Finer series are averaged over each minute, coarser ones interpolated. A gap of up to five minutes (or one step of a
coarser series) is interpolated, too; a longer one is cut out: it is neither judged nor paid, but time goes on.
"""

from __future__ import annotations

import dataclasses
import math

import numpy as np

from podium.model.arrays import Float64s
from podium.model.clock import duration, rfc3339
from podium.signals.series import Series
from podium.signals.source import Permanent

MINUTE = 60.0
DAY = 1440  # minutes
LONGEST_GAP_SECONDS = 300.0
LONGEST_MINUTES = 10 * 366 * DAY  # ten years: more is a mistake in the time column


@dataclasses.dataclass(frozen=True, slots=True)
class Trace:
    """A load [t] on whole minutes since the epoch, from `first` on; NaN where it is not known."""

    name: str
    first: int  # minute
    load: Float64s  # per minute, in the series' unit; never below zero

    def __len__(self) -> int:
        return len(self.load)

    @property
    def cut_minutes(self) -> int:
        """Minutes that are cut out."""
        return int(np.isnan(self.load).sum())

    def quantile(self, share: float) -> float:
        """A quantile of the known minutes."""
        return float(np.nanquantile(self.load, share))


def trace(name: str, series: Series) -> Trace:
    """A series on the grid of minutes. Raises Permanent that names what was found and what was expected."""
    refuse_no_load(name, series)
    step = series.step_seconds
    if step <= MINUTE * 1.5:
        first, minutes = _averaged(series)
        known = np.flatnonzero(~np.isnan(minutes))
        at, value = ((first + known) * MINUTE).astype(np.float64), minutes[known]
        longest = LONGEST_GAP_SECONDS + MINUTE
    else:
        first = math.ceil(series.at[0] / MINUTE)
        minutes = np.full(math.floor(series.at[-1] / MINUTE) - first + 1, np.nan)
        at, value, longest = series.at, series.value, max(LONGEST_GAP_SECONDS, step) + MINUTE / 2
    return Trace(name, first, _bridged(first, minutes, at, value, longest))


def refuse_no_load(name: str, series: Series) -> None:
    """Raise Permanent for what is no recorded load: too few values, too long a time, values below zero."""
    if len(series) < 2:
        raise Permanent(f"{name}: {len(series)} value(s); expected a series of some days")
    first, last = float(series.at[0]), float(series.at[-1])
    if last - first > LONGEST_MINUTES * MINUTE:
        raise Permanent(
            f"{name}: goes from {rfc3339(first)} to {rfc3339(last)}; expected at most ten years (is a time wrong?)"
        )
    below = series.value < 0
    if below.any():
        row = int(np.argmax(below))
        raise Permanent(
            f"{name}: {int(below.sum())} value(s) below zero, the first {series.value[row]:g} "
            f"at {rfc3339(float(series.at[row]))}; expected a load, which is zero or more"
        )


def _averaged(series: Series) -> tuple[int, Float64s]:
    """(first minute, mean of each minute's values, NaN where there is none)."""
    minute = np.floor(series.at / MINUTE).astype(np.int64)
    first = int(minute[0])
    count = np.bincount(minute - first)
    total = np.bincount(minute - first, series.value)
    return first, np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)


def _bridged(first: int, minutes: Float64s, at: Float64s, value: Float64s, longest: float) -> Float64s:
    """Unknown minutes between two values that are at most `longest` seconds apart, on the line between them."""
    unknown = np.flatnonzero(np.isnan(minutes))
    times = (first + unknown) * MINUTE
    right = np.clip(np.searchsorted(at, times), 1, len(at) - 1)
    near = (at[right] - at[right - 1] <= longest) | (at[right] == times) | (at[right - 1] == times)
    out = minutes.copy()
    out[unknown] = np.where(near, np.interp(times, at, value), np.nan)
    return out


def described(trace: Trace) -> str:
    """For people: how long it is, and what was cut out."""
    words = f"{duration(len(trace) * MINUTE)} from {rfc3339(trace.first * MINUTE)}"
    cut = trace.cut_minutes
    return words + (f", {duration(cut * MINUTE)} of gaps cut out" if cut else "")
