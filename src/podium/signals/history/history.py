"""The history of all signals: rows collected in memory, stored a window at a time, read a workload at a time.

Adding is cheap and touches no disk. Storing blocks and belongs into a thread; it takes many small transactions, so that
a turn's append never waits for long. A window that is stored twice is merged with itself, so a crash in the middle
costs nothing: whoever starts again adds what the ledger holds since `reaches`, and goes on.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence

import numpy as np
import sqlalchemy as sa

from podium.clients.database import Database
from podium.model.arrays import Float64s
from podium.model.clock import microseconds
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.signals.history import schema, table
from podium.signals.history.chunk import BLOCK
from podium.signals.history.window import Window
from podium.signals.series import Series

STEP_SECONDS = 60.0  # between two kept values of a series: the grid that forecasts are made on
WINDOW_SECONDS = 1800.0  # of one chunk: what a crash leaves to be read from the ledger again
ORIGIN = "recorded: observed by Podium"


class History:
    """The samples kept in one database. Calls that touch it raise what `podium.clients.database` does."""

    def __init__(
        self, database: Database, *, step_seconds: float = STEP_SECONDS, window_seconds: float = WINDOW_SECONDS
    ) -> None:
        self._database = database
        self._step_us, self._window_us = microseconds(step_seconds), microseconds(window_seconds)
        self._lock = threading.Lock()
        self._open: dict[int, Window] = {}  # by their beginning
        self._storing: list[Window] = []
        self._taken: set[int] = set()  # steps of these windows that have their row
        self._current = 0  # beginning of the window that the last row went into

    def wants(self, now: float) -> bool:
        """Whether the step of `now` has no row yet: the first row of each step is the one that is kept."""
        return microseconds(now) // self._step_us not in self._taken

    def add(self, now: float, fleet: Fleet, values: Mapping[str, Float64s]) -> None:
        """What each signal's values [n] were at `now`; left out when `now`'s step has a row. In any order of time."""
        at_us = microseconds(now)
        with self._lock:
            if (step := at_us // self._step_us) in self._taken:
                return
            self._taken.add(step)
            self._current = at_us // self._window_us * self._window_us
            self._open.setdefault(self._current, Window(self._current)).add(now, fleet, values)

    @property
    def due(self) -> bool:
        """Whether a window is over and waits to be stored."""
        with self._lock:
            return any(begin != self._current for begin in self._open)

    def store(self, *, everything: bool = False) -> int:
        """Store the windows that are over, or all. Returns the number of chunks. What cannot be stored waits."""
        with self._lock:
            chosen = [begin for begin in sorted(self._open) if everything or begin != self._current]
            waiting = [self._open.pop(begin) for begin in chosen]
            self._storing += waiting
        count = 0
        try:
            while waiting:
                count += self._store(waiting[0])
                self._forget(waiting.pop(0))
        finally:
            with self._lock:
                for window in waiting:
                    self._open.setdefault(window.begin_us, Window(window.begin_us)).absorb(window)
                self._storing = []
        return count

    def reaches(self) -> float | None:
        """From when on (Unix seconds) rows may be missing in what is stored; None: nothing is stored at all."""
        with self._database.read() as connection:
            begin = connection.execute(sa.select(sa.func.max(schema.chunk.c.begin_us))).scalar_one()
        return None if begin is None else int(begin) / 1e6

    def read(self, signal: str, key: WorkloadKey, since: float, until: float) -> Series:
        """What was seen of one workload, `since <= at < until`; unknown is a gap. An unknown workload has no rows."""
        return self.read_many(signal, [key], since, until)[key]

    def read_many(
        self, signal: str, keys: Sequence[WorkloadKey], since: float, until: float
    ) -> dict[WorkloadKey, Series]:
        """The same of several workloads: neighbours are unpacked once."""
        parts: dict[WorkloadKey, list[tuple[Float64s, Float64s]]] = {key: [] for key in keys}
        with self._database.read() as connection:
            ids = table.ids(connection, [str(key) for key in keys])
        blocks: dict[int, list[WorkloadKey]] = {}
        for key in parts:
            if str(key) in ids:
                blocks.setdefault(ids[str(key)] // BLOCK, []).append(key)
        for block, members in blocks.items():
            for chunk in table.chunks(self._database, signal, block, microseconds(since), microseconds(until)):
                for key in members:
                    parts[key].append((chunk.at_us / 1e6, chunk.value[ids[str(key)] % BLOCK].astype(np.float64)))
        with self._lock:
            windows = [*self._storing, *self._open.values()]
        for key, own in parts.items():
            own += [window.series(signal, key) for window in windows]
        return {key: _series(own, since, until) for key, own in parts.items()}

    def purge(self, before: float, *, dry_run: bool = False) -> int:
        """Remove the chunks whose newest sample is older than `before`; returns how many there are."""
        return table.purge(self._database, microseconds(before), dry_run=dry_run)

    def summary(self) -> table.Summary:
        """What is stored, in numbers."""
        return table.summary(self._database)

    def _store(self, window: Window) -> int:
        places = window.places(lambda keys: table.named(self._database, keys))
        return sum(
            table.write(self._database, signal, window.begin_us, window.chunks(signal, places))
            for signal in window.signals()
        )

    def _forget(self, window: Window) -> None:
        with self._lock:
            self._storing.remove(window)
            first, last = (us // self._step_us for us in (window.begin_us, window.begin_us + self._window_us))
            self._taken.difference_update(range(first, last))


def _series(parts: Sequence[tuple[Float64s, Float64s]], since: float, until: float) -> Series:
    """Rising times with finite values. Of equal times the last one wins."""
    at = np.concatenate([np.empty(0), *(times for times, _ in parts)])
    value = np.concatenate([np.empty(0), *(values for _, values in parts)])
    kept = np.isfinite(value) & (at >= since) & (at < until)
    order = np.argsort(at[kept], kind="stable")
    at, value = at[kept][order], value[kept][order]
    last = np.append(at[1:] != at[:-1], True)[: len(at)]
    return Series(at[last], value[last], ORIGIN)
