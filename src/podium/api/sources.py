"""`/api/v1/sources` and `/api/v1/clusters`: where signals come from and where commands go."""

from __future__ import annotations

from typing import Annotated

import msgspec
import numpy as np
from fastapi import APIRouter, Query, Request, Response

from podium.api import answers, queries
from podium.api.documented import returns
from podium.api.reads import Reads
from podium.loop.tell.sheet import Sheet
from podium.loop.tell.view import FleetView, SourceRow, View
from podium.model.arrays import UNKNOWN, Bools


class Nothing(queries.Query):
    """No parameters."""


class SourceList(msgspec.Struct, frozen=True, kw_only=True):
    """Every source and how it is."""

    at: float
    items: tuple[SourceRow, ...]


class ClusterRow(msgspec.Struct, frozen=True, kw_only=True):
    """One cluster: how many workloads Podium looks after there and how many of their pods serve."""

    name: str
    simulated: bool
    workloads: int
    tenants: int
    replicas: int  # of the workloads where it is known
    ready: int
    unknown: int  # workloads whose replicas could not be read


class ClusterList(msgspec.Struct, frozen=True, kw_only=True):
    """Every cluster that holds a known workload."""

    at: float
    items: tuple[ClusterRow, ...]


def router(reads: Reads) -> APIRouter:
    """The routes of this file."""
    routes = APIRouter(prefix="/api/v1", tags=["sources"])

    @routes.get("/sources", responses=returns(SourceList))
    async def sources(request: Request, _: Annotated[Nothing, Query()]) -> Response:
        """Every source of signals, its state, and what that does to scaling."""
        fleet = await reads.fleet()
        return answers.tagged(request, SourceList(at=fleet.at, items=fleet.sources))

    @routes.get("/clusters", responses=returns(ClusterList))
    async def clusters(request: Request, _: Annotated[Nothing, Query()]) -> Response:
        """Every cluster that holds a known workload."""
        return answers.tagged(request, await reads.quick(_clusters, reads.view))

    return routes


def _clusters(view: View) -> ClusterList:
    fleet, sheet = view.fleet(), view.sheet()
    names = sheet.roll.parts["cluster"]
    return ClusterList(
        at=fleet.at,
        items=tuple(_cluster(fleet, sheet, name, names == name) for name in sorted(set(names.tolist()))),
    )


def _cluster(fleet: FleetView, sheet: Sheet, name: str, mine: Bools) -> ClusterRow:
    replicas, ready = sheet.replicas[mine], sheet.ready[mine]
    return ClusterRow(
        name=name,
        simulated=fleet.simulated,
        workloads=int(mine.sum()),
        tenants=len(np.unique(sheet.roll.tenant[mine])),
        replicas=int(replicas[replicas != UNKNOWN].sum()),
        ready=int(ready[ready != UNKNOWN].sum()),
        unknown=int((replicas == UNKNOWN).sum()),
    )
