"""The load of this time of day (or week), at the level of the last half hour.

The profile is an exponentially weighted mean over periods of the load in each bin. Expected is profile at the target
x (recent load / recent profile), the ratio shrunk towards 1 where both are small against the usual load. A bin is
written when it has passed and something was seen in it; until then it is unknown, and so is every target in it, which
makes the whole forecast unknown during the first period. A single unseen bin is bridged. An
outage leaves the profile as it was.
"""

from __future__ import annotations

import math

import numpy as np

from podium.foresight.banded import Banded, Grid
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Bools, Float32s, Int64s

DAY_SECONDS = 86_400.0
WEEK_SECONDS = 604_800.0
LEVEL_SECONDS = 900.0  # the recent level's memory
USUAL_SECONDS = 86_400.0  # the usual load's
SHRINK = np.float32(0.05)  # of the usual load: what is small against it moves the ratio little
LARGEST_RATIO = np.float32(8)  # a level further from its profile is a change of regime, not a busy day
STALE_SECONDS = 1_800.0  # without a reading for so long the recent level is unknown
KEPT = np.float32(0.35)  # weight of the newest period; the first is taken whole


class SeasonalProfile:
    """Profile x recent level for one period, in bins of `bin_seconds` between whose centres it is interpolated."""

    def __init__(self, period_seconds: float = DAY_SECONDS, bin_seconds: float = 300.0) -> None:
        if period_seconds % bin_seconds:
            raise ValueError(f"a period of {period_seconds} s does not divide into bins of {bin_seconds} s")
        self.period_seconds = period_seconds
        self.bin_seconds = bin_seconds
        self.bins = round(period_seconds / bin_seconds)

    def fields(self, grid: Grid) -> dict[str, Field]:  # noqa: ARG002  (the port's)
        """The profile, the bin being filled, and the recent level of load and profile."""
        return {
            "profile": Field((self.bins,)),
            "bin": Field(fill=-1, dtype=np.int64),  # number of the bin being filled, counted since the epoch
            "sum": Field(fill=0.0),
            "count": Field(fill=0.0),
            "usual": Field(),
            "load_level": Field(),
            "profile_level": Field(),
            "silent": Field(fill=0.0),  # steps since the last reading
        }

    def learn(self, memory: Memory, grid: Grid, step: int, values: Float32s) -> None:
        """Take in [n] loads."""
        known = ~np.isnan(values)
        self._fill(memory, grid, step, values, known)
        usual = memory["usual"]
        _blend(usual, np.abs(values), known, grid.step_seconds / USUAL_SECONDS)
        here = self.shape(memory, grid, np.array([step]))[0]
        both = known & ~np.isnan(here)
        weight = min(1.0, grid.step_seconds / LEVEL_SECONDS)
        _blend(memory["load_level"], values, both, weight)
        _blend(memory["profile_level"], here, both, weight)
        silent = memory["silent"]
        silent += 1
        silent[known] = 0
        stale = silent * grid.step_seconds > STALE_SECONDS
        memory["load_level"][stale] = np.nan
        memory["profile_level"][stale] = np.nan

    def points(self, memory: Memory, grid: Grid, step: int) -> Float32s:
        """[k, n] profile at the target x recent level."""
        return self.shape(memory, grid, step + grid.lengths) * self.ratio(memory)

    def ratio(self, memory: Memory) -> Float32s:
        """[n] recent load / recent profile; 1 where there is no load at all, NaN where either is unknown."""
        shrink = SHRINK * memory["usual"]
        above = memory["load_level"] + shrink
        below = memory["profile_level"] + shrink
        ratio = np.divide(above, below, out=np.ones_like(above), where=(below > 0) | np.isnan(below))
        return np.minimum(np.maximum(ratio, 1 / LARGEST_RATIO), LARGEST_RATIO)

    def shape(self, memory: Memory, grid: Grid, steps: Int64s) -> Float32s:
        """[s, n] the profile in the middle of each of these steps, whatever the level is."""
        place = (steps - 0.5) * (grid.step_seconds / self.bin_seconds) - 0.5
        low = np.floor(place).astype(np.int64)
        share = (place - low).astype(np.float32)[:, None]
        profile = memory["profile"]
        if (share < 1e-4).all():
            return np.asarray(profile[low % self.bins])
        return np.asarray(profile[low % self.bins] * (1 - share) + profile[(low + 1) % self.bins] * share)

    def _fill(self, memory: Memory, grid: Grid, step: int, values: Float32s, known: Bools) -> None:
        number = math.floor((step - 0.5) * grid.step_seconds / self.bin_seconds)
        filling = memory["bin"]
        passed = (filling != number) & (memory["count"] > 0)
        if passed.any():
            self._write(memory, np.flatnonzero(passed))
        filling[...] = number
        np.add(memory["sum"], values, out=memory["sum"], where=known)
        np.add(memory["count"], 1, out=memory["count"], where=known)

    def _write(self, memory: Memory, slots: Int64s) -> None:
        row = memory["bin"][slots] % self.bins
        mean = memory["sum"][slots] / memory["count"][slots]
        old = memory["profile"][row, slots]
        memory["profile"][row, slots] = np.where(np.isnan(old), mean, old + KEPT * (mean - old))
        self._bridge(memory, row, slots)
        memory["sum"][slots] = 0
        memory["count"][slots] = 0

    def _bridge(self, memory: Memory, row: Int64s, slots: Int64s) -> None:
        """A single bin never seen between two that were is their mean, until it is seen itself."""
        profile = memory["profile"]
        before, missed = (row - 2) % self.bins, (row - 1) % self.bins
        between = (profile[before, slots] + profile[row, slots]) / np.float32(2)
        profile[missed, slots] = np.where(np.isnan(profile[missed, slots]), between, profile[missed, slots])


def seasonal_profile(step_seconds: float, size: int = 0) -> Banded:
    """The forecaster of this name: a daily profile."""
    return Banded("seasonal-profile", SeasonalProfile(), step_seconds, size)


def _blend(mean: Float32s, values: Float32s, known: Bools, weight: float) -> None:
    """Move an exponentially weighted mean towards `values` where they are known; the first value is taken whole."""
    np.copyto(mean, values, where=known & np.isnan(mean))
    np.add(mean, np.float32(weight) * (values - mean), out=mean, where=known)
