"""What people look at: the fleet, one workload over time, its decisions in words. For the API, page and terminal.

Times are Unix seconds, unknown numbers None (NaN inside series). Built from the ledger and the last turn of the loop.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Protocol

import msgspec


class WorkloadRow(msgspec.Struct, frozen=True, kw_only=True):
    """One workload now."""

    key: str
    tenant: str
    mode: str  # recommend | metric | floor | own
    replicas: int | None  # spec.replicas
    ready: int | None  # pods serving
    wanted: int | None  # the last decision
    minimum: int
    maximum: int
    load: float | None
    load_unit: str
    load_origin: str  # "recorded: …", "synthetic: …" or the source's name
    capacity_per_replica: float | None
    expected: float | None  # the forecast quantile the decision used, at the lead time
    coverage: float | None  # measured share of outcomes under it
    trusted: bool
    paused: str  # none | up | down | both
    troubles: tuple[str, ...] = ()  # in words: why nothing is known, what holds it


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One source of signals and how it is."""

    name: str
    kind: str
    where: str  # URL or file, without secrets
    state: str  # ok | silent | suspect | frozen | broken
    since: float | None  # when it entered that state
    words: str  # one sentence: what is wrong and what it does to scaling; "" when all is well


class FleetView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the first page."""

    at: float  # the loop's own time (simulated or real)
    tick: int
    interval_seconds: float
    speed: float  # loop seconds per real second; 1 outside a simulation
    simulated: bool
    workloads: tuple[WorkloadRow, ...]
    sources: tuple[SourceRow, ...]
    guards: tuple[str, ...]  # in words: what holds the whole fleet back at the moment
    next: str  # what happens next, in words: "next tick in 12 s", "waiting for the first reading of prom"


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast: quantiles by level ("0.5", "0.9" …), a value per target time."""

    made_at: float
    at: tuple[float, ...]
    quantiles: dict[str, tuple[float | None, ...]]


class WorkloadSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One workload on one time axis: a value per tick in `at`."""

    key: str
    at: tuple[float, ...]
    load: tuple[float | None, ...]
    replicas: tuple[int | None, ...]
    ready: tuple[int | None, ...]
    wanted: tuple[int | None, ...]
    capacity: tuple[float | None, ...]  # ready x capacity per replica
    expected: tuple[float | None, ...]  # what the forecast made one lead time earlier said of this moment
    band: Band | None  # the newest forecast


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One decision that changed something, or why nothing changed."""

    tick: int
    at: float
    key: str
    before: int | None
    wanted: int | None
    changed: bool
    actor: str
    epoch: int
    policy_digest: str
    reasons: tuple[str, ...]  # in plain words, in the order the policies spoke
    outcome: str  # written | recommended | refused: … | reached after 90s | late: 3 of 5 ready | ""


class Explanation(msgspec.Struct, frozen=True, kw_only=True):
    """Why a workload has as many replicas as it has, at a moment."""

    decision: DecisionRow
    sentence: str  # the answer in one sentence
    inputs: dict[str, str]  # name -> value with unit and age, as the decision saw them


class View(Protocol):
    """What the doors may ask of the running program. Reads may touch the database: call them off the event loop."""

    def fleet(self) -> FleetView:
        """The fleet as the last tick left it."""

    def series(self, key: str, since: float, until: float) -> WorkloadSeries:
        """One workload's recent past and forecast. Raises KeyError for a workload nobody knows."""

    def decisions(
        self, key: str | None, *, before: float | None = None, limit: int = 50, changed_only: bool = False
    ) -> tuple[DecisionRow, ...]:
        """Decisions, newest first, of one workload or of all."""

    def explain(self, key: str, at: float | None = None) -> Explanation:
        """The decision in force at `at` (default: the last). Raises KeyError when there is none."""

    def changes(self) -> AsyncIterator[FleetView]:
        """A view after every tick, for as long as somebody listens. A slow listener misses ticks, never blocks them."""
