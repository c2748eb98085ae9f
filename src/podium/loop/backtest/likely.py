"""How far a figure hangs on the days that were judged: intervals by a bootstrap over blocks of whole days.

A day keeps its course, so that what belongs together stays together; blocks of two days keep some of what a day leaves
to the next. The same days are drawn for all policies: a difference of two of them varies less than each does alone.
Percentile intervals (Efron); moving blocks, circular (Politis and Romano, 1992).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from podium.loop.backtest.score import Score
from podium.model.arrays import Float64s, Int64s

FEWEST_DAYS = 4  # below it the days say nothing of other days
BLOCK_DAYS = 2
DRAWS = 2000
LEVEL = 0.95

Interval = tuple[float, float]


@dataclasses.dataclass(frozen=True, slots=True)
class Likely:
    """Where the figures of one policy lie with 95 % confidence, were other days of the same kind judged."""

    unserved_fraction: Interval
    replica_hours: Interval  # for as many days as were judged
    cost_ratio: Interval

    def as_json(self) -> dict[str, Any]:
        """As the answer holds it."""
        return {name: list(value) for name, value in dataclasses.asdict(self).items()}


def draws(days: int) -> Int64s | None:
    """[b, d] which days are taken, drawn anew b times; None where there are too few of them."""
    if days < FEWEST_DAYS:
        return None
    blocks = -(-days // BLOCK_DAYS)
    starts = np.random.default_rng(1).integers(0, days, (DRAWS, blocks))
    taken: Int64s = (starts[:, :, None] + np.arange(BLOCK_DAYS)).reshape(DRAWS, -1)[:, :days] % days
    return taken


def likely(score: Score, taken: Int64s | None) -> Likely | None:
    """The intervals of one policy's score; None without draws."""
    if taken is None:
        return None
    paid = score.paid[taken].sum(axis=1)
    return Likely(
        _interval(_over(score.unserved[taken].sum(axis=1), score.load[taken].sum(axis=1))),
        _interval(paid / 60.0),
        _interval(_over(paid.astype(np.float64), score.oracle[taken].sum(axis=1))),
    )


def saved(score: Score, other: Score, taken: Int64s | None) -> Interval | None:
    """Where the replica-hours lie that `score` saves over `other` on the same days; None without draws."""
    if taken is None:
        return None
    return _interval((other.paid - score.paid)[taken].sum(axis=1) / 60.0)


def _over(part: Float64s, whole: Float64s | Int64s) -> Float64s:
    return np.divide(part, whole, out=np.zeros(len(part)), where=whole > 0)


def _interval(values: Float64s) -> Interval:
    low, high = np.quantile(values, ((1 - LEVEL) / 2, (1 + LEVEL) / 2)).tolist()
    return low, high
