"""Turns before their time: what is pushed and matters brings the next turn forward, within a budget.

It matters when a workload's value exceeds what its ready replicas can serve and did not in the last turn, or differs
from what the last turn saw by more than the policy's tolerance. An early turn is a turn like any other; the grid goes
on as it was. At most one comes in a second, none so shortly before a moment of the grid that it could make that one
late, and in any time at most half as many as turns of the grid and eight more: what the ledger grows by is bounded.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import numpy as np

from podium.loop.cycle import Turned
from podium.loop.decide.table import MetricKind, Mode, PolicyTable
from podium.loop.pace import Pace
from podium.model.arrays import Bools, Float64s, Int64s
from podium.model.clock import Clock
from podium.model.fleet import Fleet
from podium.signals.observe import Glanced, Observer
from podium.signals.placement import PodRows

APART_SECONDS = 1.0  # real seconds between two early turns
LOOKS_APART_SECONDS = 0.1  # between two looks at what was pushed: a storm of pushes costs ten small joins a second
EARNED = 0.5  # early turns for each turn of the grid
MOST = 8.0  # that can be saved
MARGIN = 2.0  # an early turn comes only with so many times the length of the last turn before the grid's moment
LEAST_SECONDS = 0.25  # and with this much at least

_SHARED = (MetricKind.LOAD, MetricKind.AVERAGE_VALUE)  # their targets are what one replica serves


class Early:
    """Waits for the next moment of the grid, or for a reason to turn before it."""

    def __init__(
        self,
        observer: Observer,
        sources: Mapping[str, Glanced],
        fleet: Fleet,
        clock: Clock = time.monotonic,
        apart_seconds: float = APART_SECONDS,
    ) -> None:
        self._observer = observer
        self._sources = sources
        self._fleet = fleet
        self._clock = clock
        self._apart = apart_seconds
        self._pushed = asyncio.Event()
        self._budget = MOST
        self._next = self._next_look = 0.0
        self._seconds = 0.0  # how long the last turn took
        self._saw: Turned | None = None
        self.count = 0

    def pushed(self) -> None:
        """Something was pushed."""
        self._pushed.set()

    async def wait(self, asked: float, pace: Pace) -> bool:
        """Return True when a turn is due before `asked`; else False, when `pace` has slept until then."""
        sleeping = asyncio.ensure_future(pace.sleep_until(asked))
        try:
            while not sleeping.done():
                if await self._told(sleeping) and self._matters(pace(), (asked - pace()) / pace.speed):
                    self._budget -= 1
                    self._next, self.count = self._clock() + self._apart, self.count + 1
                    return True
        finally:
            sleeping.cancel()
        sleeping.result()
        return False

    async def _told(self, sleeping: asyncio.Future[None]) -> bool:
        """Wait until something was pushed and may be looked at; False when `sleeping` is done before."""
        told = asyncio.ensure_future(self._woken())
        try:
            await asyncio.wait({sleeping, told}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            told.cancel()
        rest = max(self._next, self._next_look) - self._clock()
        if not sleeping.done() and rest > 0:
            await asyncio.wait({sleeping}, timeout=rest)
        return not sleeping.done()

    async def _woken(self) -> None:
        await self._pushed.wait()

    def turned(self, turned: Turned, fleet: Fleet, seconds: float, *, early: bool) -> None:
        """What a turn saw, of which `fleet`, and how long it took."""
        self._saw, self._fleet, self._seconds = turned, fleet, seconds
        if not early:
            self._budget = min(self._budget + EARNED, MOST)

    def _matters(self, now: float, left_seconds: float) -> bool:
        self._pushed.clear()
        self._next_look = self._clock() + LOOKS_APART_SECONDS
        saw = self._saw
        if saw is None or self._budget < 1 or now <= saw.turn.snapshot.now:
            return False
        if left_seconds < max(LEAST_SECONDS, MARGIN * self._seconds):
            return False
        rows = PodRows(saw.sight.observation.pods, saw.sight.observation.pod_names)
        values = self._observer.glance(self._sources, self._fleet, rows, now)
        return any(bool(_reasons(value, name, saw).any()) for name, value in values.items())


def _reasons(value: Float64s, name: str, saw: Turned) -> Bools:
    """[n] whether the values of a signal are a reason to turn now. What is unknown is none."""
    table = saw.table
    level = saw.turn.snapshot.signals.get(name)
    if level is None or len(level.value) != len(value):
        return np.zeros(len(value), np.bool_)
    seen = level.value
    moved = np.abs(value - seen) > table.up.tolerance * np.abs(seen)
    served = _served(name, table, saw.turn.ready)
    above = (value > served) & ~(seen > served)
    out: Bools = (moved | above) & _used(name, table)
    return out


def _served(name: str, table: PolicyTable, ready: Int64s) -> Float64s:
    """[n] what the ready replicas can serve of a signal; NaN where nobody says."""
    out = np.full(len(table.mode), np.nan)
    for group in table.metrics:
        if group.signal == name and group.kind in _SHARED:
            out[group.slots] = np.maximum(ready[group.slots], 0) * (group.targets / 1000)
    return out


def _used(name: str, table: PolicyTable) -> Bools:
    """[n] workloads that are scaled, by this signal among others."""
    out = np.zeros(len(table.mode), np.bool_)
    for group in table.metrics:
        if group.signal == name:
            out[group.slots] = True
    return out & (table.mode > Mode.RECOMMEND)
