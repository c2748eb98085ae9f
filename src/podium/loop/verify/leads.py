"""Lead times: seconds from a decision to ready pods, measured per workload.

Their .95 quantile is the horizon that a forecast must cover. Most starts are faster: eight equally likely ones stand
for how they are spread, so that what a start leaves unserved is expected over them all and not at the slowest alone.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.model.arrays import Float32s, Float64s, Int64s

DEPTH = 32  # the newest measurements that count
ENOUGH = 3  # below these the default holds
QUANTILE = 0.95
STARTS = 8  # equally likely start-ups that stand for all: the middles of eighths, the slowest near the .95 quantile
FAR = 3.0  # times the median: what lies beyond is an accident (an image that could not be pulled) and counts as that


@dataclasses.dataclass(frozen=True, slots=True)
class Leads:
    """The newest measurements of n slots; NaN where there is none yet."""

    seconds: Float32s  # [DEPTH, n]
    count: Int64s  # [n] measured ever
    learned: Float64s  # [n] their .95 quantile (rounded up); NaN while there are too few
    spread: (
        Float32s  # [STARTS, n] equally likely ones, rising, the last no above `learned`; NaN while there are too few
    )

    @classmethod
    def of(cls, seconds: Float32s | Float64s, count: Int64s) -> Leads:
        """From the measurements."""
        rows = seconds.astype(np.float32)
        return cls(rows, count, *_learned(rows, count))

    def measured(self, slots: Int64s, seconds: Float64s) -> Leads:
        """With one more measurement in each of these slots. Only theirs are ranked again: few slots end a start."""
        rows, count, learned, spread = self._copies()
        rows[count[slots] % DEPTH, slots] = seconds
        count[slots] += 1
        learned[slots], spread[:, slots] = _learned(rows[:, slots], count[slots])
        return Leads(rows, count, learned, spread)

    def expected(self, configured: Float64s, default: float) -> Float64s:
        """[n] the configured lead time, else the learned one, else the default."""
        learned = np.where(np.isnan(self.learned), default, self.learned)
        return np.where(np.isnan(configured), learned, configured)

    def starts(self, configured: Float64s, expected: Float64s) -> Float64s | None:
        """[STARTS, n] seconds of equally likely starts: as measured, or all as `expected` where that was not measured.

        None: nobody's were.

        Three starts of 20 s and one of 180 s in every four: six of the eight are 20 s, two are 180 s.
        """
        measured = np.isnan(configured) & ~np.isnan(self.learned)
        return np.where(measured, self.spread, expected).astype(np.float64) if measured.any() else None

    def resized(self, size: int) -> Leads:
        """For `size` slots; new ones know nothing."""
        grow = max(size - len(self.count), 0)
        return Leads(
            np.pad(self.seconds, ((0, 0), (0, grow)), constant_values=np.nan),
            np.pad(self.count, (0, grow)),
            np.pad(self.learned, (0, grow), constant_values=np.nan),
            np.pad(self.spread, ((0, 0), (0, grow)), constant_values=np.nan),
        )

    def forgotten(self, slots: Int64s) -> Leads:
        """As if these slots had never been measured."""
        rows, count, learned, spread = self._copies()
        rows[:, slots] = learned[slots] = spread[:, slots] = np.nan
        count[slots] = 0
        return Leads(rows, count, learned, spread)

    def _copies(self) -> tuple[Float32s, Int64s, Float64s, Float32s]:
        return self.seconds.copy(), self.count.copy(), self.learned.copy(), self.spread.copy()


def no_leads(size: int) -> Leads:
    """Nothing measured yet."""
    rows, spread = (np.full((depth, size), np.nan, np.float32) for depth in (DEPTH, STARTS))
    return Leads(rows, np.zeros(size, np.int64), np.full(size, np.nan), spread)


def _learned(rows: Float32s, count: Int64s) -> tuple[Float64s, Float32s]:
    """[n] the .95 quantile and [STARTS, n] equally likely ones of what was measured; NaN where that is too little."""
    known = np.minimum(count, DEPTH)
    ranked = np.sort(rows, axis=0)  # NaN last
    # Of fewer than twenty measurements the .95 quantile is the largest: one accident may not make the horizon an hour.
    robust = np.minimum(_at(ranked, known, QUANTILE), FAR * _at(ranked, known, 0.5))
    learned = np.where(known >= ENOUGH, robust, np.nan)
    middles = np.stack([_at(ranked, known, (2 * part + 1) / (2 * STARTS)) for part in range(STARTS)])
    return learned, np.minimum(middles, learned).astype(np.float32)


def _at(ranked: Float32s, known: Int64s, level: float) -> Float64s:
    rank = np.maximum(np.ceil(level * known).astype(np.int64) - 1, 0)
    found: Float64s = np.take_along_axis(ranked, rank[None, :], axis=0)[0].astype(np.float64)
    return found
