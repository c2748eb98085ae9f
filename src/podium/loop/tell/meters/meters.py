"""Everything the loop counts, in one registry."""

from __future__ import annotations

import platform

from prometheus_client import GC_COLLECTOR, CollectorRegistry, Gauge, ProcessCollector, disable_created_metrics

import podium
from podium.loop.cycle import Assignment, Turned
from podium.loop.decide.table import PolicyTable
from podium.loop.prices.price import Price
from podium.loop.tell.meters.compared import Compared
from podium.loop.tell.meters.lead import LeadMeters
from podium.loop.tell.meters.ledger import LedgerMeters
from podium.loop.tell.meters.present import Present
from podium.loop.tell.meters.tenants import Tenants
from podium.loop.tell.meters.turns import TurnMeters
from podium.loop.tell.meters.workloads import Workloads
from podium.model.clock import Clock, wall_clock
from podium.model.fleet import Fleet
from podium.telemetry.settings import MetricsSettings


class Meters:
    """What one process knows of its own loop. `take` after every turn; the rest when it happens."""

    def __init__(
        self,
        registry: CollectorRegistry,
        settings: MetricsSettings,
        interval_seconds: float,
        *,
        price: Price | None = None,
        now: Clock = wall_clock,
    ) -> None:
        """`interval_seconds`: real seconds between two turns, however fast a simulation runs. `price`: of a replica."""
        # A `…_created` beside every counter: half of all series, and nobody reads them.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self._settings, self._now = settings, now
        self._fleet, self._tenants = Fleet(), Tenants(Fleet(), settings.tenants)
        self._turns, self._present = TurnMeters(registry), Present()
        self._workloads, self._compared = Workloads(settings.workloads), Compared(price)
        self.ledger, self.lead = LedgerMeters(registry), LeadMeters(registry)
        self._last_turn = Gauge(
            "podium_last_turn_timestamp_seconds",
            "When the last turn ended, by the machine's clock; 0 before the first.",
            registry=registry,
        )
        built = Gauge("podium_build_info", "1, labelled with what runs.", ["version", "python"], registry=registry)
        built.labels(podium.__version__, platform.python_version()).set(1)
        interval = Gauge("podium_interval_seconds", "Between two turns, by the machine's clock.", registry=registry)
        interval.set(interval_seconds)
        self._wrong = Gauge(
            "podium_documents_wrong",
            "1 while the documents are wrong and the ones before stay in force.",
            registry=registry,
        )
        gauges = (self._present, self._compared, self._workloads, self.ledger.gauges, self.lead.gauges)
        for collector in (*gauges, GC_COLLECTOR):
            registry.register(collector)
        ProcessCollector(registry=registry)

    def take(self, turned: Turned, skipped: int, assignment: Assignment, table: PolicyTable) -> None:
        """Take in one turn; `skipped` moments went by without one since the last."""
        if assignment.fleet is not self._fleet:
            self._fleet, self._tenants = assignment.fleet, Tenants(assignment.fleet, self._settings.tenants)
        self._turns.take(turned, skipped, table, self._tenants)
        self._present.take(turned, table, self._tenants)
        self._compared.take(turned, self._tenants)
        self._workloads.take(turned, assignment.fleet, table)
        self._last_turn.set(self._now())

    def lost(self, reason: str) -> None:
        """This process leads no more: `reason` is one of lead.ENDS, or "" when it stopped by itself."""
        self.lead.lost(reason)
        self._present.forget()
        self._compared.forget()
        self._workloads.forget()

    def documents(self, *, wrong: bool) -> None:
        """The folder of documents was read again."""
        self._wrong.set(wrong)
