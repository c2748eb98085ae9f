"""A recorded load on a grid, causally: the mean of what was measured in each step, unknown where nothing was.

Nothing is interpolated: between two rows of a coarse file a back-test may draw a line, a forecast must not see its end.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.foresight.outlook import LONGEST_SECONDS
from podium.loop.backtest.trace import refuse_no_load
from podium.model.arrays import Float64s
from podium.model.clock import duration
from podium.signals.series import Series
from podium.signals.source import Permanent

GRIDS = (60.0, 120.0, 300.0, 600.0, 900.0, 1800.0)  # seconds; the loop's own comes first
NEARLY = 1.25  # rows up to so many times a grid apart are on it, with holes: a scrape is late, never half a step
DAY_SECONDS = 86_400.0


@dataclasses.dataclass(frozen=True, slots=True)
class Steps:
    """A load [t] on whole steps since the epoch: `load[i]` is the mean of step `first + i`, NaN where unknown."""

    name: str
    step_seconds: float
    first: int
    load: Float64s

    def __len__(self) -> int:
        return len(self.load)

    def at(self, row: int) -> float:
        """When step `row` ended (Unix seconds): what it holds was known then."""
        return (self.first + row) * self.step_seconds

    def value(self, at: float) -> float:
        """The load of the step that ended at `at`; NaN between two ends, outside, and where it is unknown."""
        place = at / self.step_seconds - self.first
        row = round(place)
        if abs(place - row) > 1e-6 or not 0 <= row < len(self.load):
            return float("nan")
        return float(self.load[row])

    @property
    def unknown(self) -> float:
        """Share of the steps without a value."""
        return float(np.isnan(self.load).mean())


def steps(name: str, series: Series) -> Steps:
    """A series on the grid that fits it. Raises Permanent that names what was found and what was expected."""
    refuse_no_load(name, series)
    span = float(series.at[-1] - series.at[0])
    if span + series.step_seconds < DAY_SECONDS:
        raise Permanent(
            f"{name}: spans {duration(round(span))}; expected a day at least, of which the first two thirds teach"
        )
    grid = next((one for one in GRIDS if series.step_seconds <= one * NEARLY), None)
    if grid is None:
        raise Permanent(
            f"{name}: has a value every {duration(round(series.step_seconds))}; expected one in "
            f"{duration(GRIDS[-1])} at least, as a forecast looks {duration(LONGEST_SECONDS)} ahead"
        )
    number = np.ceil(series.at / grid - 1e-9).astype(np.int64)
    first = int(number[0])
    count = np.bincount(number - first)
    total = np.bincount(number - first, series.value)
    mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
    return Steps(name, grid, first, mean)
