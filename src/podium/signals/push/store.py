"""The newest samples of pushed series, in memory and bounded: two of each, so that a counter has a rate.

Nothing here judges how old a value may be; that is each Signal's `staleAfter`. A series that has ended is none.
"""

from __future__ import annotations

import dataclasses
import math
from itertools import repeat

import numpy as np

from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s
from podium.signals.push.batch import NAME, Batch, Labels, ended

KEPT_SECONDS = 3600.0  # after so long without a sample a series is forgotten; older samples are not taken
AHEAD_SECONDS = 60.0  # a sender's clock may be so much ahead of ours: what it measures counts as measured now
FORGET_SECONDS = 60.0  # between two looks for series to forget


class Full(Exception):
    """There is no room for more series. The message says how many there are; nothing was taken."""


@dataclasses.dataclass(frozen=True, slots=True)
class Taken:
    """What became of the samples of one request."""

    taken: int = 0
    late: int = 0  # not newer than what is known of their series: out of order, or told twice
    ancient: int = 0  # older than anything kept
    ahead: int = 0  # from the future

    def __add__(self, other: Taken) -> Taken:
        return Taken(
            self.taken + other.taken,
            self.late + other.late,
            self.ancient + other.ancient,
            self.ahead + other.ahead,
        )


class Store:
    """Up to `most` series."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._slots: dict[Labels, int] = {}
        self._free: list[int] = []
        self._of: dict[str, dict[int, Labels]] = {}  # metric -> its series
        self._changed: dict[str, int] = {}  # metric -> counts up when its series come or go
        self._looked = -math.inf
        self._at: Float64s = np.empty(0)  # as the sender says
        self._when: Float64s = np.empty(0)  # the same, and never later than when it came
        self._value: Float64s = np.empty(0)
        self._at_before: Float64s = np.empty(0)
        self._value_before: Float64s = np.empty(0)
        self._counter: Bools = np.empty(0, np.bool_)

    def __len__(self) -> int:
        return len(self._slots)

    def series(self, metric: str) -> tuple[int, dict[int, Labels]]:
        """The series of a metric by slot, and a number that is another one whenever they are others."""
        return self._changed.get(metric, 0), self._of.get(metric, {})

    def take(self, batch: Batch, now: float) -> Taken:
        """Take what is new of a request that came at `now`. Raises Full, having taken nothing."""
        ahead: Bools = ~(batch.at <= now + AHEAD_SECONDS)
        ancient: Bools = batch.at < now - KEPT_SECONDS
        use = ~(ahead | ancient)
        self._forget(now, FORGET_SECONDS)
        slot = self._placed(batch, np.unique(batch.row[use]), now)[batch.row[use]]
        taken = self._put(slot, batch.at[use], batch.value[use], now)
        return Taken(taken, int(use.sum()) - taken, int(ancient.sum()), int(ahead.sum()))

    def newest(self, slots: Int64s, now: float, *, rate: bool) -> tuple[Bools, Float64s, Float64s]:
        """Which of `slots` have a value at or before `now`; and all their values and times, which count only there.

        With `rate`, and of counters, the value is the rise a second between the two newest samples.
        """
        value, when = self._value[slots], self._when[slots]
        rates = self._counter[slots] | rate
        late = ~rates & (when > now)
        value = np.where(late, self._value_before[slots], value)
        when = np.where(late, self._at_before[slots], when)
        known = (when <= now) & np.isfinite(when) & ~ended(value)
        if rates.any():
            risen = self._rate(slots)
            value = np.where(rates, risen, value)
            known &= ~rates | ~np.isnan(risen)
        return known, value, when

    def _rate(self, slots: Int64s) -> Float64s:
        """A counter that is lower than before began again, at zero."""
        value, before = self._value[slots], self._value_before[slots]
        span = self._at[slots] - self._at_before[slots]
        known = np.isfinite(value) & np.isfinite(before) & (span > 0)
        rise = np.where(value >= before, value - before, value)
        out: Float64s = np.divide(rise, span, out=np.full(len(slots), np.nan), where=known)
        return out

    def _placed(self, batch: Batch, rows: Int64s, now: float) -> Int64s:
        """[k] the slot of each series of `rows`, made where it is new; UNKNOWN for the others."""
        out = np.full(len(batch.series), UNKNOWN, np.int64)
        named = [batch.series[row] for row in rows.tolist()]
        out[rows] = np.fromiter(map(self._slots.get, named, repeat(UNKNOWN)), np.int64, len(named))
        new = rows[out[rows] < 0].tolist()
        if not new:
            return out
        wanted = len({batch.series[row] for row in new})
        if len(self) + wanted > self.most:
            self._forget(now, 0.0)
            if len(self) + wanted > self.most:
                raise Full(f"{len(self):,} series are kept, and {wanted:,} more do not fit: at most {self.most:,}")
            return self._placed(batch, rows, now)  # one of ours may be among the forgotten
        self._grow(len(self) + wanted)
        for row in new:
            labels = batch.series[row]
            slot = self._slots.get(labels, UNKNOWN)
            if slot == UNKNOWN:
                slot = self._slots[labels] = self._free.pop()
                self._counter[slot] = bool(batch.counter[row])
                metric = _metric(labels)
                self._of.setdefault(metric, {})[slot] = labels
                self._changed[metric] = self._changed.get(metric, 0) + 1
            out[row] = slot
        return out

    def _put(self, slot: Int64s, at: Float64s, value: Float64s, now: float) -> int:
        new = at > self._at[slot]
        slot, at, value = slot[new], at[new], value[new]
        order = np.lexsort((at, slot))  # stable: of two at one time, the first one told stays
        slot, at, value = slot[order], at[order], value[order]
        once = np.ones(len(slot), np.bool_)
        once[1:] = (slot[1:] != slot[:-1]) | (at[1:] != at[:-1])
        slot, at, value = slot[once], at[once], value[once]
        if not len(slot):
            return 0
        last = np.flatnonzero(np.append(slot[1:] != slot[:-1], True))
        lone = (last == 0) | (slot[last - 1] != slot[last])
        into = slot[last]
        self._at_before[into] = np.where(lone, self._at[into], at[last - 1])
        self._value_before[into] = np.where(lone, self._value[into], value[last - 1])
        self._at[into], self._value[into] = at[last], value[last]
        self._when[into] = np.minimum(at[last], moment(now))
        return len(slot)

    def _forget(self, now: float, after_seconds: float) -> None:
        """Forget series that were silent for too long. Until then, no late sample raises one that has ended."""
        if 0 <= now - self._looked < after_seconds:
            return
        self._looked = now
        for labels, slot in [one for one in self._slots.items() if self._at[one[1]] < now - KEPT_SECONDS]:
            del self._slots[labels]
            metric = _metric(labels)
            del self._of[metric][slot]
            self._changed[metric] += 1
            self._clear(slot)
            self._free.append(slot)

    def _clear(self, slot: int) -> None:
        self._at[slot] = self._at_before[slot] = -np.inf
        self._when[slot] = self._value[slot] = self._value_before[slot] = np.nan

    def _grow(self, wanted: int) -> None:
        """Room for so many."""
        size = len(self._at)
        if wanted <= size:
            return
        more = max(1024, wanted - size, size)
        none, never = np.full(more, np.nan), np.full(more, -np.inf)
        self._at, self._at_before = np.append(self._at, never), np.append(self._at_before, never)
        self._when, self._value = np.append(self._when, none), np.append(self._value, none)
        self._value_before = np.append(self._value_before, none)
        self._counter = np.append(self._counter, np.zeros(more, np.bool_))
        self._free += range(size + more - 1, size - 1, -1)


def moment(now: float) -> float:
    """`now` to the millisecond below: turns that are brought forward are made at such moments."""
    return math.floor(now * 1000) / 1000


def _metric(labels: Labels) -> str:
    return next(value for name, value in labels if name == NAME)
