"""`/api/v1/sources` and `/api/v1/clusters`: where signals come from and where commands go."""

from __future__ import annotations

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from podium.api import answers, queries
from podium.api.documented import returns
from podium.api.reads import Reads
from podium.loop.tell.view import FleetView, SourceRow
from podium.model.identity import WorkloadKey


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
        fleet = await reads.fleet()
        names = sorted({WorkloadKey.parse(row.key).cluster for row in fleet.workloads})
        return answers.tagged(request, ClusterList(at=fleet.at, items=tuple(_cluster(fleet, name) for name in names)))

    return routes


def _cluster(fleet: FleetView, name: str) -> ClusterRow:
    rows = [row for row in fleet.workloads if row.key.startswith(name + "/")]
    return ClusterRow(
        name=name,
        simulated=fleet.simulated,
        workloads=len(rows),
        tenants=len({row.tenant for row in rows}),
        replicas=sum(row.replicas for row in rows if row.replicas is not None),
        ready=sum(row.ready for row in rows if row.ready is not None),
        unknown=sum(row.replicas is None for row in rows),
    )
