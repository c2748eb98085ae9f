"""What a decision remembers: recommendations, scale events, signal levels, reductions. A fold over the recorded turns.

Rings are time-major, [k, n]: k entries deep over n slots. A free entry has the time NaN. They grow when a window needs
more entries and never shrink.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import Bools, Float64s, Int64s


@dataclasses.dataclass(frozen=True, slots=True)
class Ring:
    """Timestamped integers per slot, in the order upstream's Go slices keep them: entries are overwritten in place."""

    at: Float64s  # [k, n] Unix seconds
    value: Int64s  # [k, n]
    outdated: Bools  # [k, n] marked once, until overwritten

    def stored(self, slots: Bools, value: Int64s, now: float, replaceable: Bools) -> Ring:
        """With `value` stored for the marked slots: over the last replaceable entry, else in the first free one."""
        at, values, outdated = self.at.copy(), self.value.copy(), self.outdated.copy()
        depth = len(at)
        free = np.isnan(at)
        last_replaceable = depth - 1 - np.argmax((replaceable & ~free)[::-1], axis=0) if depth else np.zeros(0, int)
        has_replaceable = (replaceable & ~free).any(axis=0)
        has_free = free.any(axis=0)
        if (slots & ~has_replaceable & ~has_free).any():
            return self.deeper().stored(slots, value, now, np.vstack([replaceable, np.zeros_like(replaceable[:1])]))
        entry = np.where(has_replaceable, last_replaceable, np.argmax(free, axis=0))
        column = np.flatnonzero(slots)
        row = entry[column]
        at[row, column] = now
        values[row, column] = value[column]
        outdated[row, column] = False
        return Ring(at, values, outdated)

    def deeper(self) -> Ring:
        """With one more free entry per slot."""
        size = self.at.shape[1]
        return Ring(
            np.vstack([self.at, np.full((1, size), np.nan)]),
            np.vstack([self.value, np.zeros((1, size), np.int64)]),
            np.vstack([self.outdated, np.zeros((1, size), np.bool_)]),
        )


def empty_ring(size: int, depth: int = 1) -> Ring:
    """A ring that remembers nothing."""
    return Ring(np.full((depth, size), np.nan), np.zeros((depth, size), np.int64), np.zeros((depth, size), np.bool_))


TOLD_AFTER_SECONDS = 60.0


@dataclasses.dataclass(frozen=True, slots=True)
class Trust:
    """What is known of one source: when it last moved, and since when it has been under suspicion (NaN: it is not)."""

    moved: bool  # has it ever moved?
    moved_at: float  # Unix seconds
    suspect_since: float
    frozen_since: float

    def stands_still(self, now: float) -> bool:
        """Frozen for long enough to be said: two equal samples hold a scale-down, and are no news yet."""
        return now - self.frozen_since >= TOLD_AFTER_SECONDS  # NaN: it moves

    @property
    def believed(self) -> bool:
        """Neither suspect nor frozen."""
        return math.isnan(self.suspect_since) and math.isnan(self.frozen_since)


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """Everything that one turn of deciding hands to the next, for n slots."""

    at: float  # Unix seconds of the turn that left it; NaN before the first
    decided: Int64s  # [n] replicas decided in that turn; UNKNOWN: none
    recommended: Ring  # what was proposed before stabilisation
    raised: Ring  # replicas added by own writes
    lowered: Ring  # replicas removed by own writes
    levels: dict[str, Float64s]  # signal -> [n] its recent level
    values: dict[str, Float64s]  # signal -> [n] its last known value
    stamps: dict[str, Float64s]  # signal -> [n] when that was measured
    trust: dict[str, Trust]  # source -> what is known of it
    reduced: Int64s  # [k] replicas taken away fleet-wide, per turn
    reduced_at: Float64s  # [k]

    def __len__(self) -> int:
        return len(self.decided)

    def resized(self, size: int) -> State:
        """For a fleet of `size` slots; new slots remember nothing."""
        grow = size - len(self)
        if grow <= 0:
            return self

        def widen(array: NDArray[Any], unknown: float) -> NDArray[Any]:
            more = np.full((*array.shape[:-1], grow), unknown, array.dtype)
            return np.concatenate([array, more], axis=-1)

        return _spread(self, widen)

    def forgotten(self, slots: Int64s) -> State:
        """As if these slots had never been seen: they belong to other workloads now."""

        def clear(array: NDArray[Any], unknown: float) -> NDArray[Any]:
            cleared = array.copy()
            cleared[..., slots] = unknown
            return cleared

        return _spread(self, clear)


def empty_state(size: int) -> State:
    """The state before the first turn."""
    return State(
        at=float("nan"),
        decided=np.full(size, -1, np.int64),
        recommended=empty_ring(size),
        raised=empty_ring(size),
        lowered=empty_ring(size),
        levels={},
        values={},
        stamps={},
        trust={},
        reduced=np.empty(0, np.int64),
        reduced_at=np.empty(0),
    )


def _spread(state: State, change: Callable[[NDArray[Any], float], NDArray[Any]]) -> State:
    """Apply `change(array, unknown)` to every per-slot array; the last axis is the slot."""

    def ring(old: Ring) -> Ring:
        return Ring(change(old.at, np.nan), change(old.value, 0), change(old.outdated, False))

    def floats(old: dict[str, Float64s]) -> dict[str, Float64s]:
        return {name: change(array, np.nan) for name, array in old.items()}

    return dataclasses.replace(
        state,
        decided=change(state.decided, -1),
        recommended=ring(state.recommended),
        raised=ring(state.raised),
        lowered=ring(state.lowered),
        levels=floats(state.levels),
        values=floats(state.values),
        stamps=floats(state.stamps),
    )
