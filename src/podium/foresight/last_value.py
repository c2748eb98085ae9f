"""The load stays what it was. Hard to beat a few minutes ahead, and right after a change of regime."""

from __future__ import annotations

import numpy as np

from podium.foresight.banded import Banded, Grid
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float32s

HOLD_SECONDS = 300.0  # a value older than this says nothing any more


class LastValue:
    """The last known load, held over gaps up to `hold_seconds`."""

    def __init__(self, hold_seconds: float = HOLD_SECONDS) -> None:
        self.hold_seconds = hold_seconds

    def fields(self, grid: Grid) -> dict[str, Field]:  # noqa: ARG002  (the port's)
        """The value and how many steps ago it was."""
        return {"value": Field(), "age": Field(fill=0.0)}

    def learn(self, memory: Memory, grid: Grid, step: int, values: Float32s) -> None:  # noqa: ARG002
        """Take in [n] loads."""
        gap = np.isnan(values)
        value, age = memory["value"], memory["age"]
        np.copyto(value, values, where=~gap)
        age += 1
        age[~gap] = 0
        value[age * grid.step_seconds > self.hold_seconds] = np.nan

    def points(self, memory: Memory, grid: Grid, step: int) -> Float32s:  # noqa: ARG002
        """[1, n] the same for every horizon."""
        return np.asarray(memory["value"][None])


def last_value(step_seconds: float, size: int = 0) -> Banded:
    """The forecaster of this name."""
    return Banded("last-value", LastValue(), step_seconds, size)
