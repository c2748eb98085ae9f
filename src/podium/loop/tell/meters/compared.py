"""The loop beside a plain HPA, by tenant: replicas, unserved load and money of both since the comparison began."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from podium.loop.cycle import Turned
from podium.loop.prices.price import Price
from podium.loop.tell.beside import Beside
from podium.loop.tell.meters.gauges import Gauges, Row
from podium.loop.tell.meters.tenants import Tenants

_OF = ("tenant", "of")


class Compared(Gauges):
    """Workloads with a load and a known capacity. The sums survive a restart, so they are gauges that only grow."""

    declared: ClassVar = {
        "podium_compared_replica_seconds": (
            _OF,
            "Replica-seconds since the comparison began (of: podium, hpa: what a plain HPA would have had).",
        ),
        "podium_compared_unserved_ratio": (_OF, "Share of the load since then that found no ready replica."),
        "podium_compared_cost": (
            (*_OF, "currency"),
            "Money for these replicas, by what their pods request; absent while a price or a request is unknown.",
        ),
    }

    def __init__(self, price: Price | None) -> None:
        self._price = price
        self._last: tuple[Turned, Tenants] | None = None

    def take(self, turned: Turned, tenants: Tenants) -> None:
        """The newest turn."""
        self._last = (turned, tenants)

    def forget(self) -> None:
        """This process does not lead any more."""
        self._last = None

    def rows(self) -> Iterator[Row]:
        """See Gauges."""
        if self._last is None:
            return
        turned, tenants = self._last
        beside = Beside(turned.shadow, turned.turn.snapshot.pods, self._price)
        slots = np.flatnonzero(tenants.occupied)
        for tenant, one in zip(tenants.names, beside.by(slots, tenants.number[slots], len(tenants.names)), strict=True):
            if one is None:
                continue
            for of in ("podium", "hpa"):
                yield "podium_compared_replica_seconds", (tenant, of), 3600.0 * (getattr(one.replica_hours, of) or 0.0)
                if (share := getattr(one.unserved_fraction, of)) is not None:
                    yield "podium_compared_unserved_ratio", (tenant, of), share
                if one.cost is not None:
                    yield "podium_compared_cost", (tenant, of, one.cost.currency), getattr(one.cost, of)
