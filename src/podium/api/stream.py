"""`/api/v1/stream`: one multiplexed stream of server-sent events per browser.

Topics are `fleet`, `map` and `workload:KEY`. After a turn's events comes its id alone, so that `Last-Event-ID` never
resumes in the middle. Every event holds newest values, never steps: a listener that skipped turns, or came back, is
sent the one event that brings it up to date.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
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

HEARTBEAT_SECONDS = 10.0  # a page calls the connection lost after three of them
STALLED_SECONDS = 20.0  # a listener whose connection takes nothing for so long is let go; it may come back
QUICKEST_SECONDS = 0.1  # ten pictures a second are enough for eyes, however fast a simulation runs
MOST_STREAMS = 512
MOST_TOPICS = 8  # workloads on one stream
RESUMED_SECONDS = 6 * 3600.0  # how much of the past a returning listener is sent


class Topics(queries.Query):
    """What to listen to."""

    topics: Annotated[str, Field(max_length=4000)] = "fleet"


class Gone(msgspec.Struct, frozen=True, kw_only=True):
    """A workload that is no longer known."""

    key: str


class Beat(msgspec.Struct, frozen=True, kw_only=True):
    """Nothing new, but the connection lives."""

    heartbeat_seconds: float


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """The topics of one stream."""

    fleet: bool
    map: bool
    keys: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """Where a returning listener stopped: turn, its time, and its mark on the map of that process."""

    tick: int
    at: float
    mark: int | None


def router(
    reads: Reads, broadcast: Broadcast, metrics: DoorMetrics, heartbeat_seconds: float = HEARTBEAT_SECONDS
) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api/v1", tags=["stream"])

    @routes.get("/stream", responses={200: {"content": {"text/event-stream": {}}}})
    async def stream(query: Annotated[Topics, Query()], last_event_id: Annotated[str, Header()] = "") -> Response:
        """Server-sent events: `fleet`, `map`, `moved`, `workload`, `gone`, `beat`; reconnect with `Last-Event-ID`."""
        wanted = topics_of(query.topics)
        for key in wanted.keys:
            await reads.workload(key)
        listener = _Listener(broadcast, metrics, wanted)
        events = listener.events(_seen(last_event_id, broadcast.nonce), heartbeat_seconds)
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

    def __init__(self, broadcast: Broadcast, metrics: DoorMetrics, wanted: Wanted) -> None:
        self._broadcast = broadcast
        self._metrics = metrics
        self._wanted = wanted
        self._keys = list(wanted.keys)
        self._mark: int | None = None  # what was seen of the map

    async def events(self, seen: Seen | None, heartbeat_seconds: float) -> AsyncGenerator[bytes]:
        """Chunks of whole events, from where the listener stopped on."""
        yield b"retry: 1000\n\n"
        moment = await self._broadcast.newest()
        since = _begin(moment, seen)
        self._mark = None if seen is None else seen.mark
        if seen is None or moment.fleet.tick != seen.tick:
            async for chunk in self._rendered(moment, since):
                yield chunk
        while True:
            newer = await self._broadcast.newer(moment.number, heartbeat_seconds)
            if newer is None and self._broadcast.ended:
                return
            if newer is None:
                yield _event("beat", msgspec.json.encode(Beat(heartbeat_seconds=heartbeat_seconds)))
                continue
            self._metrics.skipped.inc(newer.number - moment.number - 1)
            since, moment = moment.fleet.at, newer
            async for chunk in self._rendered(moment, since):
                yield chunk
            await asyncio.sleep(QUICKEST_SECONDS)

    async def _rendered(self, moment: Moment, since: float) -> AsyncGenerator[bytes]:
        small: list[bytes] = []
        if self._wanted.fleet:
            small.append(_event("fleet", moment.body))
        if self._wanted.map:
            self._mark, name, body = await self._broadcast.moved(self._mark)
            if name:
                yield b"event: %b\ndata: " % name.encode()
                yield body  # the same bytes for every listener
                yield b"\n\n"
        for key in tuple(self._keys):
            tail = await self._broadcast.tail(key, since)
            if tail is None:
                self._keys.remove(key)
            small.append(
                _event("gone", msgspec.json.encode(Gone(key=key))) if tail is None else _event("workload", tail)
            )
        mark = "" if self._mark is None else f"@{self._broadcast.nonce}@{self._mark}"
        small.append(f"id: {moment.fleet.tick}@{moment.fleet.at!r}{mark}\n\n".encode())
        yield b"".join(small)


def topics_of(text: str) -> Wanted:
    """The topics of a request. Raises Problem with everything that is wrong with them."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    keys = tuple(dict.fromkeys(word.removeprefix("workload:") for word in words if word.startswith("workload:")))
    faults = tuple(
        Fault(path="query.topics", expected="`fleet`, `map` or `workload:KEY`", got=word)
        for word in words
        if word not in ("fleet", "map") and not word.startswith("workload:")
    )
    if not words or len(keys) > MOST_TOPICS:
        expected = f"at least one topic, and at most {MOST_TOPICS} workloads"
        faults += (Fault(path="query.topics", expected=expected, got=f"{len(words)} topics, {len(keys)} workloads"),)
    if faults:
        raise Problem(400, "The topics are not understood.", faults)
    return Wanted("fleet" in words, "map" in words, keys)


def _begin(moment: Moment, seen: Seen | None) -> float:
    """From when the first tail is told: where a returning listener stopped, else one turn ago."""
    fleet = moment.fleet
    if seen is None or seen.tick > fleet.tick or seen.at > fleet.at:
        return fleet.at - fleet.interval_seconds
    return max(seen.at, fleet.at - RESUMED_SECONDS)


def _event(name: str, body: bytes) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (name.encode(), body)


def _seen(last_event_id: str, nonce: str) -> Seen | None:
    """What a returning listener saw last; None when it says nothing we wrote."""
    tick, at, *rest = [*last_event_id.split("@"), ""][:4]
    try:
        mark = int(rest[1]) if len(rest) > 1 and rest[0] == nonce else None
        return Seen(int(tick), queries.moment(at), mark)
    except ValueError:
        return None


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
