"""Time that runs faster than the wall's, at a speed that may change while it runs."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

FASTEST = 10_000.0  # simulated seconds per real second: nine ticks of 15 s pass in 13 ms, about what they take


class SimulatedClock:
    """`start` (Unix seconds) plus the real seconds since, times `speed`. Call it for the time: it is a `Clock`."""

    def __init__(self, start: float, speed: float = 1.0, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._anchor = monotonic()
        self._start = start
        self._speed = _allowed(speed)
        self._changed = asyncio.Event()

    def __call__(self) -> float:
        """The simulated time, in Unix seconds."""
        return self._start + (self._monotonic() - self._anchor) * self._speed

    @property
    def speed(self) -> float:
        """Simulated seconds per real second."""
        return self._speed

    def set_speed(self, speed: float) -> None:
        """Run at another speed from this moment on. Raises ValueError outside 0 to 10,000."""
        speed = _allowed(speed)
        self._start, self._anchor = self(), self._monotonic()
        self._speed = speed
        self._changed.set()
        self._changed = asyncio.Event()

    async def sleep_until(self, moment: float) -> None:
        """Wait until this clock shows `moment`; a change of speed on the way is heeded at once."""
        while (left := (moment - self()) / self._speed) > 0:
            changed = self._changed
            try:
                await asyncio.wait_for(changed.wait(), left)
            except TimeoutError:
                continue


def _allowed(speed: float) -> float:
    if not 0 < speed <= FASTEST:
        raise ValueError(f"speed {speed:g} is out of range; expected above 0, at most {FASTEST:g} (1 is real time)")
    return float(speed)
