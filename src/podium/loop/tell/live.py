"""The view of the running loop: the last turn from memory, everything older from the ledger."""

from __future__ import annotations

import asyncio
import dataclasses
import math
import time
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any

import numpy as np

from podium.ledger.ledger import Ledger
from podium.loop.cycle import Assignment, Turned
from podium.loop.decide.ahead import expected_load, loads
from podium.loop.decide.table import PolicyTable
from podium.loop.remember import record
from podium.loop.remember.restore import Library
from podium.loop.tell import standing, story
from podium.loop.tell.recent import Recent
from podium.loop.tell.story import Outcomes
from podium.loop.tell.view import Band, DecisionRow, Explanation, FleetView, WorkloadRow, WorkloadSeries
from podium.model import clock
from podium.model.arrays import UNKNOWN
from podium.model.identity import WorkloadKey

LONGEST_LEAD_SECONDS = 3600.0  # how far back a forecast of the present may have been made
OVERDUE_TURNS = 5.0  # intervals without a turn, and at least …
OVERDUE_SECONDS = 15.0  # … so many real seconds: then Podium is not ready
MOST_SCANNED = 5000  # recorded turns looked through for one page of decisions


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """What the page says of the installation, beside what the loop does."""

    interval_seconds: float
    simulated: bool
    speed: Callable[[], float]
    sources: Mapping[str, tuple[str, str]]  # name -> (kind, URL or file without secrets)


