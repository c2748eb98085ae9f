"""How wrong a forecast tends to be: quantiles of its own past errors, per slot and horizon, learned as outcomes arrive.

An error is standardised by the scale that was current when the forecast was made: the geometric mean of a fast and a
slow exponentially weighted mean absolute error, so that rough hours widen the band at once. The quantiles of
standardised errors are tracked by stochastic approximation (Robbins and Monro 1951): a quantile rises by gain x level
when it was exceeded and sinks by gain x (1 - level) when it held, which settles where the share of outcomes below it is
its level, whatever the distribution.
Only additions, products, quotients, roots and comparisons are used, so every machine computes the same bits.
"""

from __future__ import annotations

import math

import numpy as np

from podium.foresight.memory import Array, Field, Memory
from podium.model.arrays import Float32s

LEVELS = np.array([0.05, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99], np.float32)
# A slot without history believes its errors to be Laplace distributed: with mean absolute error 1 its quantile above
# the median is -ln(2 (1 - level)), 2.30 at .95 and 3.91 at .99.
PRIOR = np.array([-2.302585, -0.6931472, 0.0, 0.6931472, 1.609438, 2.302585, 3.912023], np.float32)
GAIN = np.array(
    [0.06, 0.03, 0.02, 0.03, 0.05, 0.06, 0.12], np.float32
)  # per 300 s, where errors have had a day to settle
RISE = (GAIN * LEVELS)[:, None, None]
SINK = (GAIN * (LEVELS - 1))[:, None, None]
FAST_SECONDS = 1_800.0
SLOW_SECONDS = 172_800.0
EAGER_STEPS = 12.0  # the first outcomes teach more: their weight is 1 / count until it meets the lasting one
SMALLEST = np.float32(1e-4)  # of the point: below this an error is rounding


def fields(horizons: int) -> dict[str, Field]:
    """What is remembered per slot for so many horizons."""
    prior = np.repeat(PRIOR[:, None], horizons, axis=1)
    return {
        "fast": Field((horizons,)),
        "slow": Field((horizons,)),
        "seen": Field((horizons,), 0.0),
        "tails": Field((len(LEVELS), horizons), prior),
    }


def learn(memory: Memory, errors: Float32s, scales: Float32s, step_seconds: float) -> None:
    """Take in [k, n] errors (outcome - point) and the scales of when they were forecast; NaN teaches nothing."""
    known = ~np.isnan(errors)
    seen = memory["seen"]
    seen += known
    size = np.abs(errors)
    for name, seconds in (("fast", FAST_SECONDS), ("slow", SLOW_SECONDS)):
        mean = memory[name]
        np.copyto(mean, size, where=known & np.isnan(mean))
        weight = np.maximum(np.float32(step_seconds / seconds), 1 / (seen + 1))
        np.add(mean, weight * (size - mean), out=mean, where=known)
    tails = memory["tails"]
    # Multiplying by 0 where nothing is known is twice as fast as a masked sum; tails are never NaN.
    pace = (known & ~np.isnan(scales)) * np.float32(min(step_seconds / 300.0, 1.0))
    pace *= 1 + np.float32(4 * EAGER_STEPS) / (seen + np.float32(EAGER_STEPS))
    moved = np.where(errors <= scales * tails, SINK, RISE)
    moved *= pace
    tails += moved


def scale(memory: Memory, points: Float32s) -> Float32s:
    """[k, n] the scale of an error of a forecast made now; NaN before the first outcome."""
    local: Float32s = np.sqrt(memory["fast"] * memory["slow"])
    return np.maximum(local, SMALLEST * np.abs(points))


def tail(memory: Memory, level: float) -> Array:
    """[k, n] the standardised error that a share `level` of outcomes stays under.

    Between tracked levels linear in the log-odds; beyond the outermost two, their exponential tail goes on.
    """
    tails = memory["tails"]
    right = int(np.searchsorted(LEVELS, np.float32(level)))
    if right < len(LEVELS) and LEVELS[right] == np.float32(level):
        return np.array(tails[right])
    right = min(max(right, 1), len(LEVELS) - 1)
    low, high = float(LEVELS[right - 1]), float(LEVELS[right])
    share = np.float32((_log_odds(level) - _log_odds(low)) / (_log_odds(high) - _log_odds(low)))
    return np.asarray(tails[right - 1] + share * (tails[right] - tails[right - 1]))


def _log_odds(level: float) -> float:
    if not 0 < level < 1:
        raise ValueError(f"a quantile's level lies between 0 and 1, got {level}")
    return math.log(level / (1 - level))
