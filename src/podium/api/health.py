"""`/healthz` and `/readyz`: for a kubelet, outside the token. They say nothing of the fleet."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Response
from fastapi.responses import PlainTextResponse

from podium.api import problems
from podium.api.reads import Reads

PATIENCE_SECONDS = 2.0  # a View that takes longer is not ready to answer people either


def router(reads: Reads, unready: Callable[[], str]) -> APIRouter:
    """The routes of this file. `unready` says in a sentence what is still awaited, "" for nothing."""
    routes = APIRouter(tags=["health"], include_in_schema=False)

    @routes.get("/healthz")
    async def healthz() -> Response:
        """The process lives and its event loop turns."""
        return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})

    @routes.get("/readyz")
    async def readyz() -> Response:
        """There is something to show, and it can be read in time."""
        awaited = unready()
        if awaited:
            return problems.answer(503, awaited)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                await reads.fleet()
        except TimeoutError:
            return problems.answer(503, f"The fleet could not be read within {PATIENCE_SECONDS:g} s.")
        return PlainTextResponse("ok\n", headers={"cache-control": "no-store"})

    return routes
