"""What charts are drawn from: the recent past in memory, before it a coarser one, filled from the ledger when asked."""

from __future__ import annotations

import threading
import time

import numpy as np
from numpy.typing import NDArray

from podium.ledger.ledger import Ledger
from podium.loop.decide.ahead import expected_load, loads
from podium.loop.decide.table import PolicyTable
from podium.loop.remember import record
from podium.loop.remember.record import Turn
from podium.loop.remember.restore import Library, turns
from podium.loop.tell.past import recent
from podium.loop.tell.past.recent import Recent
from podium.loop.tell.scene import Scene, numbers
from podium.loop.tell.view import Sparks, WorkloadSeries
from podium.model import clock
from podium.model.arrays import UNKNOWN, Float64s, Int64s
from podium.model.fleet import Fleet

LONGEST_LEAD_SECONDS = 3600.0  # how far back a forecast of the present may have been made
RECALL_SECONDS = 6 * 3600.0  # of recorded turns taken back at a start, every one …
RECALL_WORK_SECONDS = 3.0  # … as far as this much work goes
REACH_WORK_SECONDS = 1.0  # spent in the ledger for one question about a time before everything known


class Charts:
    """Added to by the loop; asked by others at the same time."""

    def __init__(self, ledger: Ledger, library: Library) -> None:
        self._ledger = ledger
        self._library = library
        self._recent = Recent()
        self._fleet = Fleet()
        self._reached = np.inf  # how far back the ledger was looked through
        self._reaching = threading.Lock()

    def adopt(self, fleet: Fleet) -> None:
        """The fleet from now on."""
        old, new = self._fleet.slots, fleet.slots
        pairs = enumerate(zip(old, new, strict=False))
        changed = [number for number, (was, now) in pairs if was is not now and was.generation != now.generation]
        self._recent.adopt(len(new), np.array(changed, np.int64))
        self._fleet = fleet

    def add(self, scene: Scene) -> None:
        """The newest turn."""
        row = _row(scene.turn, scene.table, scene.load, scene.expected, scene.hpa)
        self._recent.add(scene.turn.snapshot.now, row)

    def recall(self, until: float) -> None:
        """Take back what was recorded before this start, every turn, as far as a few seconds of work go."""
        newest = self._ledger.latest(record.TURN, at_or_before_us=clock.microseconds(until))
        if newest is None or newest.purged:
            return
        begun = time.perf_counter()
        turn = record.read_turn(newest)
        self.adopt(self._library.fleet(turn.fleet))
        self._remembered(turn)
        taken = max(time.perf_counter() - begun, 1e-4)
        before = self._ledger.latest(record.TURN, at_or_before_us=newest.at_us - 1)
        interval = 15.0 if before is None else (newest.at_us - before.at_us) / 1e6
        since = max(until - RECALL_SECONDS, turn.snapshot.now - interval * RECALL_WORK_SECONDS / taken)
        self._recent = Recent()
        self._recent.adopt(len(self._fleet), np.empty(0, np.int64))
        for old in turns(self._ledger, since_us=clock.microseconds(since), until_us=clock.microseconds(until) + 1):
            if old.fleet == turn.fleet:
                self._recent.add(old.snapshot.now, self._remembered(old))

    def series(self, scene: Scene, slot: int, since: float, until: float, points: int) -> WorkloadSeries:
        """One workload on one time axis."""
        at, columns = self._since(slot, since - LONGEST_LEAD_SECONDS, until)
        said = _said_before(at, at + columns["lead"], columns["expected"])
        columns["expected"] = said
        asked = at >= since
        at, columns = at[asked], {name: column[asked] for name, column in columns.items()}
        kept = recent.thin(at, columns, points)
        thinned = len(kept) < len(at)
        at, columns = at[kept], {name: column[kept] for name, column in columns.items()}
        return WorkloadSeries(
            key=str(scene.fleet.slots[slot].key),
            at=tuple(at.tolist()),
            load=numbers(columns["load"]),
            replicas=_counts(columns["replicas"]),
            ready=_counts(columns["ready"]),
            wanted=_counts(columns["wanted"]),
            capacity=numbers(columns["capacity"]),
            expected=numbers(columns["expected"]),
            hpa=_counts(columns["hpa"]),
            thinned=thinned,
            band=scene.band(slot),
            shadow=scene.beside.of(np.array([slot])),
        )

    def sparks(self, slots: list[int], since: float, until: float, points: int) -> Sparks:
        """The loads of several workloads on one axis of at most `points` moments, evenly chosen."""
        at, loads = self._recent.loads(slots, since, until)
        chosen = np.unique(np.linspace(0, len(at) - 1, min(points, len(at))).astype(np.int64))
        return Sparks(at=tuple(at[chosen].tolist()), load=tuple(numbers(row) for row in loads[chosen].T))

    def _since(self, slot: int, since: float, until: float) -> tuple[Float64s, dict[str, Float64s]]:
        if since < min(self._recent.oldest, self._reached):
            self._reach_back(since)
        return self._recent.since(slot, since, until)

    def _reach_back(self, since: float) -> None:
        """Fill the time before everything known with recorded turns, one for each bucket, backwards, for a second.

        A row serves every workload. What a second does not reach, the next question does.
        """
        if not self._reaching.acquire(blocking=False):
            return
        try:
            stop, width = time.perf_counter() + REACH_WORK_SECONDS, self._recent.bucket_seconds
            before = min(self._recent.oldest, self._reached)
            while before > since and not self._recent.full and time.perf_counter() < stop:
                entry = self._ledger.latest(record.TURN, at_or_before_us=_us(before) - 1)
                if entry is None or entry.purged:
                    self._reached = -np.inf
                    return
                turn = record.read_turn(entry)
                if turn.fleet == self._fleet.digest:
                    self._recent.fill(turn.snapshot.now, self._remembered(turn))
                before = self._reached = min(turn.snapshot.now // width * width, np.nextafter(before, -np.inf))
        finally:
            self._reaching.release()

    def _remembered(self, turn: Turn) -> tuple[NDArray[np.generic], ...]:
        table = self._library.table(turn)
        unknown = np.full(
            len(table), UNKNOWN, np.int64
        )  # what the HPA had then is not recorded, only what it amounts to
        return _row(turn, table, loads(turn.snapshot, table), expected_load(table, turn.forecast, turn.lead), unknown)


def _us(seconds: float) -> int:
    return clock.microseconds(seconds) if np.isfinite(seconds) else 2**62


def _row(
    turn: Turn, table: PolicyTable, load: Float64s, expected: Float64s, hpa: Int64s
) -> tuple[NDArray[np.generic], ...]:
    """What is kept of one turn: each of FIELDS, [n]."""
    ready = _known(turn.ready)
    rows = (load, _known(turn.snapshot.replicas), ready, _known(turn.decisions.replicas), ready * table.capacity)
    return (*rows, expected, turn.lead, _known(hpa))


def _known(counts: Int64s) -> Float64s:
    return np.where(counts == UNKNOWN, np.nan, counts)


def _said_before(at: Float64s, made_for: Float64s, expected: Float64s) -> Float64s:
    """What the newest forecast made for a moment at or before each of `at` said."""
    order = np.argsort(made_for, kind="stable")
    place = np.searchsorted(made_for[order], at, "right") - 1
    return np.where(place >= 0, expected[order][np.maximum(place, 0)], np.nan) if len(at) else expected


def _counts(values: Float64s) -> tuple[int | None, ...]:
    return tuple(None if np.isnan(value) else int(value) for value in values.tolist())
