"""What a decision remembers: proposals, scale events, signal levels, reductions. A fold over the recorded turns."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import UNKNOWN, Bools, Float64s, Int32s, Int64s, sum_by_slot

NONE = -(1 << 63)  # no proposal: below every count, those that turn over included


@dataclasses.dataclass(frozen=True, slots=True)
class Recommendations:
    """What was proposed before stabilisation: a row per turn, for as long as the fleet's longest window lasts.

    Upstream keeps a list per workload and overwrites what is older than its windows; what a window can see is the same.
    """

    at: Float64s  # [k] Unix seconds, in the order they were stored
    value: Int64s  # [k, n]; NONE: nothing was proposed
    seeded: Bools  # [n] whether the size at the first sight is among them, or once was

    def stored(self, slots: Bools, value: Int64s, now: float, keep_seconds: float) -> Recommendations:
        """With `value` proposed for the marked slots at `now`; rows older than `keep_seconds` go."""
        kept = int(np.argmax(np.append(now - self.at <= keep_seconds, True)))
        rows = np.concatenate([self.value[kept:], np.where(slots, value, NONE)[None]])
        return Recommendations(np.append(self.at[kept:], now), rows, self.seeded | slots)

    def highest(self, now: float, window: Float64s, least: Int64s) -> Int64s:
        """[n] the largest proposal younger than `window` [n], and `least` at least."""
        out, shortest = least.copy(), window.min(initial=np.inf)
        for at, row in zip(self.at.tolist(), self.value, strict=True):
            seen_by_all = now - at < shortest
            np.maximum(out, row, out=out, where=True if seen_by_all else now - at < window)
        return out

    def lowest(self, now: float, window: Float64s, most: Int64s) -> Int64s:
        """[n] the smallest proposal younger than `window` [n], and `most` at most. Few policies have such a window."""
        out, slots = most.copy(), np.flatnonzero(window > 0)
        for at, row in zip(self.at.tolist(), self.value[:, slots] if len(slots) else (), strict=False):
            seen = (now - at < window[slots]) & (row != NONE)
            out[slots] = np.where(seen, np.minimum(out[slots], row), out[slots])
        return out


@dataclasses.dataclass(frozen=True, slots=True)
class ScaleEvents:
    """Replicas that own writes added, or took away: e events, those of one slot in the order of upstream's list.

    An event that its own direction no longer needs is overwritten by the next, though the other may still count it.
    """

    at: Float64s  # [e] Unix seconds
    slot: Int32s  # [e]
    change: Int64s  # [e] above 0
    outdated: Bools  # [e] marked once, until overwritten

    def stored(self, slots: Bools, change: Int64s, now: float, longest: Float64s) -> ScaleEvents:
        """With `change` at `now` in the marked slots, over the last event there older than `longest` [n], if any is."""
        outdated = self.outdated | (slots[self.slot] & (now - self.at > longest[self.slot]))
        last = np.full(len(slots), UNKNOWN, np.int64)
        np.maximum.at(last, self.slot[outdated], np.flatnonzero(outdated))
        new = np.flatnonzero(slots)
        over, more = new[last[new] != UNKNOWN], new[last[new] == UNKNOWN].astype(np.int32)
        at, changed = self.at.copy(), self.change.copy()
        at[last[over]], changed[last[over]], outdated[last[over]] = now, change[over], False
        return ScaleEvents(
            np.append(at, np.full(len(more), now)),
            np.append(self.slot, more),
            np.append(changed, change[more]),
            np.append(outdated, np.zeros(len(more), np.bool_)),
        )

    def within(self, now: float, slots: Int32s, period: Float64s, size: int) -> Int64s:
        """[r] replicas changed in slot `slots[r]` less than `period[r]` ago, of `size` slots."""
        out = np.zeros(len(slots), np.int64)
        for seconds in np.unique(period).tolist() if len(self.at) else ():
            recent, asked = now - self.at < seconds, period == seconds
            out[asked] = sum_by_slot(self.change[recent], self.slot[recent], size)[slots[asked]]
        return out

    def forgotten(self, slots: Int64s) -> ScaleEvents:
        """Without those of `slots`."""
        kept = ~np.isin(self.slot, slots)
        return ScaleEvents(self.at[kept], self.slot[kept], self.change[kept], self.outdated[kept])


def no_recommendations(size: int) -> Recommendations:
    """Nothing was proposed yet."""
    return Recommendations(np.empty(0), np.empty((0, size), np.int64), np.zeros(size, np.bool_))


def no_events() -> ScaleEvents:
    """Nothing was written yet."""
    return ScaleEvents(np.empty(0), np.empty(0, np.int32), np.empty(0, np.int64), np.empty(0, np.bool_))


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
class Window:
    """Sums per second over the last w seconds, for n slots: what an average over a window is made of."""

    buckets: Float64s  # [w, n] a ring: second s lies in row s % w
    total: Float64s  # [n] of all buckets
    first: Int64s  # [n] second of the first write of an unbroken record; -1: never written
    last: Int64s  # [n] second of the last write; -1: never written


@dataclasses.dataclass(frozen=True, slots=True)
class Panic:
    """Which of n slots are in panic, and how many pods that asked for."""

    at: Float64s  # [n] when the load was last too much for what served, Unix seconds; NaN: no panic
    pods: Int64s  # [n] the most that was wanted in it
    begun: Bools  # [n] whether the slot was ever looked at
    stable: Window  # of the whole autoscaler, which a back-test runs; the loop itself keeps no window
    brief: Window

    def of(self, size: int) -> Panic:
        """For `size` slots; what is not there yet knows nothing."""
        grow = size - len(self.at)
        if grow <= 0:
            return self
        return Panic(
            np.pad(self.at, (0, grow), constant_values=np.nan),
            np.pad(self.pods, (0, grow)),
            np.pad(self.begun, (0, grow)),
            _wider(self.stable, grow),
            _wider(self.brief, grow),
        )


def _wider(window: Window, grow: int) -> Window:
    return Window(
        np.pad(window.buckets, ((0, 0), (0, grow))),
        np.pad(window.total, (0, grow)),
        np.pad(window.first, (0, grow), constant_values=-1),
        np.pad(window.last, (0, grow), constant_values=-1),
    )


def empty_window(size: int, seconds: int = 0) -> Window:
    """A window that nothing was written to; one of no seconds keeps nothing."""
    never = np.full(size, -1, np.int64)
    return Window(np.zeros((seconds, size)), np.zeros(size), never, never)


def no_panic(size: int = 0) -> Panic:
    """Nobody is in panic."""
    return Panic(
        np.full(size, np.nan),
        np.zeros(size, np.int64),
        np.zeros(size, np.bool_),
        empty_window(size),
        empty_window(size),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Breaker:
    """What is known of the dependencies of n slots; of none while nobody has any."""

    failed: Float64s  # [n] when one of them last failed, Unix seconds; NaN: never
    grew: Float64s  # [n] when the slot last grew since then; NaN: it did not

    def of(self, size: int) -> Breaker:
        """For `size` slots; what is not there yet knows nothing."""
        more = (0, size - len(self.failed))
        return Breaker(*(np.pad(one, more, constant_values=np.nan) for one in (self.failed, self.grew)))


@dataclasses.dataclass(frozen=True, slots=True)
class State:
    """Everything that one turn of deciding hands to the next, for n slots."""

    at: float  # Unix seconds of the turn that left it; NaN before the first
    decided: Int64s  # [n] replicas decided in that turn; UNKNOWN: none
    recommended: Recommendations
    raised: ScaleEvents
    lowered: ScaleEvents
    levels: dict[str, Float64s]  # signal -> [n] its recent level
    values: dict[str, Float64s]  # signal -> [n] its last known value
    stamps: dict[str, Float64s]  # signal -> [n] when that was measured
    trust: dict[str, Trust]  # source -> what is known of it
    reduced: Int64s  # [k] replicas taken away fleet-wide, per turn
    reduced_at: Float64s  # [k]
    panic: Panic = dataclasses.field(default_factory=no_panic)
    breaker: Breaker = dataclasses.field(default_factory=lambda: Breaker(np.empty(0), np.empty(0)))

    idle_since: Float64s = dataclasses.field(default_factory=lambda: np.empty(0))
    """[n] since when an activation signal says that there is nothing to do, Unix seconds; NaN: there is. Empty: nobody
    has one."""

    def idle_of(self, size: int) -> Float64s:
        """`idle_since` of `size` slots."""
        return np.pad(self.idle_since, (0, size - len(self.idle_since)), constant_values=np.nan)

    def __len__(self) -> int:
        return len(self.decided)

    def set_back(self, now: float) -> State:
        """As of a clock that shows `now` again: what was later is taken to have happened just now.

        So nothing that holds or limits ends early. The last turn is taken to be a second ago.
        """

        def clamp(old: Float64s) -> Float64s:
            return np.minimum(old, now)

        def known(old: Trust) -> Trust:
            moments = (old.moved_at, old.suspect_since, old.frozen_since)
            moved_at, suspect_since, frozen_since = (min(moment, now) for moment in moments)
            return Trust(old.moved, moved_at, suspect_since, frozen_since)

        return dataclasses.replace(
            self,
            at=min(self.at, now - 1.0),
            recommended=dataclasses.replace(self.recommended, at=clamp(self.recommended.at)),
            raised=dataclasses.replace(self.raised, at=clamp(self.raised.at)),
            lowered=dataclasses.replace(self.lowered, at=clamp(self.lowered.at)),
            stamps={name: clamp(stamps) for name, stamps in self.stamps.items()},
            trust={name: known(trust) for name, trust in self.trust.items()},
            reduced_at=clamp(self.reduced_at),
            panic=dataclasses.replace(self.panic, at=clamp(self.panic.at)),
            idle_since=clamp(self.idle_since),
            breaker=Breaker(clamp(self.breaker.failed), clamp(self.breaker.grew)),
        )

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

        cleared = _spread(self, clear)
        return dataclasses.replace(cleared, raised=self.raised.forgotten(slots), lowered=self.lowered.forgotten(slots))


def empty_state(size: int) -> State:
    """The state before the first turn."""
    return State(
        at=float("nan"),
        decided=np.full(size, -1, np.int64),
        recommended=no_recommendations(size),
        raised=no_events(),
        lowered=no_events(),
        levels={},
        values={},
        stamps={},
        trust={},
        reduced=np.empty(0, np.int64),
        reduced_at=np.empty(0),
        panic=no_panic(size),
    )


def _spread(state: State, change: Callable[[NDArray[Any], float], NDArray[Any]]) -> State:
    """Apply `change(array, unknown)` to every per-slot array; the last axis is the slot."""

    def floats(old: dict[str, Float64s]) -> dict[str, Float64s]:
        return {name: change(array, np.nan) for name, array in old.items()}

    def window(old: Window) -> Window:
        return Window(change(old.buckets, 0), change(old.total, 0), change(old.first, -1), change(old.last, -1))

    panic, breaker = state.panic.of(len(state)), state.breaker
    if len(breaker.failed):
        breaker = breaker.of(len(state))
        breaker = Breaker(change(breaker.failed, np.nan), change(breaker.grew, np.nan))
    return dataclasses.replace(
        state,
        panic=Panic(
            change(panic.at, np.nan),
            change(panic.pods, 0),
            change(panic.begun, False),
            window(panic.stable),
            window(panic.brief),
        ),
        breaker=breaker,
        idle_since=change(state.idle_of(len(state)), np.nan) if len(state.idle_since) else state.idle_since,
        decided=change(state.decided, -1),
        recommended=Recommendations(
            state.recommended.at, change(state.recommended.value, NONE), change(state.recommended.seeded, False)
        ),
        levels=floats(state.levels),
        values=floats(state.values),
        stamps=floats(state.stamps),
    )
