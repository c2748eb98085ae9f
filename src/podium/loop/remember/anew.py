"""The memory that a loop, a replay and a simulation begin with: which forecaster, on which grid."""

from __future__ import annotations

from podium.foresight import installed
from podium.foresight.calibration import Calibration
from podium.foresight.outlook import Outlook
from podium.loop.remember.memory import Memory

FORECASTER = "mixture"
GRID_SECONDS = 60.0  # of forecasting: four ticks


def new_outlook(forecaster: str = FORECASTER, step_seconds: float = GRID_SECONDS, size: int = 0) -> Outlook:
    """What the loop asks about the time ahead. Raises installed.Unknown for a forecaster that nobody offers."""
    return Outlook(installed.load(forecaster)(step_seconds, size), Calibration(size), size)


def new_memory() -> Memory:
    """A memory that knows nothing, of nobody."""
    return Memory.empty(new_outlook())
