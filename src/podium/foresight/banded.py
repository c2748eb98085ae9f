"""A forecaster made of a point model and the quantiles of its own past errors.

The point model says what to expect at a few horizons; every expectation is kept until its outcome arrives, and the
error teaches the band of that horizon: how wide by its recent size and the half hour of the day, how lopsided by its
own quantiles. Long fleets are worked through in blocks of slots that fit a core's cache.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from podium.foresight import hours, residuals, winsor
from podium.foresight.borrowing import Loan
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Columns, Float32s, Float64s, Int64s

HORIZON_SECONDS = (60.0, 120.0, 300.0, 600.0, 1200.0, 1800.0)  # start-up times of a process up to a node pool's
BLOCK = 4096  # slots at a time: 42 tails x 4096 x 4 bytes fit a second-level cache


class Point(Protocol):
    """What to expect, without saying how sure. Keeps all it knows in memories that it is handed."""

    def fields(self, grid: Grid) -> dict[str, Field]:
        """What it remembers per slot."""

    def learn(self, memory: Memory, grid: Grid, step: int, values: Float32s) -> None:
        """Take in the [n] loads of a grid step; NaN where unknown."""

    def points(self, memory: Memory, grid: Grid, step: int) -> Float32s:
        """[k, n] loads expected k horizons after `step`, the last one learned ([1, n]: all alike); NaN: unknown."""


@runtime_checkable
class Borrows(Protocol):
    """A point model whose new slots learn from others of their group."""

    def borrow(self, memory: Memory, grid: Grid, step: int, groups: Int64s) -> list[Loan]:
        """After `step` was learned, let new slots borrow; [n] slots of one number are a group, negative: alone."""


class Grid:
    """Steps of equal length since the epoch, and the horizons (in steps) that errors are learned for."""

    def __init__(self, step_seconds: float, horizon_seconds: Sequence[float] = HORIZON_SECONDS) -> None:
        if not step_seconds > 0:
            raise ValueError(f"step_seconds must be positive, got {step_seconds}")
        self.step_seconds = step_seconds
        self.horizons = tuple(sorted({max(1, round(seconds / step_seconds)) for seconds in horizon_seconds}))
        self.longest = self.horizons[-1]
        # One ring per horizon, laid end to end: what was issued at step s for horizon k waits in row offset + s % k,
        # is read there k steps later, and overwritten.
        self.rows = sum(self.horizons)
        self.lengths = np.array(self.horizons)
        self._offsets = np.cumsum(self.lengths) - self.lengths

    def step(self, at: float) -> int:
        """The number of the step that ended at `at`."""
        return round(at / self.step_seconds)

    def due(self, step: int) -> Int64s:
        """[k] rows of the rings whose outcome is the load of `step`; after reading, what `step` issues goes there."""
        rows: Int64s = self._offsets + step % self.lengths
        return rows


class Banded:
    """The Forecaster port around a point model."""

    def __init__(
        self,
        name: str,
        point: Point,
        step_seconds: float,
        size: int = 0,
        horizon_seconds: Sequence[float] = HORIZON_SECONDS,
    ) -> None:
        self.name = name
        self.step_seconds = step_seconds
        self._grid = Grid(step_seconds, horizon_seconds)
        self._point = point
        self._last: int | None = None
        self._groups: Int64s | None = None
        count = len(self._grid.horizons)
        self._memories = {
            "winsor": Memory(winsor.FIELDS, size),
            "point": Memory(point.fields(self._grid), size),
            "residuals": Memory(residuals.fields(count), size),
            "hours": Memory(hours.FIELDS, size),
            "issued": Memory(
                {
                    "points": Field((count,)),  # what is expected now
                    "scales": Field((count,)),
                    "waiting": Field((2, self._grid.rows)),  # points and scales whose outcome is still to come
                },
                size,
            ),
        }
        self._blocks = self._cut()

    @property
    def size(self) -> int:
        """How many slots there are."""
        return self._memories["issued"].size

    def learn(self, at: float, values: Float64s) -> None:
        """Take in the mean load [n] of the step that ended at `at`; ValueError unless `at` is later than the last."""
        if values.shape != (self.size,):
            raise ValueError(f"expected {self.size} values, one per slot, got shape {values.shape}")
        step = self._grid.step(at)
        if self._last is not None:
            if step <= self._last:
                raise ValueError(f"the step that ended at {at} was already learned")
            # Steps nobody told of are gaps. Past the longest horizon nothing waits: more gaps change nothing.
            for missed in range(max(self._last + 1, step - 2 * self._grid.longest), step):
                self._take(missed, np.full(self.size, np.nan, np.float32))
        with np.errstate(over="ignore"):  # beyond float32 is infinite, which is unknown
            self._take(step, values.astype(np.float32))

    def quantiles(self, at: float, levels: Float64s, ahead: Float64s) -> Float32s:
        """[q, h, n] quantiles of the load at `at + ahead`; NaN where unknown and beyond the longest learned horizon.

        Between learned horizons they are interpolated; nearer than the first, the first one's hold.
        """
        out = np.full((len(levels), len(ahead), self.size), np.nan, np.float32)
        if self._last is None:
            return out
        steps = (at + ahead) / self.step_seconds - self._last
        left, right, share = self._between(steps)
        for slots, memories in self._blocks:
            issued, memory = memories["issued"], memories["residuals"]
            points, scales = issued["points"], issued["scales"]
            lowest = np.full(points.shape, -np.inf, np.float32)
            for row in np.argsort(levels):
                # Tracked apart, quantiles may cross for a while: a higher level never gives less.
                lowest = np.maximum(points + scales * residuals.tail(memory, float(levels[row])), lowest)
                np.maximum(lowest, 0, out=lowest)  # no load is below nothing
                out[row, :, slots] = lowest[left]
                if share.any():
                    out[row, :, slots] += share * (lowest[right] - lowest[left])
        out[:, steps > self._grid.longest + 1e-6] = np.nan
        return out

    def among(self, groups: Int64s) -> None:
        """[n] slots of one number are a group, within which new ones borrow; negative: alone. Until `resize`."""
        if groups.shape != (self.size,):
            raise ValueError(f"expected {self.size} groups, one per slot, got shape {groups.shape}")
        self._groups = groups.copy()

    def set_back(self, at: float) -> None:
        """The clock was set back: the next step to be learned may end at `at`.

        What lies between is a gap as long as the longest horizon twice, in which everything that waits runs out.
        """
        if self._last is not None:
            self._last = self._grid.step(at) - 2 * self._grid.longest - 2

    def forget(self, slots: Int64s) -> None:
        """Start anew for these slots."""
        for memory in self._memories.values():
            memory.forget(slots)

    def resize(self, size: int) -> None:
        """Grow or shrink to `size` slots; new ones know nothing."""
        for memory in self._memories.values():
            memory.resize(size)
        self._groups = None
        self._blocks = self._cut()

    def state(self) -> Columns:
        """Everything learned, as named arrays."""
        out: Columns = {"last": np.array(-1 if self._last is None else self._last, np.int64)}
        for name, memory in self._memories.items():
            out |= memory.state(name)
        return out

    def restore(self, state: Columns) -> None:
        """Take over what `state` returned. Raises ValueError when it is of a forecaster built otherwise."""
        if "last" not in state:
            raise ValueError("last: missing in the stored state")
        for name, memory in self._memories.items():
            memory.restore(state, name)
        self._groups = None
        self._blocks = self._cut()
        last = int(state["last"].item())
        self._last = None if last < 0 else last

    def _take(self, step: int, values: Float32s) -> None:
        for slots, memories in self._blocks:
            self._take_block(step, values[slots], memories)
        if self._groups is not None and isinstance(self._point, Borrows):
            self._point.borrow(self._memories["point"], self._grid, step, self._groups)
        self._last = step

    def _take_block(self, step: int, values: Float32s, memories: dict[str, Memory]) -> None:
        believed = winsor.bounded(memories["winsor"], values, self.step_seconds)
        issued, errors = memories["issued"], memories["residuals"]
        waiting, due = issued["waiting"], self._grid.due(step)
        expected, scales = waiting[:, due]
        missed = believed - expected
        hours.learn(memories["hours"], step, missed, errors["slow"], self.step_seconds)
        residuals.learn(errors, missed, scales, self.step_seconds)
        self._point.learn(memories["point"], self._grid, step, believed)
        points = self._point.points(memories["point"], self._grid, step)
        issued["points"][...] = points
        of_day = hours.factor(memories["hours"], step + self._grid.lengths, self.step_seconds)
        issued["scales"][...] = residuals.scale(errors, points) * of_day
        waiting[0, due] = points
        waiting[1, due] = issued["scales"]

    def _between(self, steps: Float64s) -> tuple[Int64s, Int64s, Float32s]:
        """Where to read [h] `steps` ahead among the horizons: left and right row, and the right one's share [h, 1]."""
        lengths = self._grid.lengths
        right = np.minimum(np.searchsorted(lengths, steps - 1e-6), len(lengths) - 1)
        left = np.where(lengths[right] - steps <= 1e-6, right, np.maximum(right - 1, 0))
        apart = np.maximum(lengths[right] - lengths[left], 1)
        share = np.where(left == right, 0, (steps - lengths[left]) / apart)
        return left, right, share.astype(np.float32)[:, None]

    def _cut(self) -> list[tuple[slice, dict[str, Memory]]]:
        """Views of the memories, a block of slots each."""
        cuts = [slice(start, start + BLOCK) for start in range(0, self.size, BLOCK)]
        return [(slots, {name: memory.part(slots) for name, memory in self._memories.items()}) for slots in cuts]
