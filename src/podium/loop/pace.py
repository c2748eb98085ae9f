"""The pace of the loop: what its clock shows, and waiting for a moment on it. The simulation brings its own."""

from __future__ import annotations

import asyncio
import math
from typing import Protocol

from podium.model.clock import wall_clock

LONGEST_NAP = 1.0  # real seconds: a clock that was set forward is noticed within one


class Pace(Protocol):
    """A clock that can be waited on."""

    def __call__(self) -> float:
        """Now, in Unix seconds."""

    @property
    def speed(self) -> float:
        """Its seconds per real second."""

    async def sleep_until(self, moment: float) -> None:
        """Return when the clock shows `moment` or later."""


class WallPace:
    """The machine's own clock."""

    speed = 1.0

    def __call__(self) -> float:
        """Now, in Unix seconds."""
        return wall_clock()

    async def sleep_until(self, moment: float) -> None:
        """Return when the clock shows `moment` or later, also when it is set forward meanwhile."""
        while (rest := moment - wall_clock()) > 0:  # noqa: ASYNC110  a clock raises no event
            await asyncio.sleep(min(rest, LONGEST_NAP))


def next_moment(now: float, last: float, interval_seconds: float) -> float:
    """The next turn on the grid of `interval_seconds`, after both `now` and the last turn (NaN: there was none)."""
    after = now if math.isnan(last) else max(now, last)
    return (math.floor(after / interval_seconds) + 1) * interval_seconds
