"""The highest load within a window that begins now: a target of its own, with a model of its own.

Expected is log(1 + maximum / unit), where the unit is the load of one replica (or a twenty-fifth of the usual load):
a ridge on how far other loads lie from the present one, also in logarithms: those of 1 to 30 minutes ago, the largest
and the mean of the last half hour, the largest of as long as the window, and what the forecaster expects within the
window, at its end and half an hour ahead. All weights 0 is the present load.

The normal equations grow every seven minutes and fade in 14 days;
outcomes that were missed by far count less, so that a burst does not decide alone. Blocks of slots are solved in turn.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float32s, Int64s

LAG_SECONDS = (60.0, 120.0, 180.0, 300.0, 600.0, 1200.0, 1800.0)
EVERY_SECONDS = 420.0  # between two lessons of a block: seven minutes, which meet every minute of an hour
BLIND_SECONDS = 86_400.0  # of lessons before the weights leave 0: fewer teach one morning as if it were every hour
SOLVE_EVERY = 24  # lessons between two solutions: 2.8 hours of minutes
MEMORY_SECONDS = 14 * 86_400.0
RIDGE = 0.001  # of the mean square of a feature's sum
RIDGE_ALONE = 0.01  # of a difference of 1 (2.7 times the load), seen once
FURTHEST = np.float32(3.0)  # the centre lies at most so far above the present load: 20 times
HELD_SECONDS = 300.0  # a load older than this says nothing of the present
USUAL_PART = 0.04  # of the usual load: the unit where nobody knows what a replica serves


class Past:
    """What the features are read from: rings of loads and of the forecaster's medians, of one block of slots."""

    def __init__(self, step_seconds: float, longest: int) -> None:
        self.longest = longest
        self.lags = sorted({min(max(1, round(seconds / step_seconds)), longest) for seconds in LAG_SECONDS})
        self.rows = 2 * longest + 1  # features of a window that ends now reach so far back
        self.features = 1 + len(self.lags) + 3 + 3
        self.held_steps = max(1, round(HELD_SECONDS / step_seconds))
        self.every = max(1, round(EVERY_SECONDS / step_seconds))
        self.fewest = max(2 * self.features, round(BLIND_SECONDS / (self.every * step_seconds)))
        self.kept = float(np.exp(-self.every * step_seconds / MEMORY_SECONDS))

    def fields(self) -> dict[str, Field]:
        """What is remembered per slot."""
        p = self.features
        return {
            "loads": Field((self.rows,)),
            "expected": Field((self.longest, 3)),  # medians: largest in the window, at its end, furthest
            "held": Field(),  # the last known load
            "age": Field(fill=0.0),
            "square": Field((p * (p + 1) // 2,), 0.0),
            "cross": Field((p,), 0.0),
            "weights": Field((p,), 0.0),
            "lessons": Field(fill=0.0),
        }


def hold(past: Past, memory: Memory, step: int, loads: Float32s) -> None:
    """Take in the [n] loads of a step."""
    memory["loads"][step % past.rows] = loads
    known = ~np.isnan(loads)
    np.copyto(memory["held"], loads, where=known)
    age = memory["age"]
    age += 1
    age[known] = 0
    memory["held"][age > past.held_steps] = np.nan


def largest(memory: Memory, step: int, steps: Int64s) -> Float32s:
    """[n] the highest load of the last `steps`; NaN where one is unknown."""
    loads = memory["loads"]
    out = np.full(memory.size, np.nan, np.float32)
    running = np.full(memory.size, -np.inf, np.float32)
    for back in range(int(steps.max(initial=0))):
        running = np.maximum(running, loads[(step - back) % len(loads)])  # NaN stays: unknown
        np.copyto(out, running, where=steps == back + 1)
    return out


def features(
    past: Past, memory: Memory, unit: Float32s, origin: int | Int64s, steps: Int64s, present: Float32s
) -> Float32s:
    """[p, n] of windows of `steps` that begin after `origin` (one step for all, or one each), seen from `present`."""
    slots = np.arange(memory.size)
    loads, expected = memory["loads"], memory["expected"]

    def load(back: int) -> Float32s:
        row = (origin - back) % past.rows
        out: Float32s = loads[row] if isinstance(origin, int) else loads[row, slots]
        return out

    def apart(values: Float32s) -> Float32s:
        out: Float32s = np.log1p(values / unit) - here
        out[np.isnan(out)] = 0
        return out

    here = np.log1p(present / unit)
    out = np.empty((past.features, memory.size), np.float32)
    out[0] = 1
    for number, lag in enumerate(past.lags, 1):
        out[number] = apart(load(lag))
    backs = np.arange(1, past.longest + 1)[:, None]
    rows = (origin - backs) % past.rows
    recent = loads[rows[:, 0]] if isinstance(origin, int) else loads[rows, slots]
    highest = np.fmax(present, np.fmax.reduce(recent, axis=0))
    near = int(steps.max(initial=0))
    inside = np.where(backs[:near] <= steps, recent[:near], np.float32(np.nan))
    in_window = np.fmax(present, np.fmax.reduce(inside, axis=0, initial=np.float32(np.nan)))
    known = ~np.isnan(recent)
    total, count = np.zeros_like(present), known.sum(axis=0).astype(np.float32)
    for row_of_loads in np.where(known, recent, np.float32(0)):
        total += row_of_loads  # row by row: the same bits however many slots there are
    mean = np.divide(total, count, out=present.copy(), where=count > 0)
    row = origin % past.longest
    medians = expected[row] if isinstance(origin, int) else expected[row, :, slots].T
    for number, values in enumerate((highest, in_window, mean, *medians), 1 + len(past.lags)):
        out[number] = apart(values)
    return out


def centre(past: Past, memory: Memory, unit: Float32s, step: int, steps: Int64s) -> Float32s:
    """[n] the load around which the maximum of the next `steps` lies; NaN without a present load."""
    present = memory["held"]
    seen = features(past, memory, unit, step, steps, present)
    here = np.log1p(present / unit)
    expected = here.copy()
    for weight, feature in zip(memory["weights"], seen, strict=True):
        expected += weight * feature  # row by row: the same bits however many slots there are
    bounded = np.minimum(np.maximum(expected, 0), here + FURTHEST)
    out: Float32s = unit * np.expm1(bounded)
    return out


def learn(
    past: Past, memory: Memory, unit: Float32s, origin: Int64s, steps: Int64s, outcome: Float32s, weight: Float32s
) -> None:
    """A lesson for a block: [n] the maxima of the windows that began after `origin`; NaN teaches nothing."""
    same = len(origin) > 0 and bool((origin == origin[0]).all())
    at: int | Int64s = int(origin[0]) if same else origin
    row = np.asarray(at) % past.rows
    present = memory["loads"][row] if same else memory["loads"][row, np.arange(memory.size)]
    known = ~np.isnan(outcome) & ~np.isnan(present) & ~np.isnan(weight)
    usable = np.where(known, present, 0).astype(np.float32)
    seen = features(past, memory, unit, at, steps, usable)
    target = np.where(known, np.log1p(np.where(known, outcome, 0) / unit) - np.log1p(usable / unit), 0)
    pull = seen * np.where(known, weight, 0).astype(np.float32)
    kept = np.float32(past.kept)
    memory["cross"][...] = memory["cross"] * kept + pull * target.astype(np.float32)
    square, first = memory["square"], 0
    for i in range(past.features):  # a triangle: the matrix is symmetric
        rows = square[first : first + i + 1]
        rows *= kept
        rows += pull[i] * seen[: i + 1]
        first += i + 1
    memory["lessons"][...] += known


def solve(past: Past, memory: Memory) -> None:
    """Set the weights of a block to the ridge's solution; who had lessons for less than a day keeps 0."""
    ready = np.flatnonzero(memory["lessons"] > past.fewest)
    if not len(ready):
        return
    p = past.features
    rows, columns = np.tril_indices(p)
    matrix = np.empty((len(ready), p, p))
    triangle = memory["square"][:, ready].T
    matrix[:, rows, columns] = triangle
    matrix[:, columns, rows] = triangle
    diagonal = np.arange(p)
    shrink = RIDGE * matrix[:, diagonal, diagonal][:, 1:].mean(axis=1) + RIDGE_ALONE
    matrix[:, diagonal[1:], diagonal[1:]] += shrink[:, None]
    matrix[:, 0, 0] += 1e-6
    cross = memory["cross"][:, ready].T.astype(np.float64)
    memory["weights"][:, ready] = np.linalg.solve(matrix, cross[:, :, None])[:, :, 0].T
