"""`/api/v1/fleet`, `/api/v1/map` and `/api/v1/workloads`: everything at once, a page of rows, and one workload."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import Field

from podium.api import answers, queries
from podium.api.broadcast import Broadcast
from podium.api.decisions import Chosen, DecisionPage, page_of_decisions
from podium.api.documented import returns
from podium.api.problems import Fault, Problem
from podium.api.reads import Reads
from podium.loop.tell.fleetmap import MapView
from podium.loop.tell.selection import Selection
from podium.loop.tell.view import (
    Band,
    Explanation,
    FleetView,
    Listing,
    Sparks,
    View,
    WorkloadRow,
    WorkloadSeries,
)

SHOWN_SECONDS = 3 * 3600.0  # how far back a series goes unless asked: a shift's half, 720 ticks of 15 s
LONGEST_SECONDS = 31 * 86400.0
SHOWN_POINTS = 720
ONE = "/workloads/{cluster}/{namespace}/{kind}/{name}"
_FIELDS = ("tenant", "state")  # of a filter that have a parameter of their own


def _key(cluster: str, namespace: str, kind: str, name: str) -> str:
    return f"{cluster}/{namespace}/{kind.lower()}/{name}"


Key = Annotated[str, Depends(_key)]


class Listed(queries.Query):
    """Which workloads, in which order."""

    limit: queries.Limit = 100
    cursor: str | None = None
    filter: Annotated[str, Field(max_length=500)] = ""
    tenant: Annotated[str, Field(max_length=500)] = ""
    state: Annotated[str, Field(max_length=500)] = ""
    sort: Annotated[str, Field(max_length=50)] = "key"
    recent: Annotated[float, Field(ge=0, le=86400)] = 0.0


class Window(queries.Query):
    """Which part of the past; by default the last three hours."""

    since: queries.Moment | None = None
    until: queries.Moment | None = None
    points: Annotated[int, Field(ge=2, le=5000)] = SHOWN_POINTS


class At(queries.Query):
    """Which moment; by default now."""

    at: queries.Moment | None = None


class Nothing(queries.Query):
    """No parameters."""


class WorkloadPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some workloads in the asked order. `next` is the cursor of the following page, null on the last."""

    at: float
    tick: int
    total: int  # how many the filter lets through
    items: tuple[WorkloadRow, ...]
    recent: Sparks | None  # the items' recent loads, when `recent` asked for them
    next: str | None


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """The newest forecast of one workload; `band` is null until there is one."""

    key: str
    load_unit: str
    band: Band | None


def router(reads: Reads, broadcast: Broadcast) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api/v1", tags=["workloads"])

    @routes.get("/fleet", responses=returns(FleetView))
    async def fleet(request: Request, _: Annotated[Nothing, Query()]) -> Response:
        """Everything on the first page but the workloads: totals by tenant, sources, guards, and what happens next."""
        return answers.tagged(request, await reads.fleet())

    @routes.get("/map", responses=returns(MapView))
    async def whole_map(request: Request, _: Annotated[Nothing, Query()]) -> Response:
        """The whole fleet as columns; the stream's topic `map` goes on from here."""
        body, etag = await broadcast.map()
        return answers.tagged(request, body, etag)

    @routes.get("/workloads", responses=returns(WorkloadPage))
    async def workloads(query: Annotated[Listed, Query()]) -> Response:
        """Some workloads; `filter` takes words such as `tenant:shop state:held,short web`, `sort` a column."""
        return answers.plain(await reads.quick(_page, reads.view, selected(query), query.sort))

    @routes.get(ONE, responses=returns(WorkloadRow))
    async def workload(request: Request, key: Key, _: Annotated[Nothing, Query()]) -> Response:
        """One workload now."""
        return answers.tagged(request, await reads.workload(key))

    @routes.get(ONE + "/series", responses=returns(WorkloadSeries))
    async def series(request: Request, key: Key, window: Annotated[Window, Query()]) -> Response:
        """One workload's past and forecast on one time axis, at most `points` of them; peaks are kept."""
        since, until = _span(window, (await reads.quick(reads.view.sheet)).at)
        return answers.tagged(request, await reads.series(key, since, until, window.points))

    @routes.get(ONE + "/forecast", responses=returns(Forecast))
    async def forecast(request: Request, key: Key, _: Annotated[Nothing, Query()]) -> Response:
        """The newest forecast, by quantile."""
        row, now = await reads.workload(key), (await reads.quick(reads.view.sheet)).at
        series = await reads.series(key, now, now, 2)
        return answers.tagged(request, Forecast(key=row.key, load_unit=row.load_unit, band=series.band))

    @routes.get(ONE + "/decisions", responses=returns(DecisionPage))
    async def decisions(key: Key, chosen: Annotated[Chosen, Query()]) -> Response:
        """Its decisions, newest first."""
        await reads.workload(key)
        return answers.plain(await page_of_decisions(reads, key, chosen))

    @routes.get(ONE + "/explain", responses=returns(Explanation))
    async def explain(request: Request, key: Key, when: Annotated[At, Query()]) -> Response:
        """Why it has as many replicas as it has, now or at a moment."""
        await reads.workload(key)
        return answers.tagged(request, await reads.explain(key, when.at))

    return routes


def selected(query: Listed) -> Selection:
    """What a request asks for. Raises Problem with everything that is wrong with it."""
    faults: list[Fault] = []
    words: tuple[str, ...] = ()
    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sort, backwards, after = "key", False, None
    try:
        words, fields = queries.words_of(query.filter)
    except ValueError as error:
        faults.append(Fault(path="query.filter", expected=str(error), got=query.filter))
    for name in _FIELDS:
        text = getattr(query, name)
        try:
            fields += ((name, queries.values_of(name, text)),) if text else ()
        except ValueError as error:
            faults.append(Fault(path=f"query.{name}", expected=str(error), got=text))
    try:
        sort, backwards = queries.sort_of(query.sort)
    except ValueError as error:
        faults.append(Fault(path="query.sort", expected=str(error), got=query.sort))
    if query.cursor is not None:
        try:
            asked, value, key = queries.decode_cursor(query.cursor, tuple[str, float | str | None, str])
            after = _mark(asked, query.sort, value, key)
        except ValueError as error:
            faults.append(Fault(path="query.cursor", expected=str(error), got=query.cursor))
    if faults:
        raise Problem(400, "The question is not understood.", tuple(faults))
    return Selection(
        words=words,
        fields=fields,
        sort=sort,
        descending=backwards,
        limit=query.limit,
        after=after,
        recent_seconds=query.recent,
    )


def _mark(asked: str, sort: str, value: float | str | None, key: str) -> tuple[float | str | None, str]:
    if asked != sort:
        raise ValueError(f"a cursor of an answer sorted by {sort}, not by {asked}")
    if isinstance(value, str) != (sort.removeprefix("-") == "tenant"):
        raise ValueError("a cursor that an earlier answer gave as `next`")
    return value, key


def _page(view: View, wanted: Selection, sort: str) -> bytes:
    found: Listing = view.page(wanted)
    return msgspec.json.encode(
        WorkloadPage(
            at=found.at,
            tick=found.tick,
            total=found.total,
            items=found.items,
            recent=found.recent,
            next=None if found.last is None else queries.encode_cursor(sort, *found.last),
        )
    )


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
