"""The View, asked off the event loop: its reads may wait for the database, and the loop's turn must not."""

from __future__ import annotations

import asyncio
import concurrent.futures
import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from podium.api.problems import Problem
from podium.loop.needs import Prediction
from podium.loop.tell.view import DecisionRows, Explanation, FleetView, View, WorkloadRow, WorkloadSeries

QUICK_THREADS = 4  # reads of memory; more would only wait for each other
SLOW_THREADS = 3  # reads that may go to the ledger: however many are asked for, quick ones do not wait behind them

P = ParamSpec("P")
T = TypeVar("T")


class Reads:
    """`View`, awaited. What it does not know is a 404."""

    def __init__(self, view: View) -> None:
        self.view = view
        self._quick = concurrent.futures.ThreadPoolExecutor(QUICK_THREADS, thread_name_prefix="api read")
        self._slow = concurrent.futures.ThreadPoolExecutor(SLOW_THREADS, thread_name_prefix="api slow read")

    async def fleet(self) -> FleetView:
        """The fleet as the last turn left it."""
        return await self.quick(self.view.fleet)

    async def workload(self, key: str) -> WorkloadRow:
        """One workload."""
        try:
            return await self.quick(self.view.workload, key)
        except KeyError as error:
            raise unknown(key) from error

    async def series(self, key: str, since: float, until: float, points: int) -> WorkloadSeries:
        """One workload on one time axis."""
        try:
            return await self.slow(self.view.series, key, since, until, points)
        except KeyError as error:
            raise unknown(key) from error

    async def prediction(self, key: str, horizon_seconds: float, threshold: float) -> Prediction:
        """What scaling one workload will need."""
        try:
            return await self.quick(self.view.prediction, key, horizon_seconds, threshold)
        except KeyError as error:
            raise unknown(key) from error

    async def decisions(self, key: str | None, before: float | None, limit: int, changed_only: bool) -> DecisionRows:
        """Decisions, newest first."""

        def ask() -> DecisionRows:
            return self.view.decisions(key, before=before, limit=limit, changed_only=changed_only)

        return await self.slow(ask)

    async def explain(self, key: str, at: float | None) -> Explanation:
        """The decision in force at `at`."""
        try:
            return await self.slow(self.view.explain, key, at)
        except KeyError as error:
            moment = "" if at is None else " at that time"
            raise Problem(404, f"No decision on {key} is recorded{moment}.") from error

    async def quick(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A read of memory, and what is made of it."""
        return await self._off(self._quick, functools.partial(call, *args, **kwargs))

    async def slow(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A read that may wait for the database."""
        return await self._off(self._slow, functools.partial(call, *args, **kwargs))

    async def _off(self, threads: concurrent.futures.ThreadPoolExecutor, call: Callable[[], T]) -> T:
        """Whoever stops waiting is free at once; the thread stays taken until the read ends, so that none pile up."""
        return await asyncio.get_running_loop().run_in_executor(threads, call)


def unknown(key: str) -> Problem:
    """No such workload."""
    return Problem(404, f"No workload is called {key}; /api/v1/workloads lists those that are known.")
