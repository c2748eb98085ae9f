"""The pace of the loop: what its clock shows, and waiting for a moment on it. The simulation brings its own."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable
from typing import Protocol

from podium.model.clock import Clock, wall_clock

LONGEST_NAP = 1.0  # real seconds: a clock that was set, forward or back, is noticed within one
SET_BACK_SECONDS = 60.0  # a clock this much behind the last turn was set back; one that is less behind is waited for


class Pace(Protocol):
    """A clock that can be waited on."""

    def __call__(self) -> float:
        """Now, in Unix seconds."""

    @property
    def speed(self) -> float:
        """Its seconds per real second."""

    async def sleep_until(self, moment: float) -> None:
        """Return when the clock shows `moment` or later, or when it was set back: whoever waits looks again."""


class WallPace:
    """The machine's own clock."""

    speed = 1.0

    def __init__(self, clock: Clock = wall_clock, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._clock = clock
        self._sleep = sleep

    def __call__(self) -> float:
        """Now, in Unix seconds."""
        return self._clock()

    async def sleep_until(self, moment: float) -> None:
        """Return when the clock shows `moment` or later, or when it was set back."""
        seen = self._clock()
        while (rest := moment - seen) > 0:
            await self._sleep(min(rest, LONGEST_NAP))
            before, seen = seen, self._clock()
            if seen < before:
                return


def next_moment(now: float, last: float, interval_seconds: float) -> float:
    """The next turn on the grid of `interval_seconds`, after both `now` and the last turn (NaN: there was none).

    When the clock was set back, what it shows counts alone: waiting for the last turn's moment could take hours.
    """
    after = now if math.isnan(last) or last - now > SET_BACK_SECONDS else max(now, last)
    return (math.floor(after / interval_seconds) + 1) * interval_seconds


def reached(asked: float, now: float, interval_seconds: float) -> float:
    """The moment to turn at when `asked` was waited for and the clock shows `now`, later than that.

    As a rule that is `asked`. A process that was suspended, or a clock that was set forward, wakes long after it: then
    it is the newest moment of the grid, so that no turn is made for a time that has passed.
    """
    return asked if now < asked + interval_seconds else math.floor(now / interval_seconds) * interval_seconds


def passed_by(last: float, moment: float, interval_seconds: float) -> int:
    """How many moments of the grid lie between the last turn and one at `moment`; neither need be on the grid."""
    if math.isnan(last):
        return 0
    before = math.floor(last / interval_seconds + 1e-6)
    return max(math.ceil(moment / interval_seconds - 1e-6) - before - 1, 0)
