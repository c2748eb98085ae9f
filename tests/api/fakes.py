"""A View of a handful of values, and a real server around it on a free loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import hashlib
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import msgspec
import numpy as np

from podium import api
from podium.loop.needs import Prediction, Predictions, together
from podium.loop.tell import needs, selection
from podium.loop.tell.figures import Totals
from podium.loop.tell.selection import Selection
from podium.loop.tell.sheet import MODES, PAUSED, STATES, Roll, Sheet, totals
from podium.loop.tell.view import (
    Band,
    DecisionRow,
    DecisionRows,
    Explanation,
    FleetView,
    Listing,
    SourceRow,
    Sparks,
    WorkloadRow,
    WorkloadSeries,
    WorkloadTail,
)
from podium.model.arrays import UNKNOWN

TOKEN = "a-token-that-only-tests-know"
START = 1_763_718_600.0
WEB = "local/shop/deployment.apps/web"


def workload(key: str = WEB, **changed: Any) -> WorkloadRow:
    row = WorkloadRow(
        key=key,
        tenant=key.split("/")[1],
        mode="own",
        state="growing",
        replicas=4,
        ready=3,
        wanted=5,
        minimum=2,
        maximum=60,
        load=310.5,
        load_unit="per_second",
        load_origin="recorded: a shop's Monday",
        capacity_per_replica=85.0,
        use=1.22,
        expected=None,
        coverage=0.93,
        trusted=True,
        paused="none",
        hpa=6,
        shadow=None,
    )
    return msgspec.structs.replace(row, **changed)


def decision(tick: int, key: str = WEB, **changed: Any) -> DecisionRow:
    row = DecisionRow(
        tick=tick,
        at=START + 15.0 * tick,
        key=key,
        before=4,
        wanted=5,
        changed=True,
        actor="podium",
        epoch=1,
        policy_digest="d1",
        reasons=("The load asks for 5.",),
        outcome="written",
    )
    return msgspec.structs.replace(row, **changed)


def sheet_of(rows: Sequence[WorkloadRow], at: float, tick: int) -> Sheet:
    """The columns of some rows."""
    slots = np.argsort(np.array([row.key for row in rows], object)) if rows else np.empty(0, np.int64)
    rows = [rows[slot] for slot in slots.tolist()]
    tenants = sorted({row.tenant for row in rows})

    def column(pick: Callable[[WorkloadRow], Any], kind: Any, unknown: Any = None) -> Any:
        return np.array([unknown if pick(row) is None else pick(row) for row in rows], kind)

    return Sheet(
        at=at,
        tick=tick,
        roll=Roll(
            fleet=hashlib.sha256(repr([(row.key, row.tenant, row.mode) for row in rows]).encode()).hexdigest()[:12],
            slot=slots.astype(np.int64),
            key=tuple(row.key for row in rows),
            tenants=tuple(tenants),
            tenant=column(lambda row: tenants.index(row.tenant), np.int32),
            mode=column(lambda row: MODES.index(row.mode), np.int8),
        ),
        state=column(lambda row: STATES.index(row.state), np.int8),
        replicas=column(lambda row: row.replicas, np.int64, UNKNOWN),
        ready=column(lambda row: row.ready, np.int64, UNKNOWN),
        wanted=column(lambda row: row.wanted, np.int64, UNKNOWN),
        load=column(lambda row: row.load, np.float64, np.nan),
        use=column(lambda row: row.use, np.float64, np.nan),
        paused=column(lambda row: PAUSED.index(row.paused), np.int8),
        trusted=column(lambda row: row.trusted, np.bool_),
        troubled=column(lambda row: bool(row.troubles), np.bool_),
        doubted=column(lambda row: any("source" in words or "silent" in words for words in row.troubles), np.bool_),
    )


class FakeView:
    """What a running program would show, held in plain attributes that a test may change."""

    def __init__(self, *keys: str) -> None:
        self.rows = tuple(workload(key) for key in (keys or (WEB,)))
        self.tick = 10
        self.recorded = [decision(tick, row.key) for tick in range(1, 11) for row in self.rows]
        self.asked_on: set[str] = set()  # names of the threads that asked
        self.listeners: set[asyncio.Event] = set()
        self.broken: Exception | None = None
        self.made: tuple[int, tuple[WorkloadRow, ...], Sheet] | None = None
        self.tails = 0  # how often a workload's tail was made

    def fleet(self) -> FleetView:
        self.asked_on.add(threading.current_thread().name)
        if self.broken is not None:
            raise self.broken
        total, tenants = totals(self.sheet())
        return FleetView(
            at=START + 15.0 * self.tick,
            tick=self.tick,
            due=START + 15.0 * (self.tick + 1),
            interval_seconds=15.0,
            speed=1.0,
            simulated=True,
            fleet=self.sheet().roll.fleet,
            total=total,
            tenants=tenants,
            tenant_count=len(tenants),
            sources=(
                SourceRow(
                    name="prom", kind="prometheus", where="http://prom", state="ok", since=None, words="",
                    workloads=len(self.rows), held=0,
                ),
            ),
            reduction=None,
            pauses=(),
            guards=(),
            next="next tick in 15 s",
        )  # fmt: skip

    def sheet(self) -> Sheet:
        self.asked_on.add(threading.current_thread().name)
        if self.made is None or self.made[:2] != (self.tick, self.rows):
            self.made = (self.tick, self.rows, sheet_of(self.rows, START + 15.0 * self.tick, self.tick))
        return self.made[2]

    def tenants(self) -> tuple[Totals, ...]:
        return totals(self.sheet())[1]

    def page(self, wanted: Selection) -> Listing:
        sheet = self.sheet()
        found = selection.find(sheet, wanted)
        items = tuple(self.rows[slot] for slot in sheet.roll.slot[found.rows].tolist())
        recent = Sparks(at=(sheet.at,), load=tuple((row.load,) for row in items)) if wanted.recent_seconds else None
        return Listing(at=sheet.at, tick=sheet.tick, total=found.total, items=items, recent=recent, last=found.last)

    def workload(self, key: str) -> WorkloadRow:
        self.asked_on.add(threading.current_thread().name)
        if self.broken is not None:
            raise self.broken
        for row in self.rows:
            if row.key == key:
                return row
        raise KeyError(key)

    def series(self, key: str, since: float, until: float, points: int) -> WorkloadSeries:
        self.workload(key)
        at = tuple(START + 15.0 * tick for tick in range(self.tick + 1) if since <= START + 15.0 * tick <= until)
        at = at[-points:]
        count = len(at)
        band = Band(made_at=START, at=(START + 600.0,), quantiles={"0.5": (300.0,), "0.95": (float("nan"),)})
        return WorkloadSeries(
            key=key,
            at=at,
            load=(310.5,) * count,
            replicas=(4,) * count,
            ready=(3,) * count,
            wanted=(5,) * count,
            capacity=(255.0,) * count,
            expected=(None,) * count,
            hpa=(6,) * count,
            thinned=False,
            band=band,
            shadow=None,
        )

    def prediction(self, key: str, horizon_seconds: float, threshold: float) -> Prediction:
        row = self.workload(key)
        band = Band(made_at=START, at=(START + 600.0,), quantiles={"0.5": (300.0,), "0.95": (450.0,)})
        return needs.of_workload(row, band, START, horizon_seconds, threshold)

    def predictions(self, horizon_seconds: float, threshold: float) -> Predictions:
        found = [self.prediction(row.key, horizon_seconds, threshold) for row in self.rows]
        return together(found, START, horizon_seconds, threshold)

    def tail(self, key: str, since: float) -> WorkloadTail:
        self.tails += 1
        at = START + 15.0 * self.tick
        rows = tuple(row for row in self.decisions(key).items if row.at >= since)
        series = self.series(key, since, at, 5000)
        return WorkloadTail(key=key, tick=self.tick, at=at, row=self.workload(key), series=series, decisions=rows)

    def decisions(
        self, key: str | None, *, before: float | None = None, limit: int = 50, changed_only: bool = False
    ) -> DecisionRows:
        self.asked_on.add(threading.current_thread().name)
        rows = [
            row
            for row in reversed(self.recorded)
            if (key is None or row.key == key)
            and (before is None or row.at < before)
            and (row.changed or not changed_only)
        ]
        return DecisionRows(items=tuple(rows[:limit]), until=None)

    def explain(self, key: str, at: float | None = None) -> Explanation:
        rows = [row for row in self.recorded if row.key == key and (at is None or row.at <= at)]
        if not rows:
            raise KeyError(key)
        return Explanation(decision=rows[-1], sentence="5 because of the load.", inputs={"load": "310.5/s, 2 s old"})

    async def changes(self) -> AsyncIterator[None]:
        woken = asyncio.Event()
        self.listeners.add(woken)
        try:
            while True:
                await woken.wait()
                woken.clear()
                yield None
        finally:
            self.listeners.discard(woken)

    def turn(self) -> None:
        """One tick of the loop."""
        self.tick += 1
        self.recorded.extend(decision(self.tick, row.key) for row in self.rows)
        for woken in self.listeners:
            woken.set()


@contextlib.asynccontextmanager
async def served(view: FakeView, **options: Any) -> AsyncIterator[str]:
    """The API over `view` on a free port; gives its address."""
    listening = api.bind("127.0.0.1:0")
    app = api.create_app(view, token=TOKEN, allowed_hosts=api.loopback_hosts(listening), **options)
    serving = asyncio.create_task(api.serve(app, listening))
    try:
        yield api.address(listening)
    finally:
        serving.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await serving
        listening.close()  # also when the server had no time to begin


@contextlib.asynccontextmanager
async def visited(view: FakeView | None = None, **options: Any) -> AsyncIterator[aiohttp.ClientSession]:
    """A client of a served API, with the token."""
    authorization = {"authorization": f"Bearer {TOKEN}"}
    async with (
        served(view or FakeView(), **options) as address,
        aiohttp.ClientSession(address, headers=authorization) as client,
    ):
        yield client


@dataclasses.dataclass(frozen=True)
class Answer:
    """A whole answer, its connection given back."""

    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


async def ask(asked: AbstractAsyncContextManager[aiohttp.ClientResponse]) -> Answer:
    """Read an answer to its end."""
    async with asked as answer:
        return Answer(answer.status, answer.headers, await answer.text())


async def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until something becomes true; fail when it does not."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  what is awaited lies in the server
            await asyncio.sleep(0.01)


async def events(answer: aiohttp.ClientResponse, *, marks: bool = False) -> AsyncIterator[dict[str, str]]:
    """The server-sent events of an answer, field by field; with `marks`, also the ids that stand alone."""
    waiting = b""
    async for part in answer.content.iter_any():
        *whole, waiting = (waiting + part).split(b"\n\n")
        for block in whole:
            event = dict(line.split(": ", 1) for line in block.decode().splitlines())
            if marks or list(event) != ["id"]:
                yield event
