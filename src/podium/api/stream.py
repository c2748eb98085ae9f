"""`/api/v1/stream`: one multiplexed stream of server-sent events per browser.

Topics are `fleet` and `workload:KEY`. A tick's events come together and the last of them carries the id, so that
`Last-Event-ID` never resumes in the middle. A `fleet` event is whole; a `workload` event is the tail since the last
one that this listener was sent, so a listener that skipped ticks, or came back, has no hole in its chart.
"""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import AsyncGenerator
from typing import Annotated

import msgspec
from fastapi import APIRouter, Header, Query, Response
from pydantic import Field
from starlette.types import Receive, Scope, Send

from podium.api import queries
from podium.api.broadcast import Broadcast, Moment
from podium.api.metrics import DoorMetrics
from podium.api.problems import Fault, Problem
from podium.api.reads import Reads
from podium.loop.tell.view import DecisionRow, WorkloadSeries

HEARTBEAT_SECONDS = 10.0  # a page calls the connection lost after three of them
STALLED_SECONDS = 60.0  # a listener whose connection takes nothing for so long is let go; it may come back
QUICKEST_SECONDS = 0.1  # ten pictures a second are enough for eyes, however fast a simulation runs
MOST_STREAMS = 64
MOST_TOPICS = 8
RESUMED_SECONDS = 6 * 3600.0  # how much of the past a returning listener is sent
_DECISIONS_PER_TAIL = 100


class Topics(queries.Query):
    """What to listen to."""

    topics: Annotated[str, Field(max_length=4000)] = "fleet"


class WorkloadTail(msgspec.Struct, frozen=True, kw_only=True):
    """What happened to one workload since the last event about it."""

    key: str
    tick: int
    at: float
    series: WorkloadSeries
    decisions: tuple[DecisionRow, ...]  # newest first


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A workload that is no longer known."""

    key: str


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing new, but the connection lives."""

    heartbeat_seconds: float


def router(
    reads: Reads, broadcast: Broadcast, metrics: DoorMetrics, heartbeat_seconds: float = HEARTBEAT_SECONDS
) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api/v1", tags=["stream"])

    @routes.get("/stream", responses={200: {"content": {"text/event-stream": {}}}})
    async def stream(query: Annotated[Topics, Query()], last_event_id: Annotated[str, Header()] = "") -> Response:
        """Server-sent events: `fleet`, `workload`, `gone`, `beat`; reconnect with `Last-Event-ID`."""
        fleet_wanted, keys = _topics(query.topics)
        for key in keys:
            await reads.row(key)
        listener = _Listener(reads, broadcast, metrics, fleet_wanted=fleet_wanted, keys=keys)
        events = listener.events(_resume(last_event_id), heartbeat_seconds)
        return EventStream(events, broadcast, metrics)

    return routes


