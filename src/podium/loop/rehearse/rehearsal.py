"""The rehearsal: learn step by step, and at each origin write down what would have been said.

Origins lie evenly over the last third of the series, the last of them one horizon before its end. An origin is the
end of a step whose load is known to the forecaster; nothing after it is.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from podium.foresight.outlook import Outlook
from podium.loop.rehearse.steps import DAY_SECONDS, Steps
from podium.model.arrays import Bools, Float32s, Float64s, Int64s
from podium.model.clock import duration
from podium.signals.source import Permanent

LEVELS = np.array([0.5, 0.9, 0.95, 0.99])
QUICK = 15_000  # steps to be learned, up to which the window's maximum is asked for unasked: half a minute of work


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """How far ahead, how finely, how often; and how much of the past teaches before the first origin."""

    horizon_seconds: float
    step_seconds: float
    origins: int
    history_seconds: float = 21 * DAY_SECONDS
    maximum: bool | None = None  # whether the largest load until the horizon is asked for; None: where that is quick

    @property
    def ahead(self) -> Float64s:
        """[h] seconds from an origin to each target."""
        return _multiples(self.horizon_seconds, self.step_seconds)


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What was said at m origins for h targets each, and what came; NaN where unknown."""

    steps: Steps
    ahead: Float64s  # [h] seconds
    rows: Int64s  # [m] the step that each origin ended
    quantiles: Float32s  # [m, q, h]
    maximum: Float32s  # [m, q] of the largest load until the horizon; NaN where nobody asked
    trusted: Bools | None  # [m] whether the loop would have listened; None: that hangs on the maximum, not asked for
    actual: Float64s  # [m, h]
    highest: Float64s  # [m] the largest load that came; NaN unless every step of it is known
    last: Float64s  # [m] the last known load at the origin

    @property
    def origins(self) -> Float64s:
        """[m] Unix seconds."""
        return np.array([self.steps.at(row) for row in self.rows.tolist()])


def origins(steps: Steps, wanted: Wanted) -> Int64s:
    """[m] rows of the origins, at most as many as asked and as there are steps. Raises Permanent when there is none."""
    reach = int(np.ceil(wanted.horizon_seconds / steps.step_seconds - 1e-9))
    begin = max(len(steps) * 2 // 3, 1)
    last = len(steps) - 1 - reach
    if last < begin:
        raise Permanent(
            f"{steps.name}: spans {duration(len(steps) * steps.step_seconds)}; its last third holds no origin with "
            f"{duration(wanted.horizon_seconds)} behind it"
        )
    return np.unique(np.rint(np.linspace(begin, last, min(wanted.origins, last - begin + 1))).astype(np.int64))


def rehearse(
    steps: Steps, wanted: Wanted, outlook: Outlook, progress: Callable[[float], None] = lambda _: None
) -> Said:
    """Ask an `outlook` of one slot, which knows nothing yet, at every origin."""
    rows = origins(steps, wanted)
    seconds, ahead = steps.step_seconds, wanted.ahead
    start = max(int(rows[0] - wanted.history_seconds // seconds), 0)
    wants = wanted.maximum if wanted.maximum is not None else int(rows[-1]) - start <= QUICK
    lead = np.array([wanted.horizon_seconds])
    grid = _multiples(wanted.horizon_seconds, seconds)
    quantiles = np.full((len(rows), len(LEVELS), len(ahead)), np.nan, np.float32)
    maximum = np.full((len(rows), len(LEVELS)), np.nan, np.float32)
    trusted = np.zeros(len(rows), np.bool_)
    place = {row: number for number, row in enumerate(rows.tolist())}
    for row in range(start, int(rows[-1]) + 1):
        at, load = steps.at(row), steps.load[row : row + 1]
        if wants:
            outlook.step(at, load, lead)
        else:
            outlook.forecaster.learn(at, load)
        if row in place:
            number = place[row]
            quantiles[number] = outlook.forecaster.quantiles(at, LEVELS, ahead)[:, :, 0]
            if wants:
                window = outlook.forecast(at, LEVELS, grid)
                maximum[number] = window.quantiles[:, :, 0].max(axis=1)  # NaN stays: unknown
                trusted[number] = window.trusted[0]
        if row % 1440 == 0:
            progress((row - start) / (int(rows[-1]) - start + 1))
    return Said(
        steps, ahead, rows, quantiles, maximum, trusted if wants else None, *_came(steps, rows, ahead, len(grid))
    )


def _multiples(horizon: float, step: float) -> Float64s:
    """step, 2 step … up to the horizon."""
    return np.arange(1, int(horizon / step + 1e-9) + 1).astype(np.float64) * step


def _came(steps: Steps, rows: Int64s, ahead: Float64s, window: int) -> tuple[Float64s, Float64s, Float64s]:
    """([m, h] loads at the targets, [m] the largest within `window` steps, [m] the last known at the origin)."""
    actual = np.array([[steps.value(steps.at(row) + one) for one in ahead.tolist()] for row in rows.tolist()])
    highest = np.array([steps.load[row + 1 : row + 1 + window].max(initial=-np.inf) for row in rows.tolist()])
    known = ~np.isnan(steps.load)
    newest = np.maximum.accumulate(np.where(known, np.arange(len(steps)), -1))[rows]
    last = np.where(newest >= 0, steps.load[np.maximum(newest, 0)], np.nan)
    return actual, np.where(np.isfinite(highest), highest, np.nan), last
