"""Which period a load has, when it is not the day: found in the week that is kept, and looked at again once a day.

How far the load lies from itself a lag before, as a mean of squares over all pairs of known bins, falls into a valley
at a period, and at its multiples. The shortest valley that is about as deep as the deepest is the period. Its multiples
are as sharp as it is and lie further out, so they tell it to fractions of a bin.

A valley counts when it lies well below the largest difference of any shorter lag, which no walk does, when the second
multiple falls as well, and when it is clearly deeper than that of a day, so that a load of days (and what divides one)
keeps them. Two looks in a row must find it, and it is kept until it explains no more than the day does. Four
cycles must have been seen: within a week, periods of 40 minutes to 41 hours.
"""

from __future__ import annotations

import numpy as np

from podium.foresight import incidents
from podium.foresight.memory import Array, Field, Memory
from podium.model.arrays import Bools, Float32s, Float64s, Int64s

SHORTEST = 8  # bins: what is told half an hour ahead must have been seen one cycle before
CYCLES = 4  # to be seen before a period is believed
VALLEY = 0.6  # of the largest difference at any shorter lag: a period is at most so
SHALLOW = 0.8  # one that is in force stays until its valley is no deeper than this
BETTER = 0.7  # of the difference to the day before
NO_WORSE = 0.9  # the same for one that is in force
AS_DEEP, AS_DEEP_OF_ALL = 1.15, 0.03  # times the deepest, + a part of the largest: as deep as the deepest
SAME = 0.02  # two looks that differ by less found the same
ON_THE_BIN = np.float32(0.02)  # of a bin: no need to know the next one
FEWEST = 0.2  # of the pairs that a lag could have, to be judged
SETTLED_DAYS = 2  # who knows less is looked at more often:
LOOKS_A_DAY, YOUNG_LOOKS_A_DAY = 1, 6
PARTS = 64  # of a bin, to which a period is rounded: one machine finds the bits of another
AT_ONCE = 128
FIELDS = {
    "own": Field(fill=0.0),  # bins of a period in force; 0: the day's
    "heard": Field(fill=0.0),  # found at the last look; 0: none
}


