"""`/ingest`: where senders push metrics, by Prometheus remote write 1.0 and OTLP/HTTP.

A request is taken whole or not at all; only points that no Signal could ever read are left out, and OTLP's answer says
so. 400, 413 and 415 say that sending it again will not help; 429 and 503 say when to send it again.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
import math
import zlib
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from fastapi import APIRouter, Query, Request, Response
from starlette.requests import ClientDisconnect

from podium.api import problems, queries
from podium.api.guard import SENDER
from podium.clients import messages
from podium.model.clock import Clock
from podium.signals.push import otlp
from podium.signals.push.batch import Batch, Malformed
from podium.signals.push.source import PushSource
from podium.signals.push.store import FORGET_SECONDS, Full

MOST_BYTES = 16_000_000  # of a body as it is sent: 100,000 series in snappy are about 5 MB
MOST_UNPACKED = 96_000_000  # of the same, unpacked
PATIENCE_SECONDS = 10.0  # for a body to arrive
AT_ONCE = 2  # decoded side by side; each in a thread of its own
UNDER_WAY = 32  # requests; more are told to come again
AGAIN_SECONDS = 1

_PROTOBUF, _JSON = "application/x-protobuf", "application/json"
T = TypeVar("T")
_CODES = {400: 3, 404: 5, 413: 3, 415: 3, 429: 8, 503: 14}  # HTTP status -> google.rpc.Code


class Which(queries.Query):
    """Which source of kind push is told; may be left out where there is one, or the token is that of one."""

    source: str | None = None


class Refused(Exception):
    """A request that is not taken. `again` is after how many seconds it may be; None: never."""

    def __init__(self, status: int, words: str, again: int | None = None) -> None:
        super().__init__(words)
        self.status, self.words, self.again = status, words, again

    @property
    def headers(self) -> dict[str, str]:
        """Retry-After, where trying again helps."""
        return {} if self.again is None else {"retry-after": str(self.again)}


@dataclasses.dataclass(frozen=True)
class Limits:
    """What the door bears."""

    most_bytes: int = MOST_BYTES
    most_unpacked: int = MOST_UNPACKED
    patience_seconds: float = PATIENCE_SECONDS
    under_way: int = UNDER_WAY


class Door:
    """Takes bodies in, within the limits, and hands what they hold to a source."""

    def __init__(self, sources: Mapping[str, PushSource], clock: Clock, limits: Limits) -> None:
        self._sources = sources
        self._clock = clock
        self._limits = limits
        self._decoding = asyncio.Semaphore(AT_ONCE)
        self._under_way = 0

    def source(self, request: Request, which: Which) -> PushSource:
        """Whom the request tells. Raises Refused."""
        own = request.scope.get(SENDER)
        name = which.source or own
        there = ", ".join(self._sources) or "none; write one of kind push into the settings"
        if name is None and len(self._sources) == 1:
            return next(iter(self._sources.values()))
        if name is None or name not in self._sources or own not in (None, name):
            asked = "No source is named" if name is None else f"This token opens no source {name!r}"
            raise Refused(404, f"{asked}; of kind push there are: {there}.")
        return self._sources[name]

    @contextlib.asynccontextmanager
    async def entered(self) -> AsyncIterator[None]:
        """One more request under way. Raises Refused when there are too many."""
        if self._under_way >= self._limits.under_way:
            raise Refused(503, f"{self._under_way} pushes are under way already.", AGAIN_SECONDS)
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def body(self, request: Request) -> bytes:
        """The body as it is sent. Raises Refused."""
        most = self._limits.most_bytes
        length = request.headers.get("content-length", "")
        if length.isdecimal() and int(length) > most:
            raise Refused(413, f"The body has {int(length):,} bytes; expected at most {most:,}. Send smaller batches.")
        parts, size = [], 0
        try:
            async with asyncio.timeout(self._limits.patience_seconds):
                async for part in request.stream():
                    parts.append(part)
                    if (size := size + len(part)) > most:
                        raise Refused(413, f"The body is longer than {most:,} bytes. Send smaller batches.")
        except TimeoutError:
            late = f"The body was not there within {self._limits.patience_seconds:g} s."
            raise Refused(503, late, AGAIN_SECONDS) from None
        return b"".join(parts)

    async def decoded(self, decode: Callable[[], T]) -> T:
        """What `decode` says, in a thread. Raises Refused."""
        async with self._decoding:
            try:
                return await asyncio.to_thread(decode)
            except Malformed as error:
                raise Refused(400, f"{error}; nothing was taken.") from error

    def unpacked(self, content: bytes, encoding: str) -> bytes:
        """Undo a content encoding. Raises Malformed, and Refused for what is too large."""
        most = self._limits.most_unpacked
        if encoding in ("", "identity"):
            return content
        out = _from_snappy(content, most) if encoding == "snappy" else _from_gzip(content, most)
        if out is None:
            raise Refused(413, f"The body is larger than {most:,} bytes unpacked. Send smaller batches.")
        return out

    def take(self, source: PushSource, batch: Batch) -> None:
        """Hand it over. Raises Refused when there is no room."""
        try:
            source.take(batch, self._clock())
        except Full as error:
            again = math.ceil(FORGET_SECONDS)
            raise Refused(429, f"{source.name}: {error}; nothing was taken.", again) from error


def _from_snappy(content: bytes, most: int) -> bytes | None:
    import cramjam

    try:
        # The length stands at the front; what unpacks to more than allowed is not unpacked.
        if cramjam.snappy.decompress_raw_len(content) > most:
            return None
        return bytes(cramjam.snappy.decompress_raw(content))
    except cramjam.DecompressionError as error:
        raise Malformed(f"the body is not a snappy block ({error})") from error


def _from_gzip(content: bytes, most: int) -> bytes | None:
    unpacking = zlib.decompressobj(wbits=31)
    try:
        out = unpacking.decompress(content, most + 1)
    except zlib.error as error:
        raise Malformed(f"the body is not gzip ({error})") from error
    if len(out) > most:
        return None
    if not unpacking.eof or unpacking.unused_data:
        raise Malformed("the body is not one whole gzip member")
    return out


def router(sources: Mapping[str, PushSource], clock: Clock, limits: Limits | None = None) -> APIRouter:
    """The routes of this file, for the sources of kind push by name."""
    routes = APIRouter(prefix="/ingest", tags=["ingest"])
    door = Door(sources, clock, limits or Limits())

    @routes.post("/remote-write", status_code=204, responses=_said(429, 503))
    async def remote_write(request: Request, which: Annotated[Which, Query()]) -> Response:
        """Prometheus remote write 1.0. Version 2.0 is answered 415, upon which senders fall back to 1.0."""
        try:
            source = door.source(request, which)
            _check_remote_write(request)
            async with door.entered():
                content = await door.body(request)
                decode = source.decoder.decode
                batch = await door.decoded(lambda: decode(door.unpacked(content, "snappy")))
                door.take(source, batch)
        except Refused as refused:
            return problems.answer(refused.status, refused.words, headers=refused.headers)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        return Response(status_code=204)

    @routes.post("/otlp/v1/metrics", responses=_said(429, 503))
    async def otlp_metrics(request: Request, which: Annotated[Which, Query()]) -> Response:
        """OTLP/HTTP metrics: gauges and sums, as protobuf or JSON, plain or in gzip."""
        encoding: otlp.Encoding = "json" if _media(request) == _JSON else "protobuf"
        try:
            source = door.source(request, which)
            packed = _check_otlp(request)
            async with door.entered():
                content = await door.body(request)
                found = await door.decoded(lambda: otlp.decode(door.unpacked(content, packed), encoding))
                door.take(source, found.batch)
        except Refused as refused:
            return _status(refused, encoding)
        except ClientDisconnect:
            return Response(status_code=400)  # nobody reads it
        return _partial(found, encoding)

    return routes


def _said(*statuses: int) -> dict[int | str, dict[str, Any]]:
    words = {429: "No room for more series; see Retry-After.", 503: "Too busy, or too slow; see Retry-After."}
    return {status: {"description": words[status]} for status in statuses}


def _media(request: Request) -> str:
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def _check_remote_write(request: Request) -> None:
    written = request.headers.get("content-type", "")
    proto = written.partition("proto=")[2].partition(";")[0].strip(' "')
    if _media(request) != _PROTOBUF or proto not in ("", "prometheus.WriteRequest"):
        expected = f"expected {_PROTOBUF};proto=prometheus.WriteRequest, which is remote write 1.0"
        raise Refused(415, f"The content type is {written[:200]!r}; {expected}.")
    encoding = request.headers.get("content-encoding", "")
    if encoding.lower() != "snappy":
        raise Refused(415, f"The content encoding is {encoding[:200]!r}; expected snappy.")


def _check_otlp(request: Request) -> str:
    """The content encoding."""
    if _media(request) not in (_PROTOBUF, _JSON):
        written = request.headers.get("content-type", "")[:200]
        raise Refused(415, f"The content type is {written!r}; expected {_PROTOBUF} or {_JSON}.")
    encoding = request.headers.get("content-encoding", "").lower()
    if encoding not in ("", "identity", "gzip"):
        raise Refused(415, f"The content encoding is {encoding[:200]!r}; expected gzip or none.")
    return encoding


def _partial(found: otlp.Decoded, encoding: otlp.Encoding) -> Response:
    """An ExportMetricsServiceResponse: empty when everything was taken."""
    if encoding == "json":
        rejected = {"rejectedDataPoints": str(found.rejected), "errorMessage": found.why}
        body = msgspec.json.encode({"partialSuccess": rejected} if found.rejected else {})
        return Response(body, media_type=_JSON)
    spoken = _messages()
    answer = spoken["Response"]()
    if found.rejected:
        answer.partial_success.rejected_data_points = found.rejected
        answer.partial_success.error_message = found.why
    return Response(answer.SerializeToString(), media_type=_PROTOBUF)


def _status(refused: Refused, encoding: otlp.Encoding) -> Response:
    """A google.rpc.Status, as OTLP wants errors told."""
    code = _CODES[refused.status]
    if encoding == "json":
        body = msgspec.json.encode({"code": code, "message": refused.words})
        return Response(body, refused.status, refused.headers, media_type=_JSON)
    status = _messages()["Status"](code=code, message=refused.words)
    return Response(status.SerializeToString(), refused.status, refused.headers, media_type=_PROTOBUF)


@functools.cache
def _messages() -> dict[str, Any]:
    return messages.built(
        "podium.otlp_answers",
        {
            "Status": [("code", 1, "int32"), ("message", 2, "string")],
            "Partial": [("rejected_data_points", 1, "int64"), ("error_message", 2, "string")],
            "Response": [("partial_success", 1, "Partial")],
        },
    )