class Live:
    """Implements `podium.loop.tell.view.View`. `publish` after every turn; `waiting` while there is none."""

    def __init__(
        self,
        ledger: Ledger,
        setting: Setting,
        now: clock.Clock,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._monotonic = monotonic
        self._published = math.nan  # on the monotonic clock
        self._ledger = ledger
        self._library = Library(ledger)
        self._setting = setting
        self._now = now
        self._recent = Recent()
        self._last: tuple[Turned, Assignment, PolicyTable] | None = None
        self._waiting = "starting"
        self._due = math.nan
        self._notes: tuple[str, ...] = ()
        self._listeners: set[asyncio.Event] = set()

    def remember(self, turn: record.Turn) -> None:
        """A turn recorded before this start, for the charts."""
        self._recent.add(turn, self._library.table(turn))

    def publish(self, turned: Turned, assignment: Assignment, table: PolicyTable) -> None:
        """The newest turn."""
        self._last = (turned, assignment, table)
        self._published = self._monotonic()
        self._recent.add(turned.turn, table)
        self._wake()

    def waiting(self, words: str, due: float = math.nan) -> None:
        """What is awaited, in words; `due` is the moment of the next turn, on the loop's clock."""
        self._waiting, self._due = words, due

    def note(self, words: str | None) -> None:
        """A lasting trouble that people should see, such as documents that are wrong; None takes it back."""
        self._notes = (words,) if words else ()
        self._wake()

    def unready(self) -> str:
        """What is awaited, in words: the first turn of this start, or one that is long overdue. "" when all is well."""
        if self._last is None:
            return f"no turn yet: {self._waiting}"
        silent = self._monotonic() - self._published
        patience = max(OVERDUE_TURNS * self._setting.interval_seconds / self._setting.speed(), OVERDUE_SECONDS)
        return "" if silent < patience else f"no turn for {silent:.0f} s: {self._waiting}"

    def fleet(self) -> FleetView:
        """See View."""
        setting, speed = self._setting, self._setting.speed()
        if self._last is None:
            now = self._now()
            return FleetView(
                at=now, tick=0, interval_seconds=setting.interval_seconds, speed=speed, simulated=setting.simulated,
                workloads=(), sources=(), guards=self._notes, next=self._next(speed),
            )  # fmt: skip
        turned, assignment, table = self._last
        return FleetView(
            at=turned.turn.snapshot.now,
            tick=turned.turn.number,
            interval_seconds=setting.interval_seconds,
            speed=speed,
            simulated=setting.simulated,
            workloads=_rows(turned, assignment, table, setting),
            sources=standing.rows(turned, table, assignment.fleet, setting.sources),
            guards=(*self._notes, *story.guards(turned)),
            next=self._next(speed),
        )

    def series(self, key: str, since: float, until: float) -> WorkloadSeries:
        """See View."""
        turned, assignment, _ = self._known()
        slot = _slot(assignment, key)
        at, columns = self._recent.since(slot, since - LONGEST_LEAD_SECONDS, until)
        said = _said_before(at, at + columns["lead"], columns["expected"])
        asked = at >= since
        at, said, columns = at[asked], said[asked], {name: column[asked] for name, column in columns.items()}
        return WorkloadSeries(
            key=key,
            at=tuple(at.tolist()),
            load=_numbers(columns["load"]),
            replicas=_counts(columns["replicas"]),
            ready=_counts(columns["ready"]),
            wanted=_counts(columns["wanted"]),
            capacity=_numbers(columns["capacity"]),
            expected=_numbers(said),
            band=_band(turned, slot),
        )

    def decisions(
        self, key: str | None, *, before: float | None = None, limit: int = 50, changed_only: bool = False
    ) -> tuple[DecisionRow, ...]:
        """See View."""
        until_us = None if before is None else clock.microseconds(before) - 1
        outcomes = Outcomes()
        rows: list[DecisionRow] = []
        kinds = [record.TURN, record.RESULTS, record.VERDICTS]
        scanned = 0
        for entry in self._ledger.entries(kinds, until_us=until_us, descending=True):
            if entry.kind != record.TURN:
                outcomes.add(entry)
                continue
            if entry.purged or scanned >= MOST_SCANNED or len(rows) >= limit:
                break
            scanned += 1
            turn = record.read_turn(entry)
            fleet = self._library.fleet(turn.fleet)
            told = story.Teller(turn, entry.epoch, entry.actor, fleet, self._library.policies(turn.policies), outcomes)
            slots = _asked(fleet.index, key)
            rows += [told.row(slot) for slot in slots if not changed_only or told.changed(slot)]
        return tuple(rows[:limit])

    def explain(self, key: str, at: float | None = None) -> Explanation:
        """See View."""
        return story.explain(self._ledger, self._library, key, at)

    async def changes(self) -> AsyncIterator[FleetView]:
        """See View."""
        woken = asyncio.Event()
        self._listeners.add(woken)
        try:
            while True:
                await woken.wait()
                woken.clear()
                yield self.fleet()
        finally:
            self._listeners.discard(woken)

    def _wake(self) -> None:
        for woken in self._listeners:
            woken.set()

    def _known(self) -> tuple[Turned, Assignment, PolicyTable]:
        if self._last is None:
            raise KeyError(f"no turn yet: {self._waiting}")
        return self._last

    def _next(self, speed: float) -> str:
        if math.isnan(self._due):
            return self._waiting
        seconds = max((self._due - self._now()) / speed, 0.0)
        words = f"{self._waiting} at {clock.rfc3339(self._due)[11:19]}"
        return f"{words}, in {seconds:.0f} s" if seconds >= 1 else words


def _asked(index: Mapping[WorkloadKey, int], key: str | None) -> list[int]:
    if key is None:
        return list(index.values())
    slot = index.get(WorkloadKey.parse(key))
    return [] if slot is None else [slot]


def _slot(assignment: Assignment, key: str) -> int:
    slot = assignment.fleet.index.get(WorkloadKey.parse(key))
    if slot is None:
        raise KeyError(f"no workload {key}")
    return slot


def _rows(turned: Turned, assignment: Assignment, table: PolicyTable, setting: Setting) -> tuple[WorkloadRow, ...]:
    turn, sight = turned.turn, turned.sight
    expected, load = expected_load(table, turn.forecast, turn.lead), loads(turn.snapshot, table)
    holds = standing.holds(turned, table, setting.sources)
    rows = []
    for slot, owner in enumerate(assignment.fleet.slots):
        policy = assignment.policies.documents.get(owner.key) if owner.key else None
        if owner.key is None or policy is None:
            continue
        signal = table.load[slot]
        source = turn.snapshot.signals[signal].source[slot] if signal in turn.snapshot.signals else UNKNOWN
        origin = sight.origins.get(signal, {}).get(slot) or (turn.snapshot.sources[source] if source >= 0 else "")
        rows.append(
            WorkloadRow(
                key=str(owner.key),
                tenant=owner.tenant,
                mode=policy.spec.mode,
                replicas=_count(turn.snapshot.replicas[slot]),
                ready=_count(turn.ready[slot]),
                wanted=_count(turn.decisions.replicas[slot]),
                minimum=int(table.minimum[slot]),
                maximum=int(table.maximum[slot]),
                load=_number(load[slot]),
                load_unit=assignment.policies.unit(owner.key, signal),
                load_origin=origin,
                capacity_per_replica=_number(table.capacity[slot]),
                expected=_number(expected[slot]),
                coverage=_number(turn.forecast.coverage[slot]),
                trusted=bool(turn.forecast.trusted[slot]),
                paused=policy.spec.pause,
                troubles=(*story.troubles(turned, assignment, slot), *holds.get(slot, ())),
            )
        )
    return tuple(rows)


def _band(turned: Turned, slot: int) -> Band | None:
    forecast = turned.turn.forecast
    if slot >= forecast.quantiles.shape[2] or np.isnan(forecast.quantiles[:, :, slot]).all():
        return None
    return Band(
        made_at=forecast.at,
        at=tuple((forecast.at + forecast.ahead).tolist()),
        quantiles={
            f"{level:g}": _numbers(forecast.quantiles[row, :, slot].astype(np.float64))
            for row, level in enumerate(forecast.levels.tolist())
        },
    )


def _said_before(at: Any, made_for: Any, expected: Any) -> Any:
    """What the newest forecast made for a moment at or before each of `at` said."""
    order = np.argsort(made_for, kind="stable")
    place = np.searchsorted(made_for[order], at, "right") - 1
    return np.where(place >= 0, expected[order][np.maximum(place, 0)], np.nan) if len(at) else expected


def _number(value: Any) -> float | None:
    return None if np.isnan(value) else float(value)


def _count(value: Any) -> int | None:
    return None if value == UNKNOWN else int(value)


def _numbers(values: Any) -> tuple[float | None, ...]:
    return tuple(None if math.isnan(value) else value for value in values.tolist())


def _counts(values: Any) -> tuple[int | None, ...]:
    return tuple(None if math.isnan(value) else int(value) for value in values.tolist())
