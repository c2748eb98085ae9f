"""Who leads: whether this process does, under which epoch, for how long still, and what ended its turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import ClassVar

from prometheus_client import CollectorRegistry, Counter

from podium.ledger.lease import Leadership
from podium.loop.tell.meters.gauges import Gauges, Row

ENDS = ("leadership", "ledger")


class LeadMeters:
    """Leadership gained and lost. `gained` and `lost` when it happens."""

    def __init__(self, registry: CollectorRegistry, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.gauges = LeadGauges(monotonic)
        self._changes = Counter(
            "podium_leadership_changes",
            "Times that this process began or ceased to lead (change: gained, lost).",
            ["change"],
            registry=registry,
        )
        self._failures = Counter(
            "podium_turns_failed",
            "Turns that ended without being recorded (reason: leadership: another leads; ledger: it did not answer).",
            ["reason"],
            registry=registry,
        )
        for change in ("gained", "lost"):
            self._changes.labels(change)
        for reason in ENDS:
            self._failures.labels(reason)

    def gained(self, leadership: Leadership) -> None:
        """This process leads now."""
        self.gauges.leadership = leadership
        self._changes.labels("gained").inc()

    def lost(self, reason: str) -> None:
        """It does not any more: `reason` is one of ENDS, or "" when it stopped by itself."""
        if self.gauges.leadership is not None:
            self._changes.labels("lost").inc()
        self.gauges.leadership = None
        if reason:
            self._failures.labels(reason).inc()


class LeadGauges(Gauges):
    """The leadership held now."""

    declared: ClassVar = {
        "podium_leader": ((), "1 while this process leads: one of several does."),
        "podium_leader_epoch": ((), "The epoch this process leads under; it only rises, whoever leads."),
        "podium_lease_remaining_seconds": (
            (),
            "For how long the lead holds without being renewed; negative: it ran out.",
        ),
    }

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self.leadership: Leadership | None = None
        self._monotonic = monotonic

    def rows(self) -> Iterator[Row]:
        """See Gauges."""
        yield "podium_leader", (), float(self.leadership is not None)
        if self.leadership is not None:
            yield "podium_leader_epoch", (), float(self.leadership.epoch)
            yield "podium_lease_remaining_seconds", (), self.leadership.deadline - self._monotonic()
