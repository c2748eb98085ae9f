"""The recent past of one signal on a grid: the mean of the ticks inside each step, NaN where nothing was known.

Forecasters learn from it step by step, and read windows of it. A step is closed by the first tick after its end.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from podium.model.arrays import Columns, Float32s, Float64s, Int64s


class Step(NamedTuple):
    """A closed step: when it ended (Unix seconds, a multiple of the grid), and the mean per slot [n]."""

    at: float
    values: Float64s


class History:
    """A time-major ring [length, n] of one signal."""

    def __init__(self, step_seconds: float, length: int, size: int = 0) -> None:
        if not step_seconds > 0 or length < 1:
            raise ValueError(f"a grid of {length} steps of {step_seconds} s; expected at least one, longer than 0 s")
        self.step_seconds = step_seconds
        self.backward = 0  # ticks that came with a time before the last one, and were ignored
        self._ring: Float32s = np.full((length, size), np.nan, np.float32)
        self._sum: Float64s = np.zeros(size)
        self._count: Int64s = np.zeros(size, np.int64)
        self._now = -np.inf  # of the last tick
        self._open = 0  # number of the step being filled: it ends at (number + 1) x step_seconds
        self._written = 0  # rows of the ring written so far, the overwritten ones included

    @property
    def size(self) -> int:
        """Slots."""
        return len(self._sum)

    def push(self, now: float, values: Float64s) -> list[Step]:
        """Take in one tick [n], and return the steps that it closes, oldest first.

        After a jump forward the missed steps are NaN, and no more of them than the ring holds. A tick from before the
        last one is ignored and counted.
        """
        if now < self._now:
            self.backward += 1
            return []
        number = int(now // self.step_seconds)
        if self._now == -np.inf:
            self._open = number
        self._now = now
        closed = self._close_until(number)
        known = np.isfinite(values)
        self._sum[known] += values[known]
        self._count += known
        return closed

    def _close_until(self, number: int) -> list[Step]:
        """Close the open step and the missed ones after it; `number` is open then."""
        if number == self._open:
            return []
        missed = min(number - self._open - 1, len(self._ring))
        gap = np.full(self.size, np.nan)
        closed = [self._write(self._open, self._mean())]
        closed += [self._write(one, gap) for one in range(number - missed, number)]
        self._open = number
        self._sum[:], self._count[:] = 0, 0
        return closed

    def _mean(self) -> Float64s:
        mean: Float64s = self._sum / np.maximum(self._count, 1)
        mean[self._count == 0] = np.nan
        return mean

    def _write(self, number: int, values: Float64s) -> Step:
        self._ring[self._written % len(self._ring)] = values
        self._written += 1
        return Step((number + 1) * self.step_seconds, values)

    def window(self, steps: int) -> Float32s:
        """[steps, n] the last closed steps, oldest first; NaN for those before the first one."""
        have = min(steps, self._written, len(self._ring))
        rows = np.arange(self._written - have, self._written) % len(self._ring)
        unknown = np.full((steps - have, self.size), np.nan, np.float32)
        return np.concatenate([unknown, self._ring[rows]])

    def forget(self, slots: Int64s) -> None:
        """Start anew for these slots: they belong to other workloads now."""
        self._ring[:, slots] = np.nan
        self._sum[slots], self._count[slots] = 0, 0

    def resize(self, size: int) -> None:
        """Grow or shrink to `size` slots; new ones know nothing."""
        kept = min(size, self.size)
        ring = np.full((len(self._ring), size), np.nan, np.float32)
        ring[:, :kept] = self._ring[:, :kept]
        self._ring = ring
        self._sum = np.concatenate([self._sum[:kept], np.zeros(size - kept)])
        self._count = np.concatenate([self._count[:kept], np.zeros(size - kept, np.int64)])

    def state(self) -> Columns:
        """Everything remembered, as named arrays."""
        return {
            "step_seconds": np.array(self.step_seconds),
            "ring": self._ring.copy(),
            "sum": self._sum.copy(),
            "count": self._count.copy(),
            "now": np.array(self._now),
            "open": np.array(self._open),
            "written": np.array(self._written),
            "backward": np.array(self.backward),
        }

    def restore(self, state: Columns) -> None:
        """Take over what `state` returned, bit for bit. Raises ValueError when it was made on another grid."""
        step, length = float(state["step_seconds"]), len(state["ring"])
        if (step, length) != (self.step_seconds, len(self._ring)):
            mine = f"{len(self._ring)} steps of {self.step_seconds} s"
            raise ValueError(f"this history has {length} steps of {step} s; expected {mine}")
        self._ring = state["ring"].astype(np.float32)
        self._sum, self._count = state["sum"].astype(np.float64), state["count"].astype(np.int64)
        self._now, self._open = float(state["now"]), int(state["open"])
        self._written, self.backward = int(state["written"]), int(state["backward"])
