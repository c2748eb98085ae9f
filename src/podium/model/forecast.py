"""What is expected: quantiles of a load per slot and step ahead. A recorded input of decisions."""

from __future__ import annotations

import dataclasses

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
