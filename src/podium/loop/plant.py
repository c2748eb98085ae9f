"""The simplest cluster that there can be: what is ordered serves after a start-up time, what is removed stops at once.

Ready at t is the least that was ordered at any moment of [t - startup, t]. A worked number, start-up 2 minutes:

    minute   0   1   2   3   4   5
    ordered  3   8   8   5   9   9
    ready    3   3   3   5   5   5     five start at minute 1; three of them are taken back before they serve
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.model.arrays import UNKNOWN, Bools, Float64s, Int32s, Int64s


@dataclasses.dataclass(frozen=True, slots=True)
class Plant:
    """n workloads: what is ordered, what serves, and a row for every order of which replicas are still starting."""

    ordered: Int64s  # [n] replicas
    serving: Int64s  # [n] replicas that served when the last order came
    slot: Int32s  # [r] whose order
    serves_at: Float64s  # [r] when it is ready (Unix seconds)
    upto: Int64s  # [r] how many replicas serve from then on

    def __len__(self) -> int:
        return len(self.ordered)

    @classmethod
    def empty(cls, size: int) -> Plant:
        """No replica anywhere."""
        return cls.standing(np.zeros(size, np.int64))

    @classmethod
    def standing(cls, replicas: Int64s) -> Plant:
        """`replicas` [n] that all serve already."""
        none = np.empty(0, np.int64)
        return cls(replicas.copy(), replicas.copy(), none.astype(np.int32), np.empty(0), none)

    def order(self, now: float, replicas: Int64s, startup_seconds: Float64s) -> Plant:
        """From `now` on have `replicas` [n] (UNKNOWN: as before); new ones serve `startup_seconds` [n] later.

        Those removed stop at once, those that still start first. `now` must not lie before the last order.
        """
        wanted = np.where(replicas == UNKNOWN, self.ordered, replicas)
        serving = np.minimum(self.ready(now), wanted)
        grown = np.flatnonzero(wanted > self.ordered)
        upto = np.minimum(self.upto, wanted[self.slot])
        # A row that brings no more than what serves already says nothing.
        starting: Bools = upto > serving[self.slot]
        return Plant(
            ordered=wanted,
            serving=serving,
            slot=np.concatenate([self.slot[starting], grown.astype(np.int32)]),
            serves_at=np.concatenate([self.serves_at[starting], now + startup_seconds[grown]]),
            upto=np.concatenate([upto[starting], wanted[grown]]),
        )

    def ready(self, now: float) -> Int64s:
        """[n] the replicas that serve at `now`, which must not lie before the last order."""
        ready = self.serving.copy()
        due = self.serves_at <= now
        if due.any():
            np.maximum.at(ready, self.slot[due], self.upto[due])
        return ready

    def resized(self, size: int) -> Plant:
        """For `size` slots, no fewer than before; new ones have no replica."""
        grow = (0, max(size - len(self), 0))
        return dataclasses.replace(self, ordered=np.pad(self.ordered, grow), serving=np.pad(self.serving, grow))

    def forgotten(self, slots: Int64s) -> Plant:
        """As if these slots had never had a replica."""
        kept = ~np.isin(self.slot, slots)
        ordered, serving = self.ordered.copy(), self.serving.copy()
        ordered[slots] = 0
        serving[slots] = 0
        return Plant(ordered, serving, self.slot[kept], self.serves_at[kept], self.upto[kept])