def due(turn: Array, samples: Array, step: int, steps_a_day: int) -> Int64s:
    """The slots to be looked at in `step`: each at its own time of the day."""
    often = max(1, steps_a_day // YOUNG_LOOKS_A_DAY)
    now = (turn >= 0) & (turn % often == step % often)
    if not now.any():
        return np.empty(0, np.int64)
    now &= (turn % steps_a_day == step % steps_a_day) | (samples < SETTLED_DAYS * steps_a_day)
    return np.flatnonzero(now)


def look(memory: Memory, past: Array, number: int, day: int, slots: Int64s) -> Int64s:
    """Look at some slots of the ring `past` [rows, n], whose newest bin is `number`; returns those that changed."""
    changed = []
    for start in range(0, len(slots), AT_ONCE):
        some = slots[start : start + AT_ONCE]
        order = (number + 1 + np.arange(len(past))) % len(past)
        week = np.abs(past[np.ix_(order, some)]).astype(np.float32)
        changed.append(some[_decide(memory, some, week, day)])
    return np.concatenate(changed) if changed else np.empty(0, np.int64)


def earlier(past: Array, number: int, ahead: Int64s, cycles: Int64s, slots: Int64s, own: Float32s) -> Float32s:
    """[c, m] the loads `ahead` bins after bin `number`, so many cycles before; between bins linear, NaN unknown.

    `own` [m] are the periods of `slots` in the ring `past`.
    """
    place = number + ahead[:, None] - own.astype(np.float64) * cycles[:, None]
    low = np.floor(place).astype(np.int64)
    share = (place - low).astype(np.float32)
    left, right = (incidents.unmarked(past[(low + side) % len(past), slots]) for side in (0, 1))
    out = np.where(share < ON_THE_BIN, left, left + share * (right - left))
    out[place < number - len(past) + 2] = np.nan
    return np.asarray(out)


def differences(week: Float32s, lags: int) -> tuple[Float64s, Float64s]:
    """[lags, m] mean square of load - load so many rows before, and how many pairs that is; [t, m], NaN unknown."""
    known = ~np.isnan(week)
    mean = np.where(known, week, 0).sum(axis=0) / np.maximum(known.sum(axis=0), 1)
    values = np.where(known, week - mean, 0).T
    length = _fast(len(week) + lags)
    one, square, there = (np.fft.rfft(part, length) for part in (values, values * values, known.T.astype(np.float32)))
    apart = 2 * ((there * square.conj()).real - (one * one.conj()).real)
    pairs = np.rint(np.fft.irfft((there * there.conj()).real, length)[:, :lags])
    total = np.fft.irfft(apart, length)[:, :lags]
    return np.maximum(total / np.maximum(pairs, 1), 0).T, pairs.T


def found(apart: Float64s, pairs: Float64s, seen: Int64s, day: int) -> Float64s:
    """[m] the period told by [lags, m] mean square differences, in rows; 0: none. `seen`: rows since the first known.

    The day is no answer, and a period must be better than it.
    """
    lags, m = apart.shape
    lag = np.arange(lags)[:, None]
    valley, highest = _valleys(apart, pairs, seen)
    valley &= (2 * lag < lags - 3) & (lag * CYCLES <= seen)
    depth = np.where(valley, apart, np.inf)
    deepest = depth.min(axis=0)
    alike = valley & (apart <= AS_DEEP * deepest + AS_DEEP_OF_ALL * highest[-1])
    first = np.where(alike.any(axis=0), alike.argmax(axis=0), 0)
    first = _bottom(apart, first, np.maximum(first // 8, 2))
    columns = np.arange(m)
    good = (first > 0) & (apart[first, columns] < BETTER * _of_day(apart, pairs, day))
    again = apart[_bottom(apart, np.clip(2 * first - 2, 0, lags - 5), np.full(m, 4)), columns]
    good &= again < SHALLOW * highest[first, columns]
    return np.where(good, _refined(apart, first), 0.0)


def _decide(memory: Memory, slots: Int64s, week: Float32s, day: int) -> Bools:
    """Which of `slots` have another period than before."""
    known = ~np.isnan(week)
    seen = np.where(known.any(axis=0), len(week) - known.argmax(axis=0), 0)
    apart, pairs = differences(week, len(week) // 2)
    own, heard = memory["own"][slots], memory["heard"][slots]
    now = (np.rint(found(apart, pairs, seen, day) * PARTS) / PARTS).astype(np.float32)
    memory["heard"][slots] = now
    twice = (now > 0) & (np.abs(now - heard) <= SAME * now)
    stays = (own > 0) & _holds(apart, pairs, seen, own, day)
    moved = twice & (np.abs(now - own) > SAME * own)
    after = np.where(twice, now, np.where(stays, own, np.float32(0)))
    memory["own"][slots] = after
    return np.asarray(moved | ((own > 0) & (after == 0)))


def _holds(apart: Float64s, pairs: Float64s, seen: Int64s, own: Float32s, day: int) -> Bools:
    """Whether a period in force still explains the load, and the day no better."""
    at = _bottom(apart, np.maximum(np.rint(own).astype(np.int64) - 1, 0), np.full(len(own), 2))
    _, highest = _valleys(apart, pairs, seen)
    columns = np.arange(len(own))
    here = apart[at, columns]
    return np.asarray((here <= SHALLOW * highest[at, columns]) & (here <= NO_WORSE * _of_day(apart, pairs, day)))


def _valleys(apart: Float64s, pairs: Float64s, seen: Int64s) -> tuple[Bools, Float64s]:
    """[lags, m] which lags lie far below a shorter one, and the largest difference of all lags up to each."""
    lags = len(apart)
    lag = np.arange(lags)[:, None]
    judged = pairs >= FEWEST * np.maximum(seen - lag, 1)
    highest = np.maximum.accumulate(np.where(judged, apart, 0), axis=0)
    return (lag >= SHORTEST) & judged & (apart <= VALLEY * highest), highest


def _of_day(apart: Float64s, pairs: Float64s, day: int) -> Float64s:
    """[m] the difference to the day before; infinite where half a day of pairs is not known yet."""
    if day >= len(apart):
        return np.full(apart.shape[1], np.inf)
    return np.where(pairs[day] >= day / 2, apart[day], np.inf)


def _bottom(apart: Float64s, start: Int64s, width: Int64s) -> Int64s:
    """[m] the lag of the least difference from `start` to `start + width`."""
    lags = start + np.minimum(np.arange(int(width.max(initial=0)) + 1)[:, None], width)
    lags = np.minimum(lags, len(apart) - 1)
    best = np.take_along_axis(apart, lags, axis=0).argmin(axis=0)
    return np.asarray(np.take_along_axis(lags, best[None], axis=0)[0])


def _refined(apart: Float64s, lag: Int64s) -> Float64s:
    """[m] the period to fractions of a row: from its multiples, each found near where the one before lets expect it."""
    period, times = lag.astype(np.float64), 1
    last = len(apart) - 2
    while True:
        at = np.rint(period * times).astype(np.int64)
        fits = (lag > 0) & (at + 2 <= last)
        if not fits.any():
            return period
        bottom = _bottom(apart, np.clip(at - 2, 1, last - 4), np.full(len(at), 4))
        period = np.where(fits, _vertex(apart, bottom) / times, period)
        times *= 2


def _vertex(apart: Float64s, lag: Int64s) -> Float64s:
    """[m] where the parabola through the differences at `lag` and its neighbours is least."""
    columns = np.arange(apart.shape[1])
    left, here, right = (apart[np.clip(lag + side, 0, len(apart) - 1), columns] for side in (-1, 0, 1))
    bend = left - 2 * here + right
    shift = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend > 0)
    return np.asarray(lag + np.clip(shift, -0.5, 0.5))


def _fast(length: int) -> int:
    """The next length that is 2, 3 or 5 times a power of 2: transforms of such are quick."""
    return min(factor << max(0, (-(-length // factor) - 1).bit_length()) for factor in (2, 3, 5))
