"""The view of the running loop: the last turn from memory, everything older from the ledger."""

from __future__ import annotations

import asyncio
import functools
import math
import time
from collections.abc import AsyncIterator, Callable

import msgspec

from podium.ledger.ledger import Ledger
from podium.loop.cycle import Assignment, Turned
from podium.loop.decide.table import PolicyTable
from podium.loop.needs import Prediction, Predictions, together
from podium.loop.orders.order import shown
from podium.loop.remember import record
from podium.loop.remember.restore import Library
from podium.loop.tell import needs, selection, story
from podium.loop.tell.figures import Totals
from podium.loop.tell.past.archive import Archive
from podium.loop.tell.past.charts import Charts
from podium.loop.tell.past.diary import Diary
from podium.loop.tell.scene import Cast, Scene, Setting
from podium.loop.tell.selection import Selection
from podium.loop.tell.sheet import NOBODY, Sheet, totals
from podium.loop.tell.view import (
    DecisionRows,
    Explanation,
    FleetView,
    Listing,
    Sparks,
    WorkloadRow,
    WorkloadSeries,
    WorkloadTail,
)
from podium.model import clock
from podium.model.identity import WorkloadKey

OVERDUE_TURNS = 5.0  # intervals without a turn, and at least …
OVERDUE_SECONDS = 15.0  # … so many real seconds: then Podium is not ready
TENANTS_SHOWN = 500
SPARK_POINTS = 120
TAIL_POINTS = 5000  # of a listener that comes back: nothing is thinned that it had seen whole
TAIL_DECISIONS = 100


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
        self._charts = Charts(ledger, self._library)
        self._diary = Diary()
        self._archive = Archive(ledger, self._library, self._diary)
        self._scene: Scene | None = None
        self._cast: Cast | None = None
        self._waiting = "starting"
        self._due = math.nan
        self._notes: tuple[str, ...] = ()
        self._listeners: set[asyncio.Event] = set()

    def recall(self, until: float) -> None:
        """Take back the charts of what was recorded before this start."""
        self._charts.recall(until)

    def publish(self, turned: Turned, assignment: Assignment, table: PolicyTable) -> None:
        """The newest turn."""
        if self._cast is None or self._cast.assignment is not assignment or self._cast.table is not table:
            self._cast = Cast(assignment, table)
            self._charts.adopt(assignment.fleet)
            self._library.know(assignment.fleet, assignment.policies, table)
        scene = Scene(turned, self._cast, self._setting)
        self._charts.add(scene)
        self._diary.add(turned, self._cast)
        self._scene = scene
        self._published = self._monotonic()
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
        if self._scene is None:
            return f"no turn yet: {self._waiting}"
        silent = self._monotonic() - self._published
        patience = max(OVERDUE_TURNS * self._setting.interval_seconds / self._setting.speed(), OVERDUE_SECONDS)
        return "" if silent < patience else f"no turn for {silent:.0f} s: {self._waiting}"

    def fleet(self) -> FleetView:
        """See View."""
        scene, speed = self._scene, self._setting.speed()
        view = self._nobody if scene is None else _fleet(scene)
        return msgspec.structs.replace(
            view,
            at=self._now() if scene is None else view.at,
            speed=speed,
            due=None if math.isnan(self._due) else self._due,
            guards=(*self._notes, *view.guards),
            next=self._next(speed),
        )

    def sheet(self) -> Sheet:
        """See View."""
        return NOBODY if self._scene is None else self._scene.sheet

    def tenants(self) -> tuple[Totals, ...]:
        """See View."""
        return () if self._scene is None else self._scene.totals[1]

    def page(self, wanted: Selection) -> Listing:
        """See View."""
        scene = self._scene
        sheet = NOBODY if scene is None else scene.sheet
        found = selection.find(sheet, wanted)
        slots = sheet.roll.slot[found.rows].tolist()
        recent = None
        if wanted.recent_seconds and scene is not None:
            recent = self._charts.sparks(slots, sheet.at - wanted.recent_seconds, sheet.at, SPARK_POINTS)
        elif wanted.recent_seconds:
            recent = Sparks(at=(), load=())
        items = () if scene is None else scene.rows(slots)
        return Listing(at=sheet.at, tick=sheet.tick, total=found.total, items=items, recent=recent, last=found.last)

    def workload(self, key: str) -> WorkloadRow:
        """See View."""
        scene, slot = self._known(key)
        return scene.row(slot)

    def series(self, key: str, since: float, until: float, points: int) -> WorkloadSeries:
        """See View."""
        scene, slot = self._known(key)
        return self._charts.series(scene, slot, since, until, points)

    def prediction(self, key: str, horizon_seconds: float, threshold: float) -> Prediction:
        """See View."""
        scene, slot = self._known(key)
        at = scene.turn.snapshot.now
        return needs.of_workload(scene.row(slot), scene.band(slot), at, horizon_seconds, threshold)

    def predictions(self, horizon_seconds: float, threshold: float) -> Predictions:
        """See View."""
        scene = self._scene
        if scene is None:
            return together([], self._now(), horizon_seconds, threshold)
        at, slots = scene.turn.snapshot.now, scene.cast.roll.slot.tolist()
        found = [
            needs.of_workload(row, scene.band(slot), at, horizon_seconds, threshold)
            for slot, row in zip(slots, scene.rows(slots), strict=True)
        ]
        return together(found, at, horizon_seconds, threshold)

    def tail(self, key: str, since: float) -> WorkloadTail:
        """See View."""
        scene, slot = self._known(key)
        at = scene.turn.snapshot.now
        told = self.decisions(key, limit=TAIL_DECISIONS, since=since)
        return WorkloadTail(
            key=key,
            tick=scene.turn.number,
            at=at,
            row=scene.row(slot),
            series=self._charts.series(scene, slot, since, at, TAIL_POINTS),
            decisions=told.items,
        )

    def decisions(
        self,
        key: str | None,
        *,
        before: float | None = None,
        limit: int = 50,
        changed_only: bool = False,
        since: float = -math.inf,
    ) -> DecisionRows:
        """See View. None before `since`."""
        return self._archive.decisions(key, before, since, limit, changed_only=changed_only)

    def explain(self, key: str, at: float | None = None) -> Explanation:
        """See View."""
        scene = self._scene
        slot = None if scene is None else scene.fleet.index.get(WorkloadKey.parse(key))
        if scene is None or slot is None or (at is not None and at < scene.turn.snapshot.now):
            return story.explain(self._ledger, self._library, key, at, self._setting.price)
        turned, policies = scene.turned, scene.cast.assignment.policies
        return story.explained(
            turned.turn, turned.epoch, record.ACTOR, scene.fleet, policies, slot, self._diary.outcomes, turned.orders,
            self._setting.price,
        )  # fmt: skip

    async def changes(self) -> AsyncIterator[None]:
        """See View."""
        woken = asyncio.Event()
        self._listeners.add(woken)
        try:
            while True:
                await woken.wait()
                woken.clear()
                yield None
        finally:
            self._listeners.discard(woken)

    def _wake(self) -> None:
        for woken in self._listeners:
            woken.set()

    def _known(self, key: str) -> tuple[Scene, int]:
        """The last turn, and the slot of a workload in it."""
        if self._scene is None:
            raise KeyError(f"no turn yet: {self._waiting}")
        sheet = self._scene.sheet
        row = sheet.roll.row.get(key)
        if row is None:
            raise KeyError(f"no workload {key}")
        return self._scene, int(sheet.roll.slot[row])

    @functools.cached_property
    def _nobody(self) -> FleetView:
        """Before the first turn."""
        setting, (total, _) = self._setting, totals(NOBODY)
        return FleetView(
            at=0.0,
            tick=0,
            due=None,
            interval_seconds=setting.interval_seconds,
            speed=1.0,
            simulated=setting.simulated,
            fleet="",
            total=total,
            tenants=(),
            tenant_count=0,
            sources=(),
            reduction=None,
            pauses=(),
            guards=(),
            next="",
        )

    def _next(self, speed: float) -> str:
        if math.isnan(self._due):
            return self._waiting
        seconds = max((self._due - self._now()) / speed, 0.0)
        words = f"{self._waiting} at {clock.rfc3339(self._due)[11:19]}"
        return f"{words}, in {seconds:.0f} s" if seconds >= 1 else words


def _fleet(scene: Scene) -> FleetView:
    total, tenants = scene.totals
    return FleetView(
        at=scene.turn.snapshot.now,
        tick=scene.turn.number,
        due=None,
        interval_seconds=scene.setting.interval_seconds,
        speed=1.0,
        simulated=scene.setting.simulated,
        fleet=scene.sheet.roll.fleet,
        total=total,
        tenants=tenants[:TENANTS_SHOWN],
        tenant_count=len(tenants),
        sources=scene.sources.rows(scene.fleet),
        reduction=scene.reduction,
        pauses=tuple(shown(one) for one in scene.turned.orders.pauses if one.target.of != "workload"),
        guards=story.guards(scene.turned),
        next="",
    )
