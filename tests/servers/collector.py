"""An OTLP/HTTP receiver of ours: it speaks protobuf as a collector does, and remembers what it was sent."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator

from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status


@dataclasses.dataclass(frozen=True)
class Received:
    """One span as it came over the wire."""

    name: str
    trace: bytes
    id: bytes
    parent: bytes
    seconds: float
    attributes: dict[str, object]
    failed: bool


class Collector:
    """`spans`, `resources` and `headers` are what came. `pause` and `status` make it slow and unwilling."""

    def __init__(self) -> None:
        self.url = ""
        self.spans: list[Received] = []
        self.resources: list[dict[str, object]] = []
        self.headers: list[dict[str, str]] = []
        self.pause = 0.0
        self.status = 200
        self.body = ExportTraceServiceResponse().SerializeToString()

    async def take(self, request: web.Request) -> web.Response:
        """One post."""
        content = await request.read()
        self.headers.append({name.lower(): value for name, value in request.headers.items()})
        await asyncio.sleep(self.pause)
        if self.status != 200:
            return web.Response(status=self.status, body=self.body)
        posted = ExportTraceServiceRequest.FromString(content)
        for of_resource in posted.resource_spans:
            self.resources.append(_plain(of_resource.resource.attributes))
            self.spans += [_received(span) for scope in of_resource.scope_spans for span in scope.spans]
        return web.Response(body=self.body, content_type="application/x-protobuf")


def _received(span: Span) -> Received:
    seconds = (span.end_time_unix_nano - span.start_time_unix_nano) / 1e9
    failed = span.status.code == Status.STATUS_CODE_ERROR
    attributes = _plain(span.attributes)
    return Received(span.name, span.trace_id, span.span_id, span.parent_span_id, seconds, attributes, failed)


def _plain(pairs: object) -> dict[str, object]:
    found: list[KeyValue] = list(pairs)  # type: ignore[call-overload]
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value") or "string_value") for pair in found}


@contextlib.asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """A receiver for the block."""
    collector, app = Collector(), web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    collector.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1/traces"
    try:
        yield collector
    finally:
        await runner.cleanup()
