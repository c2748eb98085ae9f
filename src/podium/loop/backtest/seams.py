"""Days side by side: a long course simulated as many days at once, equal to one simulated from end to end.

Deciding remembers minutes, not weeks: two runs under one load that ordered the same for as long as the longest window
will order the same for ever. So every day is a slot of its own that begins some hours early, from a guess. Where it
has not met the day before by the time it counts, it is run again, taking over what the day before ordered; until all
seams hold. 70 days take 1,620 turns of 70 slots, not 100,000 turns of one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np

from podium.loop.simulate import Course, Enough
from podium.model.arrays import Bools, Float64s, Int32s, Int64s

DAY = 1440  # minutes
EARLY = 180  # minutes by which a day begins before it counts
ALIKE = 20  # minutes of equal orders after which two runs are one: HPA's windows are 5 minutes

Run = Callable[[Float64s, Int64s, Int64s, Int32s, Enough], Course]
"""(loads [t, k], first row [k] and slot [k] of each, given [t, k], when to end) -> the course of k pieces."""


@dataclasses.dataclass(frozen=True, slots=True)
class Pieces:
    """The days of all slots: piece p is a day of slot `slot[p]`, beginning `early` rows before row `row[p]`."""

    slot: Int64s
    row: Int64s
    follows: Bools  # whether the piece before is the day before


def long_course(loads: Float64s, column: Int64s, begin: Int64s, longest_minutes: int, run: Run) -> Course:
    """The course of n slots, each under the load of its `column[n]` of `loads` [t, m]; kept from row `begin[n]` on.

    `longest_minutes` is how long the simulated world remembers beside deciding: its start-up time.
    """
    alike = ALIKE + longest_minutes
    early = EARLY + 2 * longest_minutes
    rows = len(loads)
    pieces = _cut(begin, rows - np.argmax(~np.isnan(loads[::-1]), axis=0)[column])
    padded = np.pad(loads, ((early, DAY), (0, 0)), constant_values=np.nan)
    shape = len(padded), len(column)
    whole = Course(np.zeros(shape, np.int32), np.zeros(shape, np.int32))
    open_ = np.arange(len(pieces.slot))
    given = np.zeros((early + DAY, len(open_)), np.int32)
    before = np.zeros((alike, len(pieces.slot)), np.int32)  # what each piece ordered just before it counts
    while len(open_):
        taken = np.arange(early + DAY)[:, None] + pieces.row[open_]  # rows of `padded`: a piece begins `early` before
        slots = pieces.slot[open_]
        met = _Met(whole.ordered, taken, slots, early, alike)
        course = run(padded[taken, column[slots]], pieces.row[open_] - early, slots, given, met)
        before[:, open_] = course.ordered[early - alike : early]
        counts = taken[early : len(course.ordered)]
        whole.ordered[counts, slots] = course.ordered[early:]
        whole.ready[counts, slots] = course.ready[early:]
        open_ = _apart(pieces, whole, before, early, alike)
        given = np.zeros((early + DAY, len(open_)), np.int32)
        given[:early] = whole.ordered[np.arange(early)[:, None] + pieces.row[open_], pieces.slot[open_]]
    return Course(whole.ordered[early : early + rows], whole.ready[early : early + rows])


class _Met:
    """Whether every piece that is run again has met what it ordered when it was run before: then the rest is the same.

    The first time, nothing was ordered before, and nothing is met.
    """

    def __init__(self, ordered: Int32s, taken: Int64s, slots: Int64s, early: int, alike: int) -> None:
        self._ordered, self._taken, self._slots = ordered, taken, slots
        self._early, self._alike = early, alike
        self._same = np.zeros(len(slots), np.int64)  # for how many minutes now

    def __call__(self, number: int, ordered: Int32s) -> bool:
        """After turn `number`, in which the pieces ordered so much."""
        if number < self._early:
            return False
        equal = ordered == self._ordered[self._taken[number], self._slots]
        # Met is met: what a piece whose run goes on for others orders after that is the same again.
        self._same = np.where(equal | (self._same >= self._alike), self._same + 1, 0)
        return bool((self._same >= self._alike).all())


def _cut(begin: Int64s, end: Int64s) -> Pieces:
    """Days from each slot's own beginning to its own end."""
    starts = [np.arange(first, last, DAY) for first, last in zip(begin.tolist(), end.tolist(), strict=True)]
    slot = np.repeat(np.arange(len(starts)), [len(one) for one in starts])
    row = np.concatenate(starts) if starts else np.empty(0, np.int64)
    follows = np.zeros(len(slot), np.bool_)
    follows[1:] = slot[1:] == slot[:-1]
    return Pieces(slot, row, follows)


def _apart(pieces: Pieces, whole: Course, before: Int32s, early: int, alike: int) -> Int64s:
    """The pieces that ordered otherwise, just before they count, than the day before them did."""
    taken = np.arange(early - alike, early)[:, None] + pieces.row
    same = (whole.ordered[taken, pieces.slot] == before).all(axis=0)
    return np.flatnonzero(pieces.follows & ~same)
