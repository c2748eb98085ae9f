"""The pace of the loop: what its clock shows, and waiting for a moment on it. The simulation brings its own."""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

from podium.model.clock import wall_clock

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

    def __call__(self) -> float:
        """Now, in Unix seconds."""
        return wall_clock()

    async def sleep_until(self, moment: float) -> None:
        """Return when the clock shows `moment` or later, or when it was set back."""
        seen = wall_clock()
        while (rest := moment - seen) > 0:
            await asyncio.sleep(min(rest, LONGEST_NAP))
            before, seen = seen, wall_clock()
            if seen < before:
                return


def next_moment(now: float, last: float, interval_seconds: float) -> float:
    """The next turn on the grid of `interval_seconds`, after both `now` and the last turn (NaN: there was none).

    When the clock was set back, what it shows counts alone: waiting for the last turn's moment could take hours.
    """
    after = now if math.isnan(last) or last - now > SET_BACK_SECONDS else max(now, last)
    return (math.floor(after / interval_seconds) + 1) * interval_seconds
