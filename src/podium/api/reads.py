"""The View, asked off the event loop: its reads may wait for the database, and the loop's turn must not."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from podium.api.problems import Problem
from podium.loop.tell.view import DecisionRow, Explanation, FleetView, View, WorkloadRow, WorkloadSeries

THREADS = 8  # reads at once; more would only queue inside the database

P = ParamSpec("P")
T = TypeVar("T")


class Reads:
    """`View`, awaited. What it does not know is a 404."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._threads = concurrent.futures.ThreadPoolExecutor(THREADS, thread_name_prefix="api read")

    async def fleet(self) -> FleetView:
        """The fleet as the last tick left it."""
        return await self._off(self.view.fleet)

    async def row(self, key: str) -> tuple[FleetView, WorkloadRow]:
        """The fleet, and one workload of it."""
        fleet = await self.fleet()
        for row in fleet.workloads:
            if row.key == key:
                return fleet, row
        raise unknown(key)

    async def series(self, key: str, since: float, until: float) -> WorkloadSeries:
        """One workload on one time axis."""
        try:
            return await self._off(self.view.series, key, since, until)
        except KeyError as error:
            raise unknown(key) from error

    async def decisions(
        self, key: str | None, before: float | None, limit: int, changed_only: bool
    ) -> tuple[DecisionRow, ...]:
        """Decisions, newest first."""

        def ask() -> tuple[DecisionRow, ...]:
            return self.view.decisions(key, before=before, limit=limit, changed_only=changed_only)

        return await self._off(ask)

    async def explain(self, key: str, at: float | None) -> Explanation:
        """The decision in force at `at`."""
        try:
            return await self._off(self.view.explain, key, at)
        except KeyError as error:
            moment = "" if at is None else " at that time"
            raise Problem(404, f"No decision on {key} is recorded{moment}.") from error

    async def _off(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Whoever stops waiting is free at once; the thread stays taken until the read ends, so that none pile up."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, functools.partial(call, *args, **kwargs))


def unknown(key: str) -> Problem:
    """No such workload."""
    return Problem(404, f"No workload is called {key}; /api/v1/workloads lists those that are known.")
