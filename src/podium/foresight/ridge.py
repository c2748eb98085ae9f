"""A regression of the load to come on the load that was: half an hour and a day before, and days like today.

Per slot, one set of normal equations serves every horizon, for the vector told (`design`) is the same: only what came
of it differs. A sample weighs 1 / its error, which makes squares count as absolute errors do, and fades within a week.
Coefficients are shrunk towards 0, where the load stays what it is, as much as PULL samples would; they are solved anew
twice a day, every slot at its own time. What is told of bins is read at any step between them.
"""

from __future__ import annotations

import numpy as np

from podium.foresight import borrowing, equations, periods
from podium.foresight.banded import Banded, Grid
from podium.foresight.bins import FIELDS, Bins
from podium.foresight.design import RECENT, TARGETS, Design
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float32s, Float64s, Int64s

MEMORY_DAYS = 7
ERROR_BINS = np.float32(100)  # memory of the mean error that a sample's weight is measured by
NO_EXACTER = np.float32(0.1)  # of the mean error: an outcome nearer than that weighs no more
HIGHEST = np.float32(2)  # times the highest load of about a week: no expectation goes beyond
DRIFT = np.float32(0.3)  # weight of the newest step in how far the load is off what was told of it
DRIFT_SECONDS = np.float32(600)  # after which a drift is down to 1/e


class Ridge:
    """The point model. Needs a few hours to say more than `it stays`; the days come in as they pass."""

    def fields(self, grid: Grid) -> dict[str, Field]:
        """The past, the normal equations, and what is told."""
        bins = Bins(grid)
        design = Design(bins)
        return {
            **{f"bins.{name}": field for name, field in FIELDS.items()},
            **{f"design.{name}": field for name, field in design.fields().items()},
            **{f"equations.{name}": field for name, field in equations.fields(design.size, len(TARGETS)).items()},
            "told": Field((RECENT, design.size), 0.0, np.float16),  # vectors whose outcome is still to come
            "error": Field((len(TARGETS),)),
            "path": Field((1 + len(TARGETS),)),  # the load now and at TARGETS
            "highest": Field(fill=0.0),
            "drift": Field(fill=0.0),
        }

    def learn(self, memory: Memory, grid: Grid, step: int, values: Float32s) -> None:
        """Take in [n] loads; a bin that is complete is judged and told anew."""
        bins = Bins(grid)
        design = Design(bins)
        inner = memory.inside("bins")
        bins.learn(inner, step, values)
        if bins.closes(step):
            design.learn(memory.inside("design"), bins.number(step), bins.means(inner))
        # A sample costs as much as a vector: on a fine grid it is taken in a step later.
        if step % bins.per_bin == min(1, bins.per_bin - 1):
            self._sample(memory, design, bins.last(step))
        self._look(memory, design, bins.last(step), step, bins.per_bin * bins.day)
        equations.solve(memory.inside("equations"), step, bins.per_bin * bins.day)
        if bins.closes(step):
            self._tell(memory, design, bins.number(step))
        else:
            self._drift(memory, bins, step, values)

    def points(self, memory: Memory, grid: Grid, step: int) -> Float32s:
        """[k, n] the load at each horizon."""
        bins = Bins(grid)
        told = _read(memory["path"], bins.ahead(step, grid.lengths, bins.last(step)))
        ahead = (grid.lengths * grid.step_seconds).astype(np.float32)
        drift = memory["drift"] * np.exp(-ahead / DRIFT_SECONDS)[:, None]
        return np.asarray(np.maximum(told + drift, 0))

    def borrow(self, memory: Memory, grid: Grid, step: int, groups: Int64s) -> list[borrowing.Loan]:
        """New slots borrow from their group when a bin is complete."""
        bins = Bins(grid)
        if not bins.closes(step):
            return []
        loans = Design(bins).borrow(memory.inside("design"), bins.number(step), groups)
        for loan in loans:
            if loan.first:
                borrowing.lend_lines(memory.inside("equations"), loan)
        return loans

    def _sample(self, memory: Memory, design: Design, number: int) -> None:
        """What came by bin `number` of the vector told seven bins before."""
        then, came = design.since(memory.inside("design"), number)
        vector = memory["told"][(number - TARGETS[-1]) % RECENT].astype(np.float32)
        outcomes = came - then
        known = ~np.isnan(outcomes).any(axis=0)
        np.copyto(outcomes, 0, where=~known)
        missed = np.abs(outcomes - equations.answer(memory.inside("equations"), vector))
        error = memory["error"]
        np.copyto(error, missed, where=known & np.isnan(error))
        np.add(error, (missed - error) / ERROR_BINS, out=error, where=known)
        relative = np.divide(missed, error, out=np.ones_like(missed), where=error > 0).mean(axis=0)
        weight = known / np.maximum(relative, NO_EXACTER)
        equations.learn(memory.inside("equations"), vector, outcomes, weight, MEMORY_DAYS * design.day)

    def _look(self, memory: Memory, design: Design, number: int, step: int, steps_a_day: int) -> None:
        """Look for periods of the slots whose turn it is; what was learned of days does not hold for other cycles."""
        inner = memory.inside("equations")
        slots = periods.due(inner["turn"], inner["samples"] * (steps_a_day / design.day), step, steps_a_day)
        if len(slots):
            changed = design.look(memory.inside("design"), number, slots)
            equations.doubt(inner, changed)

    def _tell(self, memory: Memory, design: Design, number: int) -> None:
        inner = memory.inside("design")
        now = design.now(inner, number)
        vector = design.vector(inner, number)
        # Ten times yesterday's load is no reason to fall tenfold: nobody has seen how such a gap closes.
        equations.bound(memory.inside("equations"), vector, design.gaps)
        memory["told"][number % RECENT] = vector
        path = memory["path"]
        path[0] = now
        np.add(now, equations.answer(memory.inside("equations"), vector), out=path[1:])
        highest = memory["highest"]
        highest *= np.float32(1 - 1 / (MEMORY_DAYS * design.day))
        seen = design.loads(inner, now)
        np.fmax(highest, seen, out=highest)
        with np.errstate(over="ignore"):
            path[...] = np.minimum(np.maximum(design.loads(inner, path), 0), HIGHEST * highest)
        memory["drift"][...] = 0

    def _drift(self, memory: Memory, bins: Bins, step: int, values: Float32s) -> None:
        off = values - _read(memory["path"], bins.ahead(step, np.zeros(1), bins.last(step)))[0]
        drift = memory["drift"]
        np.add(drift, DRIFT * (off - drift), out=drift, where=~np.isnan(off))


def _read(path: Float32s, ahead: Float64s) -> Float32s:
    """[k, n] the load so many bins after the last one; between what is told, linear, and beyond it, level."""
    knots = np.array((0, *TARGETS))
    right = np.minimum(np.maximum(np.searchsorted(knots, ahead - 1e-9), 1), len(TARGETS))
    left = right - 1
    share = np.minimum((ahead - knots[left]) / (knots[right] - knots[left]), 1).astype(np.float32)[:, None]
    return np.asarray(path[left] * (1 - share) + path[right] * share)


def ridge(step_seconds: float, size: int = 0) -> Banded:
    """The forecaster of this name."""
    return Banded("ridge", Ridge(), step_seconds, size)
