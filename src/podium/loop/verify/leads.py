"""Lead times: seconds from a decision to ready pods, measured per workload. The horizon that a forecast must cover."""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.model.arrays import Float64s, Int64s

DEPTH = 32  # the newest measurements that count
ENOUGH = 3  # below these the default holds
QUANTILE = 0.95


@dataclasses.dataclass(frozen=True, slots=True)
class Leads:
    """The newest measurements of n slots; NaN where there is none yet."""

    seconds: Float64s  # [DEPTH, n]
    count: Int64s  # [n] measured ever

    def measured(self, slot: int, seconds: float) -> Leads:
        """With one more measurement."""
        rows, count = self.seconds.copy(), self.count.copy()
        rows[count[slot] % DEPTH, slot] = seconds
        count[slot] += 1
        return Leads(rows, count)

    def expected(self, configured: Float64s, default: float) -> Float64s:
        """[n] the configured lead time, else the measured .95 quantile (rounded up), else the default."""
        known = np.minimum(self.count, DEPTH)
        ranked = np.sort(self.seconds, axis=0)  # NaN last
        rank = np.maximum(np.ceil(QUANTILE * known).astype(np.int64) - 1, 0)
        quantile = np.take_along_axis(ranked, rank[None, :], axis=0)[0]
        learned = np.where(known >= ENOUGH, quantile, default)
        return np.where(np.isnan(configured), learned, configured)

    def resized(self, size: int) -> Leads:
        """For `size` slots; new ones know nothing."""
        grow = max(size - len(self.count), 0)
        return Leads(np.pad(self.seconds, ((0, 0), (0, grow)), constant_values=np.nan), np.pad(self.count, (0, grow)))

    def forgotten(self, slots: Int64s) -> Leads:
        """As if these slots had never been measured."""
        rows, count = self.seconds.copy(), self.count.copy()
        rows[:, slots] = np.nan
        count[slots] = 0
        return Leads(rows, count)


def no_leads(size: int) -> Leads:
    """Nothing measured yet."""
    return Leads(np.full((DEPTH, size), np.nan), np.zeros(size, np.int64))
