"""A circuit breaker, so that a dead source costs nothing per tick: a value, and what turns it into the next one."""

from __future__ import annotations

import dataclasses
import enum


class Circuit(enum.Enum):
    """Whether to ask."""

    CLOSED = "closed"  # ask everything
    HALF_OPEN = "half-open"  # ask one thing; the answer decides
    OPEN = "open"  # ask nothing


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """Opens after `threshold` failures in a row, then lets one attempt through after a pause that doubles each time.

    With the defaults: open after 3 failures, probes after 15 s, 30 s, 60 s, 120 s, and then every 120 s.
    """

    threshold: int = 3
    pause_seconds: float = 15.0
    longest_pause_seconds: float = 120.0
    failures: int = 0  # in a row
    failed_at: float = 0.0  # the last one, Unix seconds

    def circuit(self, now: float) -> Circuit:
        """Closed, open or half-open at `now`. A clock that went backwards half-opens it."""
        if self.failures < self.threshold:
            return Circuit.CLOSED
        return Circuit.OPEN if self.failed_at <= now < self.probe_at else Circuit.HALF_OPEN

    @property
    def probe_at(self) -> float:
        """When an open circuit lets the next attempt through."""
        # The exponent is bounded: 2.0 ** 1100 would overflow after a day of failures.
        doublings = min(max(self.failures - self.threshold, 0), 30)
        return self.failed_at + min(self.pause_seconds * 2.0**doublings, self.longest_pause_seconds)

    def failed(self, now: float) -> Breaker:
        """After an attempt that failed."""
        return dataclasses.replace(self, failures=self.failures + 1, failed_at=now)

    def succeeded(self) -> Breaker:
        """After an attempt that was answered."""
        return dataclasses.replace(self, failures=0) if self.failures else self
