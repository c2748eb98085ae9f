"""`/metrics`: Prometheus' text format, of this door and of whatever else shares the registry."""

from __future__ import annotations

import time

from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import choose_encoder
from starlette.types import ASGIApp, Message, Receive, Scope, Send

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})


class DoorMetrics:
    """What this door counts."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.registry = registry
        self.requests = Counter(
            "podium_http_requests", "Requests answered.", ("method", "route", "status"), registry=registry
        )
        self.seconds = Histogram(
            "podium_http_request_seconds",
            "Time to the first byte of an answer.",
            ("route",),
            buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5),
            registry=registry,
        )
        self.listeners = Gauge("podium_stream_listeners", "Open event streams.", registry=registry)
        self.skipped = Counter(
            "podium_stream_skipped_ticks", "Ticks that listeners were too slow to be sent.", registry=registry
        )


class Measured:
    """ASGI middleware: counts each answer under its route's template, so that names never become labels."""

    def __init__(self, app: ASGIApp, metrics: DoorMetrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = getattr(scope.get("route"), "path_format", "none")
                method = scope["method"] if scope["method"] in METHODS else "other"  # a caller may send any word
                self._metrics.requests.labels(method, route, str(message["status"])).inc()
                self._metrics.seconds.labels(route).observe(time.perf_counter() - began)
            await send(message)

        await self._app(scope, receive, counted)


def router(metrics: DoorMetrics) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(include_in_schema=False)

    @routes.get("/metrics")
    async def show(request: Request) -> Response:
        """Everything counted so far."""
        encode, kind = choose_encoder(request.headers.get("accept", ""))
        return Response(encode(metrics.registry), headers={"content-type": kind, "cache-control": "no-store"})

    return routes
