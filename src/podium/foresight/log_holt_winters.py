"""Holt and Winters' smoothing of log(1 + load / unit) in bins of five minutes: level, fading trend, season of a day.

With e the error of what was expected, level + f x trend + season: level += f x trend + a x e, trend = f x trend +
a x b x e, season of this bin += g x (1 - a) x e. In logarithms the season is a factor where the load is large against
the unit (the mean load of the first day), and a sum where it is small: zero is a load like others. On the first day
there is no season yet; its bins become the season, less their mean, once a day has passed.

A hole moves the level by its trend and leaves the season as it was; after half an hour the level is unknown, and the
next reading sets it. A load below zero, as a counter that was reset leaves, is a hole.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.banded import Banded, Grid
from podium.foresight.bins import FIELDS, Bins
from podium.foresight.memory import Array, Field, Memory
from podium.model.arrays import Bools, Float32s, Float64s, Int64s

LEVEL = np.float32(0.3)  # a, per bin
TREND = np.float32(0.05)  # b
SEASON = np.float32(0.3)  # g: a day weighs a fifth of what is known of its bin
FADE = np.float32(0.8)  # f: a trend adds at most four times itself
HELD_SECONDS = 1_800.0
FEWEST = 0.5  # of a day's bins, without which it makes no season
STEEPEST = np.float32(0.5)  # per bin: e^0.5 = 1.6 times in five minutes, and after a whole trend 7.4 times


class LogHoltWinters:
    """The point model, with a season of one day."""

    def fields(self, grid: Grid) -> dict[str, Field]:
        """Level, trend and season in logarithms, and the bin being filled."""
        return {
            **{f"bins.{name}": field for name, field in FIELDS.items()},
            "unit": Field(fill=1.0),
            "level": Field(),
            "trend": Field(fill=0.0),
            "season": Field((Bins(grid).day,)),
            "first": Field(fill=-1, dtype=np.int64),  # bin of the first reading
            "open": Field(fill=False, dtype=np.bool_),  # whether a day has passed, and there is a season
            "age": Field(fill=0.0),  # bins since the last reading
        }

    def learn(self, memory: Memory, grid: Grid, step: int, values: Float32s) -> None:
        """Take in [n] loads; a bin that is complete is learned."""
        bins, inner = Bins(grid), memory.inside("bins")
        bins.learn(inner, step, np.where(values >= 0, values, np.float32(np.nan)))
        if bins.closes(step):
            self._learn(memory, bins, bins.number(step), bins.means(inner))

    def points(self, memory: Memory, grid: Grid, step: int) -> Float32s:
        """[k, n] level + what the fading trend adds + the season then."""
        bins = Bins(grid)
        number = bins.last(step)
        ahead = np.maximum(bins.ahead(step, grid.lengths, number), 0)
        total = (FADE * (1 - FADE**ahead) / (1 - FADE)).astype(np.float32)[:, None]
        expected = memory["level"] + total * memory["trend"] + self._season(memory, number + ahead)
        with np.errstate(over="ignore"):
            return np.asarray(np.maximum(np.expm1(expected) * memory["unit"], 0))

    def _learn(self, memory: Memory, bins: Bins, number: int, loads: Float32s) -> None:
        known = ~np.isnan(loads)
        first = memory["first"]
        np.copyto(first, number, where=known & ((first < 0) | (first > number)))
        begins = known & (first == number)
        np.copyto(memory["unit"], loads, where=begins & (loads > 0))
        scaled = np.log1p(loads / memory["unit"])
        self._follow(memory, scaled, known, number % bins.day, bins.seconds)
        opening = np.flatnonzero((first >= 0) & ~memory["open"] & (number - first >= bins.day - 1))
        if len(opening):
            self._open(memory, opening, number)

    def _follow(self, memory: Memory, scaled: Float32s, known: Bools, row: int, seconds: float) -> None:
        level, trend, season, age = memory["level"], memory["trend"], memory["season"][row], memory["age"]
        opened = memory["open"]
        here = np.where(opened, season, np.float32(0))
        trend *= FADE
        level += trend
        begins = known & np.isnan(level)
        error = np.where(known & ~begins, scaled - level - here, np.float32(0))
        np.copyto(level, scaled - here, where=begins)
        level += LEVEL * error
        trend += LEVEL * TREND * error
        np.minimum(np.maximum(trend, -STEEPEST), STEEPEST, out=trend)
        season += np.where(opened, SEASON * (1 - LEVEL) * error, np.float32(0))
        np.copyto(season, scaled, where=known & ~opened)
        age += 1
        age[known] = 0
        stale = age * np.float32(seconds) > HELD_SECONDS
        level[stale] = np.nan
        trend[stale] = 0

    def _open(self, memory: Memory, slots: Int64s, number: int) -> None:
        """The first day has passed: its bins less their mean are the season. One of too few bins begins again."""
        day = memory["season"][:, slots].astype(np.float64)
        known = ~np.isnan(day)
        enough = known.mean(axis=0) >= FEWEST
        memory["first"][slots[~enough]] = -1
        slots, day, known = slots[enough], day[:, enough], known[:, enough]
        loads = np.expm1(np.where(known, day, 0)) * memory["unit"][slots]
        unit = loads.sum(axis=0) / known.sum(axis=0)
        unit[unit == 0] = 1
        scaled = np.log1p(loads / unit)
        mean = np.where(known, scaled, 0).sum(axis=0) / known.sum(axis=0)
        season = np.where(known, scaled - mean, 0)
        old = memory["unit"][slots].astype(np.float64)
        with np.errstate(over="ignore"):
            present = np.log1p(np.expm1(memory["level"][slots].astype(np.float64)) * old / unit)
        memory["season"][:, slots] = season
        memory["level"][slots] = present - season[number % len(season)]
        memory["trend"][slots] = 0
        memory["unit"][slots] = unit
        memory["open"][slots] = True

    def _season(self, memory: Memory, place: Float64s) -> Float32s:
        """[k, n] the season at these places, in bins; between bins linear, nothing before there is one."""
        season: Array = memory["season"]
        low = np.floor(place).astype(np.int64)
        share = (place - low).astype(np.float32)[:, None]
        rows = len(season)
        out = season[low % rows] * (1 - share) + season[(low + 1) % rows] * share
        return np.where(memory["open"], out, np.float32(0))


def log_holt_winters(step_seconds: float, size: int = 0) -> Banded:
    """The forecaster of this name."""
    return Banded("log-holt-winters", LogHoltWinters(), step_seconds, size)
