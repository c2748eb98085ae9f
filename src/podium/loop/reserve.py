"""The burst reserve: replicas that are there only for what nobody could foresee, and what they cost.

The floor carries a load that is exceeded as rarely as was asked for; the median of the highest load within the lead
time is what is expected. Between the two lies the price of the asked risk. Thirty replicas' worth of floor where
twelve are expected: eighteen of thirty are reserve. What the present load needs is nobody's reserve.
"""

from __future__ import annotations

import numpy as np

from podium.loop.decide.metrics import INT32_MAX
from podium.model.arrays import UNKNOWN, Float32s, Float64s, Int32s, Int64s

HALF = 1e-6  # of a replica: rounding of a recorded forecast asks for no further one


def reserve(
    given: Int64s | Int32s,
    floor: Float64s | Float32s,
    expected: Float64s | Float32s,
    load: Float64s,
    capacity: Float64s,
) -> Int64s:
    """Of `given` replicas those that are reserve; UNKNOWN where the floor, what is expected or the capacity is.

    All arrays of one shape, or `capacity` of one that fits; loads in one unit.
    """
    foreseen = np.fmax(expected.astype(np.float64), load)  # NaN: the load is not known now
    known = ~np.isnan(floor) & ~np.isnan(expected) & ~np.isnan(capacity) & (given >= 0)
    asked, needed = (_replicas(one.astype(np.float64), capacity) for one in (floor, foreseen))
    spare = np.minimum(given, asked) - np.maximum(needed, 1)
    return np.where(known, np.maximum(spare, 0), UNKNOWN).astype(np.int64)


def _replicas(load: Float64s, capacity: Float64s) -> Int64s:
    exact = np.nan_to_num(load / capacity, nan=0.0, posinf=INT32_MAX)
    return np.ceil(np.clip(exact - HALF, 0, INT32_MAX)).astype(np.int64)
