"""`/api/v1/fleet` and `/api/v1/workloads`: the fleet, and one workload with its past, its forecast and its reasons."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from podium.api import answers, queries
from podium.api.decisions import Chosen, DecisionPage, page_of_decisions
from podium.api.documented import returns
from podium.api.problems import Fault, Problem
from podium.api.reads import Reads
from podium.loop.tell.view import Band, Explanation, FleetView, WorkloadRow, WorkloadSeries

SHOWN_SECONDS = 3 * 3600.0  # how far back a series goes unless asked: a shift's half, 720 ticks of 15 s
LONGEST_SECONDS = 31 * 86400.0
_ONE = "/workloads/{cluster}/{namespace}/{kind}/{name}"


def _key(cluster: str, namespace: str, kind: str, name: str) -> str:
    return f"{cluster}/{namespace}/{kind.lower()}/{name}"


Key = Annotated[str, Depends(_key)]


class Listed(queries.Query):
    """Which workloads."""

    limit: queries.Limit = 100
    cursor: str | None = None
    filter: Annotated[str, Field(max_length=500)] = ""


class Window(queries.Query):
    """Which part of the past; by default the last three hours."""

    since: queries.Moment | None = None
    until: queries.Moment | None = None


class At(queries.Query):
    """Which moment; by default now."""

    at: queries.Moment | None = None


class Nothing(queries.Query):
    """No parameters."""


class WorkloadPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some workloads, ordered by key. `next` is the cursor of the following page, null on the last."""

    at: float
    tick: int
    total: int  # how many the filter lets through
    items: tuple[WorkloadRow, ...]
    next: str | None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The newest forecast of one workload; `band` is null until there is one."""

    key: str
    load_unit: str
    band: Band | None


def router(reads: Reads) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api/v1", tags=["workloads"])

    @routes.get("/fleet", responses=returns(FleetView))
    async def fleet(request: Request, _: Annotated[Nothing, Query()]) -> Response:
        """Everything on the first page: workloads, sources, guards, and what happens next."""
        return answers.tagged(request, await reads.fleet())

    @routes.get("/workloads", responses=returns(WorkloadPage))
    async def workloads(query: Annotated[Listed, Query()]) -> Response:
        """Workloads, ordered by key; `filter` takes words such as `tenant:shop troubled:yes web`."""
        return answers.plain(_page(await reads.fleet(), query))

    @routes.get(_ONE, responses=returns(WorkloadRow))
    async def workload(request: Request, key: Key, _: Annotated[Nothing, Query()]) -> Response:
        """One workload now."""
        _fleet, row = await reads.row(key)
        return answers.tagged(request, row)

    @routes.get(_ONE + "/series", responses=returns(WorkloadSeries))
    async def series(request: Request, key: Key, window: Annotated[Window, Query()]) -> Response:
        """One workload's past and forecast on one time axis, a value per tick."""
        fleet, row = await reads.row(key)
        since, until = _span(window, fleet.at)
        return answers.tagged(request, await reads.series(row.key, since, until))

    @routes.get(_ONE + "/forecast", responses=returns(Forecast))
    async def forecast(request: Request, key: Key, _: Annotated[Nothing, Query()]) -> Response:
        """The newest forecast, by quantile."""
        fleet, row = await reads.row(key)
        series = await reads.series(row.key, fleet.at - fleet.interval_seconds, fleet.at)
        return answers.tagged(request, Forecast(key=row.key, load_unit=row.load_unit, band=series.band))

    @routes.get(_ONE + "/decisions", responses=returns(DecisionPage))
    async def decisions(key: Key, chosen: Annotated[Chosen, Query()]) -> Response:
        """Its decisions, newest first."""
        _fleet, row = await reads.row(key)
        return answers.plain(await page_of_decisions(reads, row.key, chosen))

    @routes.get(_ONE + "/explain", responses=returns(Explanation))
    async def explain(request: Request, key: Key, when: Annotated[At, Query()]) -> Response:
        """Why it has as many replicas as it has, now or at a moment."""
        _fleet, row = await reads.row(key)
        return answers.tagged(request, await reads.explain(row.key, when.at))

    return routes


def _page(fleet: FleetView, query: Listed) -> WorkloadPage:
    after = ""
    try:
        holds = queries.workload_filter(query.filter)
    except ValueError as error:
        fault = Fault(path="query.filter", expected=str(error), got=query.filter)
        raise Problem(400, "The filter is not understood.", (fault,)) from None
    if query.cursor is not None:
        after = str(queries.cursor_of(query.cursor, tuple[str])[0])
    chosen = sorted((row for row in fleet.workloads if holds(row)), key=lambda row: row.key)
    rest = [row for row in chosen if row.key > after]
    items = tuple(rest[: query.limit])
    following = queries.encode_cursor(items[-1].key) if len(rest) > query.limit else None
    return WorkloadPage(at=fleet.at, tick=fleet.tick, total=len(chosen), items=items, next=following)


def _span(window: Window, now: float) -> tuple[float, float]:
    until = now if window.until is None else window.until
    since = until - SHOWN_SECONDS if window.since is None else window.since
    if since >= until:
        fault = Fault(path="query.since", expected="a time before `until`", got=str(since))
        raise Problem(400, "The window is empty.", (fault,))
    if until - since > LONGEST_SECONDS:
        fault = Fault(path="query.since", expected="at most 31 days before `until`", got=str(since))
        raise Problem(400, "The window is too long for one answer.", (fault,))
    return since, until
