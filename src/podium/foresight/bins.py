"""The mean load of each five minutes, whatever the step of the grid: what slow learning is made of.

A bin is numbered since the epoch and ends with the step whose number is `bin x per_bin`. Finer steps buy nothing half
an hour ahead, and five times the memory.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.banded import Grid
from podium.foresight.memory import Array, Field, Memory
from podium.model.arrays import Float32s, Float64s

BIN_SECONDS = 300.0
DAY_SECONDS = 86_400.0
FIELDS = {
    "filling": Field(fill=-1, dtype=np.int64),  # number of the bin being filled
    "sum": Field(fill=0.0),
    "count": Field(fill=0.0),
}


class Bins:
    """How bins lie on a grid: as many steps each as come nearest to five minutes, and never less than one."""

    def __init__(self, grid: Grid) -> None:
        self.per_bin = max(1, round(BIN_SECONDS / grid.step_seconds))
        self.seconds = self.per_bin * grid.step_seconds
        self.day = max(1, round(DAY_SECONDS / self.seconds))

    def number(self, step: int) -> int:
        """The bin that a step lies in."""
        return -(-step // self.per_bin)

    def last(self, step: int) -> int:
        """The last bin that is complete when `step` ends."""
        return step // self.per_bin

    def closes(self, step: int) -> bool:
        """Whether a step is the last of its bin."""
        return step % self.per_bin == 0

    def ahead(self, step: int, steps: Array, number: int) -> Float64s:
        """[k] how many bins the middles of the steps `step + steps` lie after the middle of bin `number`."""
        return np.asarray((step + steps - 0.5) / self.per_bin - (number - 0.5))

    def learn(self, memory: Memory, step: int, values: Float32s) -> None:
        """Take in the [n] loads of a step. A bin whose end nobody told of is dropped."""
        number = self.number(step)
        anew = memory["filling"] != number
        memory["sum"][anew] = 0
        memory["count"][anew] = 0
        memory["filling"][...] = number
        known = ~np.isnan(values)
        total, count = memory["sum"], memory["count"]
        np.add(total, values, out=total, where=known)
        count += known

    def means(self, memory: Memory) -> Float32s:
        """[n] the mean of what was seen of the bin being filled; NaN where nothing was."""
        total, count = memory["sum"], memory["count"]
        return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
