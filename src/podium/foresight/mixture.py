"""Last value, recent mean and ridge, combined per slot and horizon as their own past says.

Expected is last value + sum of b_i x (expert_i - last value). The b are the least-squares fit over the last days,
weighted by 1 / error so that a burst does not decide alone, shrunk towards 0 (the last value) and kept within
[-0.5, 1.5]; each step solves the normal equations for one of them (Gauss-Seidel, as they change slowly). An expert
that knows nothing yet weighs nothing, and where nothing helps the mixture is the last value.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.banded import Banded, Borrows, Grid, Point
from podium.foresight.borrowing import Loan
from podium.foresight.last_value import LastValue
from podium.foresight.memory import Field, Memory
from podium.foresight.ridge import Ridge
from podium.foresight.seasonal_profile import DAY_SECONDS
from podium.model.arrays import Float32s, Int64s

MEMORY_SECONDS = 5 * DAY_SECONDS
RIDGE = np.float32(0.02)  # of the mean square of an expert's difference: what a fit on little must overcome
STEPS_OF_DOUBT = np.float32(24)  # weighs like so many steps in which no expert was of use
LENT = np.float32(0.1)  # of what lenders have learned of their experts: half a day's worth
LOWEST, HIGHEST = np.float32(-0.5), np.float32(1.5)


class Mixture:
    """A point model over other point models; the first is what the others must improve on."""

    def __init__(self, base: Point, experts: dict[str, Point]) -> None:
        self._base = base
        self._experts = experts

    def fields(self, grid: Grid) -> dict[str, Field]:
        """The experts' memories, what they said and is not yet judged, and the normal equations."""
        k, m = len(grid.horizons), len(self._experts)
        own = {
            "base": Field((grid.rows,)),
            "apart": Field((m, grid.rows), 0.0),  # expert - base, waiting for its outcome
            "square": Field((m, m, k), 0.0),
            "cross": Field((m, k), 0.0),
            "weights": Field((m, k), 0.0),
            "error": Field((k,)),  # mean absolute error of the mixture
        }
        for name, point in {"base": self._base, **self._experts}.items():
            own |= {f"{name}.{field}": value for field, value in point.fields(grid).items()}
        return own

    def learn(self, memory: Memory, grid: Grid, step: int, values: Float32s) -> None:
        """Take in [n] loads: judge what was said of this step, then let every expert learn it."""
        self._judge(memory, grid, grid.due(step), values)
        self._fit(memory, step % len(self._experts))
        for name, point in {"base": self._base, **self._experts}.items():
            point.learn(memory.inside(name), grid, step, values)

    def points(self, memory: Memory, grid: Grid, step: int) -> Float32s:
        """[k, n] the weighted expectations."""
        base = self._base.points(memory.inside("base"), grid, step)
        apart = np.empty((len(self._experts), len(grid.horizons), memory.size), np.float32)
        for i, (name, point) in enumerate(self._experts.items()):
            np.subtract(point.points(memory.inside(name), grid, step), base, out=apart[i])
        np.copyto(apart, 0, where=np.isnan(apart))
        due = grid.due(step)
        memory["base"][due] = base
        memory["apart"][:, due] = apart
        return np.asarray(base + (memory["weights"] * apart).sum(axis=0))

    def borrow(self, memory: Memory, grid: Grid, step: int, groups: Int64s) -> list[Loan]:
        """What the experts borrow, and once how much they are to be believed, from those who lent."""
        out = []
        for name, point in self._experts.items():
            if isinstance(point, Borrows):
                out += point.borrow(memory.inside(name), grid, step, groups)
        for loan in out:
            if loan.first:
                _believe(memory, loan)
        return out

    def _judge(self, memory: Memory, grid: Grid, due: Int64s, values: Float32s) -> None:
        apart, weights, error = memory["apart"][:, due], memory["weights"], memory["error"]
        gained = values - memory["base"][due]  # what the base missed
        known = ~np.isnan(gained)
        gained[~known] = 0
        missed = np.abs(gained - (weights * apart).sum(axis=0))
        np.copyto(error, missed, where=known & np.isnan(error))
        pace = np.float32(grid.step_seconds / MEMORY_SECONDS)
        np.add(error, np.float32(12) * pace * (missed - error), out=error, where=known)
        # Weight 1 / |error| makes the squares count as absolute errors do; the usual error bounds it.
        largest = np.maximum(missed, error)
        weight = np.divide(error, largest, out=np.zeros_like(error), where=known & (largest > 0))
        square, cross = memory["square"], memory["cross"]
        kept = np.float32(1) - pace
        pull = weight * apart
        cross *= kept
        cross += pull * gained
        for i in range(len(apart)):  # the upper triangle: the matrix is symmetric
            row = square[i, i:]
            row *= kept
            row += pull[i] * apart[i:]

    def _fit(self, memory: Memory, i: int) -> None:
        """Set the weight of expert i to the best one while the others stay."""
        square, weights, error = memory["square"], memory["weights"], memory["error"]
        rest = memory["cross"][i].copy()
        for j in range(len(weights)):
            if j != i:
                rest -= square[min(i, j), max(i, j)] * weights[j]
        own = square[i, i] * (1 + RIDGE) + STEPS_OF_DOUBT * error * error
        fitted = np.divide(rest, own, out=np.zeros_like(rest), where=own > 0)
        np.minimum(np.maximum(fitted, LOWEST), HIGHEST, out=weights[i])


def _believe(memory: Memory, loan: Loan) -> None:
    """The lenders' normal equations at the size of the slot's own errors, and worth a part of theirs."""
    square, cross, error = memory["square"], memory["cross"], memory["error"]
    lenders = loan.lenders
    ratio = np.divide(
        error[:, [loan.slot]], error[:, lenders], out=np.zeros_like(error[:, lenders]), where=error[:, lenders] > 0
    )
    share = LENT * ratio * ratio * (loan.weights / loan.weights.sum()).astype(np.float32)
    known = ~np.isnan(share).any(axis=1)
    share[~known] = 0
    square[..., loan.slot] += (square[..., lenders] * share).sum(axis=-1)
    cross[..., loan.slot] += (cross[..., lenders] * share).sum(axis=-1)


class RecentMean(LastValue):
    """The exponentially weighted mean of the last half hour: calmer than the last value where minutes are noise."""

    def learn(self, memory: Memory, grid: Grid, step: int, values: Float32s) -> None:
        """Take in [n] loads."""
        value = memory["value"]
        weight = np.float32(min(1.0, grid.step_seconds / 1_800.0))
        blended = np.where(np.isnan(value), values, value + weight * (values - value))
        super().learn(memory, grid, step, blended)


def mixture(step_seconds: float, size: int = 0) -> Banded:
    """The forecaster of this name."""
    experts: dict[str, Point] = {"mean": RecentMean(), "ridge": Ridge()}
    return Banded("mixture", Mixture(LastValue(), experts), step_seconds, size)