class EventStream(Response):
    """Sends chunks of events until the reader leaves, stalls, or the program stops."""

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes], broadcast: Broadcast, metrics: DoorMetrics) -> None:
        super().__init__(headers={"cache-control": "no-store", "x-accel-buffering": "no"})
        del self.headers["content-length"]
        self._chunks = chunks
        self._broadcast = broadcast
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One listener, from its first event to its last."""
        del scope
        writing = asyncio.create_task(self._write(send))
        leaving = asyncio.create_task(_left(receive))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
        finally:
            writing.cancel()
            leaving.cancel()
            ended = await asyncio.gather(writing, leaving, return_exceptions=True)
        if isinstance(ended[0], Exception):
            raise ended[0]

    async def _write(self, send: Send) -> None:
        if self._broadcast.listeners >= MOST_STREAMS:  # nothing is awaited between looking and being counted
            raise Problem(503, f"{MOST_STREAMS} pages are listening already; close one.")
        with self._broadcast.listening(), self._metrics.listeners.track_inprogress():
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            async with contextlib.aclosing(self._chunks) as chunks:
                async for chunk in chunks:
                    async with asyncio.timeout(STALLED_SECONDS):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})


class _Listener:
    """One listener's place in time."""

    def __init__(
        self,
        reads: Reads,
        broadcast: Broadcast,
        metrics: DoorMetrics,
        *,
        fleet_wanted: bool,
        keys: tuple[str, ...],
    ) -> None:
        self._reads = reads
        self._broadcast = broadcast
        self._metrics = metrics
        self._fleet_wanted = fleet_wanted
        self._keys = list(keys)

    async def events(self, resumed: tuple[int, float] | None, heartbeat_seconds: float) -> AsyncGenerator[bytes]:
        """Chunks of whole events, from `resumed` (tick and time of the last one seen) on."""
        yield b"retry: 1000\n\n"
        moment = await self._first()
        since = _begin(moment, resumed)
        if resumed is None or moment.fleet.tick != resumed[0]:
            yield await self._render(moment, since)
        while True:
            newer = await self._broadcast.newer(moment.number, heartbeat_seconds)
            if newer is None and self._broadcast.ended:
                return
            if newer is None:
                yield _event("beat", Beat(heartbeat_seconds=heartbeat_seconds))
                continue
            self._metrics.skipped.inc(newer.number - moment.number - 1)
            since, moment = moment.fleet.at, newer
            yield await self._render(moment, since)
            await asyncio.sleep(QUICKEST_SECONDS)

    async def _first(self) -> Moment:
        """What is known now: as the others see it, or read by us when we are the first to listen."""
        newest = self._broadcast.newest()
        if newest is not None:
            return newest
        fleet = await self._reads.fleet()
        return self._broadcast.newest() or self._broadcast.publish(fleet)

    async def _render(self, moment: Moment, since: float) -> bytes:
        fleet = moment.fleet
        events = [_event("fleet", moment.body)] if self._fleet_wanted else []
        for key in tuple(self._keys):
            try:
                series = await self._reads.series(key, since, fleet.at)
            except Problem:
                self._keys.remove(key)
                events.append(_event("gone", Gone(key=key)))
                continue
            ticks = math.ceil((fleet.at - since) / fleet.interval_seconds) + 1
            rows = await self._reads.decisions(key, None, min(ticks, _DECISIONS_PER_TAIL), changed_only=False)
            tail = WorkloadTail(
                key=key,
                tick=fleet.tick,
                at=fleet.at,
                series=series,
                decisions=tuple(row for row in rows if row.at >= since),
            )
            events.append(_event("workload", tail))
        if not events:
            events.append(_event("beat", Beat(heartbeat_seconds=HEARTBEAT_SECONDS)))
        events[-1] = f"id: {fleet.tick}@{fleet.at!r}\n".encode() + events[-1]
        return b"".join(events)


def _begin(moment: Moment, resumed: tuple[int, float] | None) -> float:
    """From when the first tail is told: where a returning listener stopped, else one tick ago."""
    fleet = moment.fleet
    if resumed is None or resumed[0] > fleet.tick or resumed[1] > fleet.at:
        return fleet.at - fleet.interval_seconds
    return max(resumed[1], fleet.at - RESUMED_SECONDS)


def _event(name: str, value: object) -> bytes:
    body = value if isinstance(value, bytes) else msgspec.json.encode(value)
    return b"event: %b\ndata: %b\n\n" % (name.encode(), body)


def _topics(text: str) -> tuple[bool, tuple[str, ...]]:
    words = [word.strip() for word in text.split(",") if word.strip()]
    keys = tuple(dict.fromkeys(word.removeprefix("workload:") for word in words if word.startswith("workload:")))
    faults = tuple(
        Fault(path="query.topics", expected="`fleet` or `workload:KEY`", got=word)
        for word in words
        if word != "fleet" and not word.startswith("workload:")
    )
    if not words or len(keys) > MOST_TOPICS:
        faults += (Fault(path="query.topics", expected=f"one to {MOST_TOPICS} topics", got=str(len(words))),)
    if faults:
        raise Problem(400, "The topics are not understood.", faults)
    return "fleet" in words, keys


def _resume(last_event_id: str) -> tuple[int, float] | None:
    """Tick and time of the last event a returning listener saw; None when it says nothing we wrote."""
    tick, _, at = last_event_id.partition("@")
    try:
        return int(tick), queries.moment(at)
    except ValueError:
        return None


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
