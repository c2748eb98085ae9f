"""A peer for benchmarks/forecast.py: DynamicOptimizedTheta of statsforecast, half an hour ahead.

Fitted anew at every origin on the week before it, with a season of a day. A second each, so it is asked at few origins
of some series. Needs `pip install statsforecast`.
"""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DAY = 288
HISTORY = 7 * DAY


def available() -> bool:
    try:
        import statsforecast.models  # noqa: F401
    except ImportError:
        return False
    return True


def forecast(load: Array, rows: NDArray[np.int64], horizon: int) -> Array:
    """[r] medians `horizon` steps after each of these rows of [t] loads."""
    from statsforecast.models import DynamicOptimizedTheta

    out = np.full(len(rows), np.nan)
    for number, row in enumerate(rows.tolist()):
        past = _held(load[max(0, row + 1 - HISTORY) : row + 1])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            said = DynamicOptimizedTheta(season_length=DAY).forecast(past, h=horizon)
        out[number] = max(float(said["mean"][-1]), 0.0)
    return out


def _held(past: Array) -> Array:
    """Holes hold the value before them; what begins with a hole begins later."""
    known = np.flatnonzero(~np.isnan(past))
    past = past[known[0] :]
    last = np.maximum.accumulate(np.where(np.isnan(past), 0, np.arange(len(past))))
    return np.asarray(past[last])
