"""The application: routers over one View, behind one guard."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Collection, Mapping

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

import podium
from podium.api import (
    decisions,
    documented,
    heads,
    health,
    ingest,
    metrics,
    orders,
    page,
    predictions,
    problems,
    session,
    sources,
    stream,
    tenants,
    workloads,
)
from podium.api.access import Access
from podium.api.broadcast import Broadcast
from podium.api.guard import Guard
from podium.api.reads import Reads
from podium.loop.tell.view import View
from podium.model.clock import Clock, wall_clock
from podium.signals.push.source import PushSource

LOOPBACK_NAMES = ("127.0.0.1", "localhost", "[::1]")


def _nothing_awaited() -> str:
    return ""


def create_app(
    view: View,
    *,
    token: str,
    allowed_hosts: Collection[str] = LOOPBACK_NAMES,
    registry: CollectorRegistry | None = None,
    unready: Callable[[], str] = _nothing_awaited,
    clock: Clock = wall_clock,
    book: orders.Book | None = None,
    docs: bool = True,
    built: pathlib.Path = page.BUILT,
    heartbeat_seconds: float = stream.HEARTBEAT_SECONDS,
    pushed: Mapping[str, PushSource] | None = None,
    pushed_at: Clock | None = None,
    senders: Mapping[str, str] | None = None,
    ingest_limits: ingest.Limits | None = None,
) -> FastAPI:
    """The HTTP door to `view`.

    `token` opens it (at least 16 characters, else ValueError). `allowed_hosts` are the Host headers answered to, with a
    port or for any port. `registry` is what `/metrics` shows besides the door itself. `unready` says what is awaited
    before the program is of use, "" when nothing is. `book` takes orders; without one those routes are
    not there. `docs` serves `/api/v1/openapi.json`, behind the token. `pushed` are the sources told at /ingest,
    `pushed_at` is the clock that says when (by default `clock`);
    `senders` names those of them that have a token of their own, and it.
    """
    access = Access(token, clock, senders or {})
    reads = Reads(view)
    broadcast = Broadcast(reads)
    counted = metrics.DoorMetrics(registry if registry is not None else CollectorRegistry())

    app = FastAPI(
        title="Podium",
        version=podium.__version__,
        docs_url=None,  # Swagger and ReDoc load scripts from elsewhere
        redoc_url=None,
        openapi_url="/api/v1/openapi.json" if docs else None,
        separate_input_output_schemas=False,
    )
    app.state.broadcast = broadcast
    problems.install(app)
    documented.install(app)
    app.include_router(workloads.router(reads, broadcast))
    app.include_router(predictions.router(reads))
    app.include_router(decisions.router(reads))
    app.include_router(sources.router(reads))
    app.include_router(tenants.router(reads))
    if book is not None:
        app.include_router(orders.router(book))
    app.include_router(ingest.router(pushed or {}, pushed_at or clock, ingest_limits))
    app.include_router(stream.router(reads, broadcast, counted, heartbeat_seconds))
    app.include_router(session.router(access))
    app.include_router(health.router(reads, unready))
    app.include_router(metrics.router(counted))
    app.include_router(page.router(access, built))
    app.add_middleware(heads.Heads)
    app.add_middleware(Guard, access=access, allowed_hosts=allowed_hosts)
    app.add_middleware(metrics.Measured, metrics=counted)
    return app
