"""`/api/v1/tenants`: the sums of every tenant."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from podium.api import answers, queries
from podium.api.documented import returns
from podium.api.reads import Reads
from podium.loop.tell.figures import Totals


class Listed(queries.Query):
    """Which tenants."""

    limit: queries.Limit = 100
    cursor: str | None = None


class TenantPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some tenants, most workloads first. `next` is the cursor of the following page, null on the last."""

    total: int
    items: tuple[Totals, ...]
    next: str | None


def router(reads: Reads) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api/v1", tags=["tenants"])

    @routes.get("/tenants", responses=returns(TenantPage))
    async def tenants(query: Annotated[Listed, Query()]) -> Response:
        """Every tenant's workloads, replicas, states and comparison, most workloads first."""
        return answers.plain(_page(await reads.quick(reads.view.tenants), query))

    return routes


def _page(everyone: tuple[Totals, ...], query: Listed) -> TenantPage:
    rest = everyone
    if query.cursor is not None:
        workloads, name = queries.cursor_of(query.cursor, tuple[int, str])
        rest = tuple(one for one in everyone if (-one.workloads, one.tenant) > (-workloads, name))
    items = rest[: query.limit]
    following = queries.encode_cursor(items[-1].workloads, items[-1].tenant) if len(rest) > query.limit else None
    return TenantPage(total=len(everyone), items=items, next=following)
