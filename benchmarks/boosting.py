"""A peer for benchmarks/forecast.py: gradient boosting (LightGBM) over all series, half an hour ahead.

One model for all series on differences of log loads (the last half hour, a day and a week before, time of day), fitted
anew every two weeks on all that was recorded until then, with absolute error as its loss. Needs `pip install lightgbm`.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
DAY, WEEK = 288, 2016
REFIT = 2 * WEEK
AROUND = (-6, -3, -1, 0, 1, 3, 6)


def forecast(loads: Array, horizon: int) -> Array | None:
    """[t, n] medians `horizon` steps after each row of [t, n] loads; None where LightGBM is not installed."""
    try:
        import lightgbm
    except ImportError:
        return None
    usual = np.array([np.nanmean(column[np.flatnonzero(~np.isnan(column))[:DAY]]) for column in loads.T])
    scaled = np.log1p(np.maximum(loads, 0) / usual)
    told = _told(scaled, horizon)
    came = _moved(scaled, horizon) - scaled
    change = np.full(loads.shape, np.nan)
    rows = np.arange(len(loads))
    settings = {"objective": "l1", "num_leaves": 63, "learning_rate": 0.05, "min_data_in_leaf": 200, "verbose": -1}
    settings |= {"num_threads": 1, "deterministic": True, "seed": 1, "feature_fraction": 0.7}
    for start in range(DAY, len(loads), REFIT):
        known = (rows[:, None] < start - horizon) & ~np.isnan(came)
        if known.sum() < DAY:
            continue
        sample = np.argwhere(known)[::2]
        found = lightgbm.train(
            settings, lightgbm.Dataset(told[sample[:, 0], sample[:, 1]], came[sample[:, 0], sample[:, 1]]), 200
        )
        some = slice(start, start + REFIT)
        block = told[some]
        change[some] = found.predict(block.reshape(-1, block.shape[-1])).reshape(block.shape[:2])
    return np.asarray(np.expm1(scaled + change) * usual)


def _told(scaled: Array, horizon: int) -> NDArray[np.float32]:
    parts = [_moved(scaled, -back) - scaled for back in (1, 2, 3, 6, 12)]
    for period in (DAY, WEEK):
        before = _moved(scaled, -period)
        parts.append(before - scaled)
        parts += [_moved(scaled, horizon + around - period) - before for around in AROUND]
    hour = np.broadcast_to((np.arange(len(scaled)) % DAY)[:, None], scaled.shape)
    return np.stack([*parts, scaled, hour], axis=-1).astype(np.float32)


def _moved(values: Array, steps: int) -> Array:
    """The values so many rows later (earlier where negative)."""
    out = np.full(values.shape, np.nan)
    if steps < 0:
        out[-steps:] = values[:steps]
    else:
        out[: len(out) - steps] = values[steps:]
    return out
