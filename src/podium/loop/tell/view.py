"""What people look at: the fleet, one workload over time, its decisions in words. For the API, page and terminal.

Times are Unix seconds, unknown numbers None (NaN inside series). Built from the ledger and the last turn of the loop.
"""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from typing import Protocol

import msgspec

from podium.loop.needs import Prediction, Predictions
from podium.loop.orders.order import Pause
from podium.loop.tell.figures import Capacity, Comparison, Reduction, Totals
from podium.loop.tell.selection import Selection
from podium.loop.tell.sheet import Sheet


class WorkloadRow(msgspec.Struct, frozen=True, kw_only=True):
    """One workload now."""

    key: str
    tenant: str
    mode: str  # recommend | metric | floor | own
    state: str  # unknown | troubled | short | limited | held | growing | shrinking | off | steady
    replicas: int | None  # spec.replicas
    ready: int | None  # pods serving
    wanted: int | None  # the last decision
    minimum: int
    maximum: int
    load: float | None
    load_unit: str
    load_origin: str  # "recorded: …", "synthetic: …" or the source's name
    capacity_per_replica: float | None  # as its policy says, or as learned: the lower end of the estimate
    learned: Capacity | None = None  # null: its policy says what a replica serves, or names no load
    use: float | None  # load over what the ready replicas can serve: 1.0 is full
    expected: float | None  # the forecast quantile the decision used, at the lead time
    coverage: float | None  # measured share of outcomes under it
    trusted: bool
    paused: str  # none | up | down | both: by its policy or by an order
    pauses: tuple[Pause, ...] = ()  # the orders behind it
    hpa: int | None  # replicas that a plain HPA would have now
    shadow: Comparison | None  # both since the comparison began; null without a load and a capacity
    troubles: tuple[str, ...] = ()  # in words: why nothing is known, what holds it


class SourceRow(msgspec.Struct, frozen=True, kw_only=True):
    """One source of signals and how it is."""

    name: str
    kind: str
    where: str  # URL or file, without secrets
    state: str  # ok | silent | suspect | frozen | broken
    since: float | None  # when it entered that state
    words: str  # one sentence: what is wrong and what it does to scaling; "" when all is well
    workloads: int  # whose policies use one of its signals
    held: int  # of these, how many do not go down because of it


class FleetView(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the first page but the workloads themselves."""

    at: float  # the loop's own time (simulated or real)
    tick: int
    due: float | None  # the loop's time of the next turn; null while something else is awaited
    interval_seconds: float
    speed: float  # loop seconds per real second; 1 outside a simulation
    simulated: bool
    fleet: str  # changes when workloads come, go or change their tenant: then the map is another one
    total: Totals
    tenants: tuple[Totals, ...]  # most workloads first, at most 500; /api/v1/tenants has all
    tenant_count: int
    sources: tuple[SourceRow, ...]
    reduction: Reduction | None  # null before the first turn
    pauses: tuple[Pause, ...]  # of everything and of namespaces
    guards: tuple[str, ...]  # in words: what holds the whole fleet back at the moment
    next: str  # what happens next, in words: "next tick in 12 s", "waiting for the first reading of prom"


class Sparks(msgspec.Struct, frozen=True, kw_only=True):
    """Recent loads of several workloads on one time axis: small charts for a page of rows in one answer."""

    at: tuple[float, ...]
    load: tuple[tuple[float | None, ...], ...]  # a row per item


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Some workloads in the order that was asked for; `last` is the place of the last one, None when none follows."""

    at: float
    tick: int
    total: int  # how many were let through
    items: tuple[WorkloadRow, ...]
    recent: Sparks | None
    last: tuple[float | str | None, str] | None


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast: quantiles by level ("0.5", "0.9" …), a value per target time."""

    made_at: float
    at: tuple[float, ...]
    quantiles: dict[str, tuple[float | None, ...]]


class WorkloadSeries(msgspec.Struct, frozen=True, kw_only=True):
    """One workload on one time axis: a value per kept turn in `at`. A row of nulls is a time nobody saw."""

    key: str
    at: tuple[float, ...]
    load: tuple[float | None, ...]
    replicas: tuple[int | None, ...]
    ready: tuple[int | None, ...]
    wanted: tuple[int | None, ...]
    capacity: tuple[float | None, ...]  # ready x capacity per replica
    expected: tuple[float | None, ...]  # what the forecast made one lead time earlier said of this moment
    hpa: tuple[int | None, ...]  # replicas that a plain HPA would have had
    thinned: bool  # more turns were known than points asked for: lowest and highest of each stretch are kept
    band: Band | None  # the newest forecast
    shadow: Comparison | None


class WorkloadTail(msgspec.Struct, frozen=True, kw_only=True):
    """One workload now, and what happened to it since the last event about it."""

    key: str
    tick: int
    at: float
    row: WorkloadRow
    series: WorkloadSeries
    decisions: tuple[DecisionRow, ...]  # newest first


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


class DecisionRows(msgspec.Struct, frozen=True, kw_only=True):
    """Decisions, newest first, and how far the search went: `until` is null at the end of everything recorded."""

    items: tuple[DecisionRow, ...]
    until: float | None  # what lies before it was not looked through yet


class View(Protocol):
    """What the doors may ask of the running program. Reads may touch the database: call them off the event loop."""

    def fleet(self) -> FleetView:
        """The fleet as the last turn left it, without its workloads."""

    def sheet(self) -> Sheet:
        """The columns of all workloads after the last turn; without a row before the first."""

    def tenants(self) -> tuple[Totals, ...]:
        """The sums of every tenant, most workloads first."""

    def page(self, wanted: Selection) -> Listing:
        """Some workloads."""

    def workload(self, key: str) -> WorkloadRow:
        """One workload now. Raises KeyError for one that nobody knows."""

    def series(self, key: str, since: float, until: float, points: int) -> WorkloadSeries:
        """One workload's past, thinned to `points`, and its forecast. Raises KeyError for one that nobody knows."""

    def prediction(self, key: str, horizon_seconds: float, threshold: float) -> Prediction:
        """What scaling a workload will need. Raises KeyError for one that nobody knows."""

    def predictions(self, horizon_seconds: float, threshold: float) -> Predictions:
        """What scaling all workloads will need."""

    def tail(self, key: str, since: float) -> WorkloadTail:
        """One workload now, and what happened to it from `since` on. Raises KeyError for one that nobody knows."""

    def decisions(
        self, key: str | None, *, before: float | None = None, limit: int = 50, changed_only: bool = False
    ) -> DecisionRows:
        """Decisions, newest first, of one workload or of all: at most `limit`, fewer where the search takes long."""

    def explain(self, key: str, at: float | None = None) -> Explanation:
        """The decision in force at `at` (default: the last). Raises KeyError when there is none."""

    def changes(self) -> AsyncIterator[None]:
        """After every turn, for as long as somebody listens. A slow listener misses turns, never blocks them."""
