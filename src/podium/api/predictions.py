"""`/api/v1/prediction`, and of one workload: what scaling the time ahead will need, and how sure that is."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from podium.api import answers, queries
from podium.api.documented import returns
from podium.api.reads import Reads
from podium.api.workloads import ONE, Key
from podium.loop.needs import Prediction, Predictions
from podium.loop.predict import FEWEST, HIGHEST


class Asked(queries.Query):
    """How far ahead, and how sure one wants to be before more is advised."""

    horizon: queries.Horizon = 1800.0
    confidence: Annotated[float, Field(ge=FEWEST, le=HIGHEST)] = 0.8


def router(reads: Reads) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api/v1", tags=["workloads"])

    @routes.get("/prediction", responses=returns(Predictions))
    async def together(request: Request, asked: Annotated[Asked, Query()]) -> Response:
        """What scaling all workloads will need: whether any should scale up, by how much in sum, and which."""
        return answers.tagged(request, await reads.slow(reads.view.predictions, asked.horizon, asked.confidence))

    @routes.get(ONE + "/prediction", responses=returns(Prediction))
    async def prediction(request: Request, key: Key, asked: Annotated[Asked, Query()]) -> Response:
        """What scaling one workload will need, and the quantiles behind it."""
        return answers.tagged(request, await reads.prediction(key, asked.horizon, asked.confidence))

    return routes
