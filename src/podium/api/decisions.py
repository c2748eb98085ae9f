"""`/api/v1/decisions`: what was decided, newest first, in words."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response

from podium.api import answers, queries
from podium.api.documented import returns
from podium.api.reads import Reads
from podium.loop.tell.view import DecisionRow

_NEXT_MICROSECOND = 1e-6  # tables keep microseconds: `before` this much later includes the moment itself


class Chosen(queries.Query):
    """Which decisions."""

    limit: queries.Limit = 50
    cursor: str | None = None
    before: queries.Moment | None = None
    changed: bool = False


class DecisionPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some decisions, newest first. `next` is the cursor of the following (older) page, null on the last."""

    items: tuple[DecisionRow, ...]
    next: str | None


def router(reads: Reads) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api/v1", tags=["decisions"])

    @routes.get("/decisions", responses=returns(DecisionPage))
    async def decisions(chosen: Annotated[Chosen, Query()]) -> Response:
        """Decisions on all workloads, newest first; `changed=true` leaves out those that changed nothing."""
        return answers.plain(await page_of_decisions(reads, None, chosen))

    return routes


async def page_of_decisions(reads: Reads, key: str | None, chosen: Chosen) -> DecisionPage:
    """One page. A tick's decisions share their time, so the cursor holds the time and how many of it were shown.

    A search that took long ends early: its page may hold fewer than `limit`, even none, and goes on with `next`.
    """
    before, shown = chosen.before, 0
    last = None
    if chosen.cursor is not None:
        last, shown = queries.cursor_of(chosen.cursor, tuple[float, int])
        before = last + _NEXT_MICROSECOND
    found = await reads.decisions(key, before, shown + chosen.limit + 1, chosen.changed)
    rest = found.items[shown:]
    items = rest[: chosen.limit]
    if len(rest) > chosen.limit:
        at = items[-1].at
        count = sum(1 for row in items if row.at == at) + (shown if at == last else 0)
        return DecisionPage(items=items, next=queries.encode_cursor(at, count))
    if found.until is not None:
        return DecisionPage(items=items, next=queries.encode_cursor(found.until - _NEXT_MICROSECOND, 0))
    return DecisionPage(items=items, next=None)
