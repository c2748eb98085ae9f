"""The loop's doings between two lines of the log: what a person at the terminal needs to see that it lives."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from podium.loop.act.carry_out import Fate
from podium.loop.cycle import Turned
from podium.model import clock
from podium.model.arrays import UNKNOWN

EVERY_SECONDS = 30.0  # real ones, however fast a simulation runs


class Tally:
    """Adds turns up; every half minute, and after the first turn, it has something to say."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._said_at = float("-inf")
        self._turns = self._up = self._down = 0

    def add(self, turned: Turned) -> dict[str, Any] | None:
        """Take in a turn. The words for a line of the log when one is due, else None."""
        self._turns += 1
        for result in turned.results:
            if result.fate is Fate.WRITTEN:
                grew = result.command.replicas > result.command.current
                self._up, self._down = self._up + grew, self._down + (not grew)
        if self._monotonic() - self._said_at < EVERY_SECONDS:
            return None
        ready, wanted = turned.turn.ready, turned.turn.decisions.replicas
        words = {
            "at": clock.rfc3339(turned.turn.snapshot.now),
            "turns": self._turns,
            "scaled_up": self._up,
            "scaled_down": self._down,
            "replicas": f"{ready[ready != UNKNOWN].sum()} ready of {wanted[wanted != UNKNOWN].sum()} wanted",
        }
        self._said_at = self._monotonic()
        self._turns = self._up = self._down = 0
        return words
