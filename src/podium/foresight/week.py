"""How the load moves at this time of the week: a profile in half hours, remembered longer than its days are.

An exponentially weighted mean over weeks of log(1 + load / unit), read half an hour ahead less what it is now: a shape,
whatever the level. It is written from the days' bins when a half hour is complete; what was never seen is unknown.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Array
from podium.model.arrays import Float32s

DAYS = 7
PART_BINS = 6  # bins in a part, where a week divides into such
KEPT = np.float32(0.35)  # weight of the newest week; the first is taken whole


class Week:
    """How parts lie in the week of a grid of `day` bins a day."""

    def __init__(self, day: int) -> None:
        self.per_part = next(bins for bins in range(PART_BINS, 0, -1) if DAYS * day % bins == 0)
        self.rows = DAYS * day // self.per_part

    def learn(self, profile: Array, past: Array, number: int) -> None:
        """Take in the part that ended with bin `number`, if one did, from `past`: rows of log(1 + load / unit)."""
        if number % self.per_part:
            return
        bins = np.abs(past[(number - np.arange(self.per_part)) % len(past)]).astype(np.float32)
        known = ~np.isnan(bins)
        count = known.sum(axis=0)
        total = np.where(known, bins, 0).sum(axis=0)
        mean = np.divide(total, count, out=np.zeros_like(total), where=count > 0)
        row = number // self.per_part % self.rows
        old = profile[row].astype(np.float32)
        moved = np.where(np.isnan(old), mean, old + KEPT * (mean - old))
        np.copyto(profile[row], moved, where=count > 0, casting="same_kind")

    def onward(self, profile: Array, number: int, ahead: int) -> Float32s:
        """[n] how far the profile moves from bin `number` to `ahead` bins later; NaN where it is not known."""
        return self._at(profile, number + ahead) - self._at(profile, number)

    def _at(self, profile: Array, number: int) -> Float32s:
        """[n] the profile in the middle of a bin, linear between the middles of parts."""
        part, into = divmod(number - 0.5 + self.per_part / 2, self.per_part)
        left, right = (profile[int(part + side) % self.rows].astype(np.float32) for side in (0, 1))
        return np.asarray(left + np.float32(into / self.per_part) * (right - left))
