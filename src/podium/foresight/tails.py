"""How far above or below its centre a window's maximum may lie: a histogram of past errors per slot.

An error is a difference of logarithms, divided by a scale that was known when the forecast was made: half of it the
last hour's mean absolute error, three tenths that of this half hour of the day, the rest that of two days, as a
geometric mean. Bins are even in arcsinh: fine around zero, coarse far out. Counts fade by 1/e in 14 days, so a level of
.999 rests on some twenty thousand minutes; beside them stands, to begin with, a Laplace law that weighs as much as 200.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float32s, Float64s, Int64s

BINS = 96
LOWEST, HIGHEST, BEND = -3.0, 120.0, 0.3  # of standardised errors; where the bins turn from even to geometric
FAST_SECONDS = 3_600.0
SLOW_SECONDS = 172_800.0
PART_SECONDS = 1_800.0  # parts of the day that have a scale of their own
PARTS = 48
PART_MEMORY = 120.0  # outcomes
FAST_SHARE, PART_SHARE = 0.5, 0.3
SMALLEST = np.float32(1e-4)
MEMORY_SECONDS = 14 * 86_400.0
FADE_SECONDS = 3_600.0  # counts fade once an hour
PRIOR_WEIGHT = 200.0

_FIRST, _LAST = np.arcsinh(LOWEST / BEND), np.arcsinh(HIGHEST / BEND)
_WIDTH = (_LAST - _FIRST) / BINS
EDGES: Float32s = (BEND * np.sinh(np.linspace(_FIRST, _LAST, BINS + 1))).astype(np.float32)


def _prior() -> Float32s:
    """[k] what a slot without history believes: errors are Laplace distributed around their centre, scale 1."""
    below = np.where(EDGES < 0, 0.5 * np.exp(np.minimum(EDGES, 0.0)), 1 - 0.5 * np.exp(-np.maximum(EDGES, 0.0)))
    return (PRIOR_WEIGHT * np.diff(below)).astype(np.float32)


PRIOR: Float32s = _prior()
FIELDS = {
    "counts": Field((BINS,), PRIOR),
    "fast": Field(),
    "slow": Field(),
    "parts": Field((PARTS,)),
}


def part_of_day(at: Float64s | float) -> Int64s:
    """Which half hour of the day (UTC) a moment lies in."""
    out: Int64s = (np.asarray(at) % 86_400.0 // PART_SECONDS).astype(np.int64)
    return out


def learn(memory: Memory, errors: Float32s, scales: Float32s, at: float, step_seconds: float) -> None:
    """Take in [n] errors of windows that ended at `at` and the scales that were known when they were forecast."""
    slots = np.flatnonzero(~np.isnan(errors))
    _fade(memory, at, step_seconds)
    if not len(slots):
        return
    error = errors[slots]
    size = np.abs(error)
    for name, weight in (("fast", step_seconds / FAST_SECONDS), ("slow", step_seconds / SLOW_SECONDS)):
        _follow(memory[name], slots, size, weight)
    _follow(memory["parts"][part_of_day(at)], slots, size, 1 / PART_MEMORY)
    scale = scales[slots]
    known = ~np.isnan(scale)
    place = (np.arcsinh(error[known] / scale[known] / BEND) - _FIRST) / _WIDTH
    row = np.clip(place.astype(np.int64), 0, BINS - 1)
    memory["counts"][row, slots[known]] += 1


def faded(at: float, step_seconds: float) -> float:
    """The part of the counts that is forgotten at `at`: 0 but once an hour."""
    return (
        1 - float(np.exp(-max(FADE_SECONDS, step_seconds) / MEMORY_SECONDS))
        if at % FADE_SECONDS < step_seconds
        else 0.0
    )


def _fade(memory: Memory, at: float, step_seconds: float) -> None:
    if part := faded(at, step_seconds):
        memory["counts"][...] *= np.float32(1 - part)


def _follow(mean: Float32s, slots: Int64s, size: Float32s, weight: float) -> None:
    before = mean[slots]
    mean[slots] = np.where(np.isnan(before), size, before + np.float32(weight) * (size - before))


def scale(memory: Memory, at: Float64s | float) -> Float32s:
    """[n] the scale of an error of a window that ends at `at` ([n] or one for all); NaN before the first outcome."""
    part = memory["parts"][part_of_day(at), np.arange(memory.size)]
    slow = memory["slow"]
    part = np.where(np.isnan(part), slow, part)
    logs = (
        np.float32(FAST_SHARE) * np.log(memory["fast"] + SMALLEST)
        + np.float32(PART_SHARE) * np.log(part + SMALLEST)
        + np.float32(1 - FAST_SHARE - PART_SHARE) * np.log(slow + SMALLEST)
    )
    out: Float32s = np.maximum(np.exp(logs), SMALLEST)
    return out


class Tails:
    """The counts of a memory, summed up from the far end: made once, asked for several levels."""

    def __init__(self, memory: Memory) -> None:
        self._counts: Float32s = memory["counts"]
        self._above: Float32s = self._counts.copy()  # [k, n] at or above each bin
        for row in range(BINS - 2, -1, -1):  # four times as fast as a cumulative sum along the bins
            self._above[row] += self._above[row + 1]

    def quantile(self, level: Float64s | float) -> Float32s:
        """[n] the standardised error that a share `level` ([n] or one for all) of outcomes stays under."""
        wanted = ((1 - np.asarray(level, np.float64)) * self._above[0]).astype(np.float32)
        row = np.maximum((self._above >= wanted).sum(axis=0) - 1, 0)  # the last bin with so much at or above it
        slots = np.arange(self._counts.shape[1])
        inside = self._counts[row, slots]
        share = (self._above[row, slots] - wanted) / np.where(inside > 0, inside, 1)  # of the bin, from its lower edge
        out: Float32s = EDGES[row] + share.astype(np.float32) * (EDGES[row + 1] - EDGES[row])
        return out
