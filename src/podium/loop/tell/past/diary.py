"""The decisions of the last turns, in memory: what lists of decisions are told from without decoding the ledger.

Every decision of the last minutes, and of the last hours those that changed something. Older ones are in the ledger.
"""

from __future__ import annotations

import collections
from collections.abc import Iterator

import numpy as np

from podium.loop.cycle import Turned
from podium.loop.remember import record
from podium.loop.tell.outcomes import Outcomes
from podium.loop.tell.scene import Cast
from podium.loop.tell.story import Teller, Told
from podium.loop.tell.view import DecisionRow

ALL_BYTES = 48 * 2**20  # 10,000 workloads take some 2 MB a turn
CHANGED_BYTES = 16 * 2**20


class Diary:
    """Appended to by one thread; read by others at the same time."""

    def __init__(self) -> None:
        self._all = Shelf(ALL_BYTES)
        self._changed = Shelf(CHANGED_BYTES)
        self.outcomes = Outcomes()

    def add(self, turned: Turned, cast: Cast) -> None:
        """One more turn, with what became of earlier ones."""
        turn, fleet, policies = turned.turn, cast.assignment.fleet, cast.assignment.policies
        told = Told.of(turn, turned.epoch, record.ACTOR, fleet, policies, cast.known, turned.orders)
        self._all.put(told)
        changed = cast.known[told.changed]
        self._changed.put(Told.of(turn, turned.epoch, record.ACTOR, fleet, policies, changed, turned.orders))
        self.outcomes.learn(turn.number, turned.results, turned.verdicts)
        if turn.number % 100 == 0 and (first := self._changed.oldest) is not None:
            self.outcomes.forget(first.number, first.at)

    def reaches(self, *, changed_only: bool) -> float:
        """The moment of the oldest turn in it; infinite when there is none."""
        first = (self._changed if changed_only else self._all).oldest
        return np.inf if first is None else first.at

    def rows(self, key: str | None, before: float | None, *, changed_only: bool) -> Iterator[DecisionRow]:
        """Decisions, newest first."""
        for told in self._changed.newest_first() if changed_only else self._all.newest_first():
            if before is not None and told.at >= before:
                continue
            teller = Teller(told, self.outcomes)
            for place in told.places(key):
                yield teller.row(place)


class Shelf:
    """As many of the newest turns as fit."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._bytes = 0
        self._told: collections.deque[Told] = collections.deque()

    @property
    def oldest(self) -> Told | None:
        """The first that is still here."""
        return self._told[0] if self._told else None

    def put(self, told: Told) -> None:
        """One more turn, the oldest out."""
        self._told.append(told)
        self._bytes += told.nbytes
        while self._bytes > self._most and len(self._told) > 2:
            self._bytes -= self._told.popleft().nbytes

    def newest_first(self) -> list[Told]:
        """A copy: it may be read while another turn is put."""
        return list(reversed(tuple(self._told)))
