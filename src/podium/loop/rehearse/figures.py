"""How good a rehearsed forecast was: errors of the median, pinball losses and coverage, beside the last value.

Losses are told over the mean load of what was judged, so that they compare between series: WAPE is the sum of absolute
errors of the median over the sum of loads, a pinball loss of level q is (q - 1 + [load above]) x miss, summed likewise.
Of the last value the median's error is half a WAPE of pinball; it is the bar, as it is hard to beat minutes ahead.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from podium.loop.rehearse.rehearsal import LEVELS, Said
from podium.model.arrays import Float32s, Float64s

Floats = Float32s | Float64s


@dataclasses.dataclass(frozen=True, slots=True)
class Figures:
    """Of some targets; None where nothing was judged or there was no load to compare with."""

    judged: int
    wape: float | None
    last_value_wape: float | None
    pinball: tuple[float | None, ...]  # [q]
    coverage: tuple[float | None, ...]  # [q] share of the loads at or under the quantile

    @property
    def ratio(self) -> float | None:
        """Absolute error of the median over that of the last value; None where that is never wrong."""
        if self.wape is None or not self.last_value_wape:
            return None
        return self.wape / self.last_value_wape

    def as_json(self) -> dict[str, Any]:
        """The contract's fields."""
        return {
            "judged": self.judged,
            "wape": self.wape,
            "pinball": by_level(self.pinball),
            "coverage": by_level(self.coverage),
            "last_value": {"wape": self.last_value_wape, "error_ratio": self.ratio},
        }


def by_level(values: tuple[Any, ...]) -> dict[str, Any]:
    """Values by the name of their level: "0.5", "0.9" …"""
    return {f"{level:g}": value for level, value in zip(LEVELS.tolist(), values, strict=True)}


def of_targets(said: Said, targets: slice = slice(None)) -> Figures:
    """Over the targets of all origins (or some of them) whose load came and whose forecast was made."""
    quantiles = said.quantiles[:, :, targets].astype(np.float64)
    last = np.repeat(said.last[:, None], quantiles.shape[2], axis=1)
    return _figures(
        quantiles.transpose(1, 0, 2).reshape(len(LEVELS), -1), said.actual[:, targets].ravel(), last.ravel()
    )


def of_maximum(said: Said) -> Figures:
    """Of the largest load within each horizon; the last value's word for it is the last value."""
    return _figures(said.maximum.T.astype(np.float64), said.highest, said.last)


def _figures(quantiles: Float64s, actual: Float64s, last: Float64s) -> Figures:
    """`quantiles` [q, k], `actual` and `last` [k]."""
    known = ~np.isnan(actual) & ~np.isnan(quantiles).any(axis=0) & ~np.isnan(last)
    quantiles, actual, last = quantiles[:, known], actual[known], last[known]
    nothing = (None,) * len(LEVELS)
    if not len(actual):
        return Figures(0, None, None, nothing, nothing)
    coverage = tuple((actual <= quantiles).mean(axis=1).tolist())
    total = float(np.abs(actual).sum())
    if not total > 0:
        return Figures(len(actual), None, None, nothing, coverage)
    miss = actual - quantiles
    losses = np.maximum(LEVELS[:, None] * miss, (LEVELS[:, None] - 1) * miss).sum(axis=1) / total
    wape = float(np.abs(miss[0]).sum()) / total
    return Figures(len(actual), wape, float(np.abs(actual - last).sum()) / total, tuple(losses.tolist()), coverage)
