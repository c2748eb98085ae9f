"""The load goes on as it has been going, ever less: a level and a trend that fades (Gardner and McKenzie 1985).

With e the error of what was expected, level + f x trend: level += f x trend + a x e, trend = f x trend + a x b x e, and
k steps ahead level + (f + f^2 + ... + f^k) x trend. The three are given in seconds, so that every grid tells the same.
Through a hole the level goes on by its trend. A load below zero, as a counter that was reset leaves, is a hole.
"""

from __future__ import annotations

import math

import numpy as np

from podium.foresight.banded import Banded, Grid
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float32s

LEVEL_SECONDS = 300.0  # after which an error is down to 1/e in the level
TREND_SECONDS = 3_600.0  # and in the trend
FADE_SECONDS = 7_200.0  # after which a trend is down to 1/e: half an hour on, a fifth of it is gone
HELD_SECONDS = 1_800.0  # a level that nothing confirmed for so long is unknown


class DampedTrend:
    """The point model."""

    def fields(self, grid: Grid) -> dict[str, Field]:  # noqa: ARG002  (the port's)
        """Level, trend per step, and how many steps ago the last reading was."""
        return {"level": Field(), "trend": Field(fill=0.0), "age": Field(fill=0.0)}

    def learn(self, memory: Memory, grid: Grid, step: int, values: Float32s) -> None:  # noqa: ARG002
        """Take in [n] loads."""
        level_gain, trend_gain = (np.float32(gain(grid.step_seconds, s)) for s in (LEVEL_SECONDS, TREND_SECONDS))
        level, trend, age = memory["level"], memory["trend"], memory["age"]
        trend *= np.float32(fade(grid.step_seconds))
        level += trend
        known = values >= 0  # false for NaN
        error = np.where(known, values - level, 0)
        begins = known & np.isnan(level)
        np.copyto(error, 0, where=begins)
        np.copyto(level, values, where=begins)
        level += level_gain * error
        trend += level_gain * trend_gain * error
        age += 1
        age[known] = 0
        stale = age * grid.step_seconds > HELD_SECONDS
        level[stale] = np.nan
        trend[stale] = 0

    def points(self, memory: Memory, grid: Grid, step: int) -> Float32s:  # noqa: ARG002
        """[k, n] level + what the fading trend adds; no load is below nothing."""
        kept = fade(grid.step_seconds)
        total = (kept * (1 - kept**grid.lengths) / (1 - kept)).astype(np.float32)
        return np.asarray(np.maximum(memory["level"] + total[:, None] * memory["trend"], 0))


def gain(step_seconds: float, seconds: float) -> float:
    """The weight of one step in what fades by 1/e in `seconds`."""
    return 1 - math.exp(-step_seconds / seconds)


def fade(step_seconds: float) -> float:
    """What is left of a trend after one step."""
    return math.exp(-step_seconds / FADE_SECONDS)


def damped_trend(step_seconds: float, size: int = 0) -> Banded:
    """The forecaster of this name."""
    return Banded("damped-trend", DampedTrend(), step_seconds, size)
