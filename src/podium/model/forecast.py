"""What is expected: quantiles of a load per slot and step ahead. A recorded input of decisions."""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.model.arrays import Bools, Float32s, Float64s


@dataclasses.dataclass(frozen=True, slots=True)
class Forecast:
    """Quantiles of the load of n slots, h steps ahead, made at `at` (Unix seconds)."""

    at: float
    levels: Float64s  # [q] probabilities, rising
    ahead: Float64s  # [h] seconds after `at`, rising
    quantiles: Float32s  # [q, h, n] in the signal's unit; NaN: none
    coverage: Float32s  # [n] measured share of outcomes under the highest judged quantile; NaN: not yet judged
    trusted: Bools  # [n] whether the measured coverage has earned the forecast a say
    floor: Float32s = dataclasses.field(default_factory=lambda: np.empty(0, np.float32))
    """[n] the load to be ready for within the lead window, so that the asked share stays unserved; NaN: unknown.
    Empty: a forecast of before there was one; then the quantile that is asked for is read from `quantiles`."""
    realised: Float32s = dataclasses.field(default_factory=lambda: np.empty(0, np.float32))
    """[n] share of the load of the last two weeks that following the floor left unserved; NaN: not known."""
    expected: Float32s = dataclasses.field(default_factory=lambda: np.empty(0, np.float32))
    """[n] the median of the highest load within the lead window; NaN: not known. Empty: of before it was kept."""
