"""A View of a handful of values, and a real server around it on a free loopback port."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Any

import aiohttp
import msgspec

from podium import api
from podium.loop.tell.view import (
    Band,
    DecisionRow,
    Explanation,
    FleetView,
    SourceRow,
    WorkloadRow,
    WorkloadSeries,
)

TOKEN = "a-token-that-only-tests-know"
START = 1_763_718_600.0
WEB = "local/shop/deployment.apps/web"


def workload(key: str = WEB, **changed: Any) -> WorkloadRow:
    row = WorkloadRow(
        key=key,
        tenant=key.split("/")[1],
        mode="own",
        replicas=4,
        ready=3,
        wanted=5,
        minimum=2,
        maximum=60,
        load=310.5,
        load_unit="per_second",
        load_origin="recorded: a shop's Monday",
        capacity_per_replica=85.0,
        expected=None,
        coverage=0.93,
        trusted=True,
        paused="none",
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


class FakeView:
    """What a running program would show, held in plain attributes that a test may change."""

    def __init__(self, *keys: str) -> None:
        self.rows = tuple(workload(key) for key in (keys or (WEB,)))
        self.tick = 10
        self.recorded = [decision(tick, row.key) for tick in range(1, 11) for row in self.rows]
        self.asked_on: set[str] = set()  # names of the threads that asked
        self.listeners: set[asyncio.Queue[FleetView]] = set()
        self.broken: Exception | None = None

    def fleet(self) -> FleetView:
        self.asked_on.add(threading.current_thread().name)
        if self.broken is not None:
            raise self.broken
        return FleetView(
            at=START + 15.0 * self.tick,
            tick=self.tick,
            interval_seconds=15.0,
            speed=1.0,
            simulated=True,
            workloads=self.rows,
            sources=(SourceRow(name="prom", kind="prometheus", where="http://prom", state="ok", since=None, words=""),),
            guards=(),
            next="next tick in 15 s",
        )

    def series(self, key: str, since: float, until: float) -> WorkloadSeries:
        self.asked_on.add(threading.current_thread().name)
        if key not in {row.key for row in self.rows}:
            raise KeyError(key)
        at = tuple(START + 15.0 * tick for tick in range(self.tick + 1) if since <= START + 15.0 * tick <= until)
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
            band=band,
        )

    def decisions(
        self, key: str | None, *, before: float | None = None, limit: int = 50, changed_only: bool = False
    ) -> tuple[DecisionRow, ...]:
        self.asked_on.add(threading.current_thread().name)
        rows = [
            row
            for row in reversed(self.recorded)
            if (key is None or row.key == key)
            and (before is None or row.at < before)
            and (row.changed or not changed_only)
        ]
        return tuple(rows[:limit])

    def explain(self, key: str, at: float | None = None) -> Explanation:
        rows = [row for row in self.recorded if row.key == key and (at is None or row.at <= at)]
        if not rows:
            raise KeyError(key)
        return Explanation(decision=rows[-1], sentence="5 because of the load.", inputs={"load": "310.5/s, 2 s old"})

    async def changes(self) -> AsyncIterator[FleetView]:
        newest: asyncio.Queue[FleetView] = asyncio.Queue(maxsize=1)
        self.listeners.add(newest)
        try:
            while True:
                yield await newest.get()
        finally:
            self.listeners.discard(newest)

    def turn(self) -> None:
        """One tick of the loop."""
        self.tick += 1
        self.recorded.extend(decision(self.tick, row.key) for row in self.rows)
        for newest in self.listeners:
            with contextlib.suppress(asyncio.QueueEmpty):
                newest.get_nowait()
            newest.put_nowait(self.fleet())


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


async def events(answer: aiohttp.ClientResponse) -> AsyncIterator[dict[str, str]]:
    """The server-sent events of an answer, field by field."""
    waiting = b""
    async for part in answer.content.iter_any():
        *whole, waiting = (waiting + part).split(b"\n\n")
        for block in whole:
            yield dict(line.split(": ", 1) for line in block.decode().splitlines())
