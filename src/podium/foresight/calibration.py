"""Whether a forecast has earned a say: the measured share of outcomes under its quantile, per slot.

Forecasts made a step apart for a window of many steps are judged by nearly the same outcome, so each judgement weighs
1 / (steps in the window): the weights add up to the number of independent windows. A slot is trusted once ENOUGH
windows were judged and their share held is at least level - TOLERANCE. It loses that when the share falls below
level - TOLERANCE - MARGIN x sqrt(level (1 - level) / windows), the second a binomial's deviation: with level .95 and 60
windows the bounds are .920 and .874: five windows in a row that break demote, and chance alone hardly does. More
held than asked is a cost, not a danger: it shows in the width, and never demotes.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.foresight.memory import Field, Memory
from podium.model.arrays import Bools, Columns, Float32s, Float64s, Int64s

ENOUGH = 20.0  # windows judged before a word is believed
MEMORY = 60.0  # windows after which an outcome weighs 1/e
TOLERANCE = 0.03
MARGIN = 1.645


@dataclasses.dataclass(frozen=True, slots=True)
class Changes:
    """The slots that lost or earned trust in a step."""

    demoted: Int64s
    promoted: Int64s


NO_CHANGES = Changes(np.empty(0, np.int64), np.empty(0, np.int64))


class Calibration:
    """Measured coverage of one quantile over n slots."""

    def __init__(self, size: int = 0, level: float = 0.95) -> None:
        if not 0 < level < 1:
            raise ValueError(f"a quantile's level lies between 0 and 1, got {level}")
        self.level = level
        self._memory = Memory(
            {
                "held": Field(fill=0.0, dtype=np.float64),
                "judged": Field(fill=0.0, dtype=np.float64),
                "width": Field(),
                "trusted": Field(fill=False, dtype=np.bool_),
            },
            size,
        )

    @property
    def judged(self) -> Float32s:
        """[n] how many independent windows were judged, old ones fading."""
        return self._memory["judged"].astype(np.float32)

    @property
    def coverage(self) -> Float32s:
        """[n] share of outcomes at or under the quantile; NaN where nothing was judged."""
        return self._coverage().astype(np.float32)

    @property
    def width(self) -> Float32s:
        """[n] mean of (quantile - median) / median; NaN where unknown."""
        return self._memory["width"].copy()

    @property
    def trusted(self) -> Bools:
        """[n] whether the measured coverage has earned the forecast a say."""
        return self._memory["trusted"].copy()

    def judge(self, outcomes: Float32s, quantiles: Float32s, medians: Float32s, steps: Int64s) -> Changes:
        """Take in what came of forecasts: all [n]; `steps` is the length of the window. NaN anywhere judges nothing."""
        memory = self._memory
        known = ~(np.isnan(outcomes) | np.isnan(quantiles))
        weight = np.where(known, 1.0 / np.maximum(steps, 1), 0.0)
        kept = 1.0 - weight / MEMORY
        memory["held"][...] = memory["held"] * kept + weight * (outcomes <= quantiles)
        memory["judged"][...] = memory["judged"] * kept + weight
        self._widen(quantiles, medians, weight.astype(np.float32))
        return self._decide(known)

    def forget(self, slots: Int64s) -> None:
        """Start anew for these slots, untrusted."""
        self._memory.forget(slots)

    def resize(self, size: int) -> None:
        """Grow or shrink to `size` slots."""
        self._memory.resize(size)

    def state(self) -> Columns:
        """Everything measured."""
        return self._memory.state("calibration")

    def restore(self, state: Columns) -> None:
        """Take over what `state` returned. Raises ValueError when it does not fit."""
        self._memory.restore(state, "calibration")

    def _coverage(self) -> Float64s:
        judged: Float64s = self._memory["judged"]
        out = np.full(len(judged), np.nan)
        np.divide(self._memory["held"], judged, out=out, where=judged > 0)
        return out

    def _widen(self, quantiles: Float32s, medians: Float32s, weight: Float32s) -> None:
        width = self._memory["width"]
        relative = np.divide(quantiles - medians, medians, out=np.full_like(medians, np.nan), where=medians > 0)
        known = (weight > 0) & ~np.isnan(relative)
        np.copyto(width, relative, where=known & np.isnan(width))
        np.add(width, weight / np.float32(MEMORY) * (relative - width), out=width, where=known)

    def _decide(self, known: Bools) -> Changes:
        trusted, judged, coverage = self._memory["trusted"], self._memory["judged"], self._coverage()
        earned = self.level - TOLERANCE
        deviation = np.sqrt(self.level * (1 - self.level) / np.maximum(judged, 1.0))
        demoted = known & trusted & (coverage < earned - MARGIN * deviation)
        promoted = known & ~trusted & (judged >= ENOUGH) & (coverage >= earned)
        trusted[demoted] = False
        trusted[promoted] = True
        return Changes(np.flatnonzero(demoted), np.flatnonzero(promoted))
