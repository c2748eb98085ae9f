"""Decisions of any age: the newest from the diary, older ones from the ledger, for as long as a question may take."""

from __future__ import annotations

import time
from collections.abc import Iterator

import numpy as np

from podium.ledger.ledger import Ledger
from podium.loop.remember import record
from podium.loop.remember.restore import Library
from podium.loop.tell.outcomes import Outcomes
from podium.loop.tell.past.diary import Diary
from podium.loop.tell.story import Teller, Told
from podium.loop.tell.view import DecisionRow, DecisionRows
from podium.model import clock

WORK_SECONDS = 1.0  # spent in the ledger for one question; one turn is looked at in any case
_KINDS = [record.TURN, record.RESULTS, record.VERDICTS]


class Archive:
    """What was decided, in words."""

    def __init__(self, ledger: Ledger, library: Library, diary: Diary) -> None:
        self._ledger = ledger
        self._library = library
        self._diary = diary

    def decisions(
        self, key: str | None, before: float | None, since: float, limit: int, *, changed_only: bool
    ) -> DecisionRows:
        """At most `limit` decisions, newest first, of one workload or of all, made in [since, before)."""
        rows: list[DecisionRow] = []
        for row in self._diary.rows(key, before, changed_only=changed_only):
            if len(rows) >= limit or row.at < since:
                return DecisionRows(items=tuple(rows), until=None)
            rows.append(row)
        reached = self._diary.reaches(changed_only=changed_only)
        if reached <= since:
            return DecisionRows(items=tuple(rows), until=None)
        looked = reached if before is None else min(reached, before)
        stop = time.perf_counter() + WORK_SECONDS
        for told, outcomes in self._recorded(looked):
            if len(rows) >= limit or told.at < since:
                break
            teller, changed = Teller(told, outcomes), told.changed
            rows += [teller.row(place) for place in told.places(key) if changed[place] or not changed_only]
            looked = told.at
            if time.perf_counter() > stop:
                return DecisionRows(items=tuple(rows[:limit]), until=looked)
        return DecisionRows(items=tuple(rows[:limit]), until=None)

    def _recorded(self, before: float) -> Iterator[tuple[Told, Outcomes]]:
        """Turns of the ledger before a moment, newest first, each with what is known of its outcomes."""
        until_us = clock.microseconds(before) if np.isfinite(before) else None
        outcomes = Outcomes(self._diary.outcomes)
        for entry in self._ledger.entries(_KINDS, until_us=until_us, descending=True):
            if entry.kind != record.TURN:
                outcomes.add(entry)
                continue
            if entry.purged:
                return
            turn = record.read_turn(entry)
            fleet, policies = self._library.fleet(turn.fleet), self._library.policies(turn.policies)
            slots = np.flatnonzero([slot.key is not None for slot in fleet.slots])
            orders = self._library.orders(turn.orders)
            yield Told.of(turn, entry.epoch, entry.actor, fleet, policies, slots, orders), outcomes
