"""The ledger: how long appends take, what they write, when the chain's head was signed, and room on its disk."""

from __future__ import annotations

import collections
import contextlib
import math
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from prometheus_client import CollectorRegistry, Counter, Histogram

from podium.ledger.entry import Draft
from podium.ledger.errors import Permanent, StaleLeader, Temporary
from podium.ledger.ledger import Ledger
from podium.loop.tell.meters.gauges import Gauges, Row

REASONS: Mapping[type[Exception], str] = {StaleLeader: "leadership", Temporary: "temporary", Permanent: "permanent"}
APPEND_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class LedgerMeters:
    """Counts appends; `of` makes it listen to a ledger."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.gauges = LedgerGauges()
        self._seconds = Histogram(
            "podium_ledger_append_seconds",
            "How long an append took until it was on the disk, failed ones included.",
            buckets=APPEND_SECONDS,
            registry=registry,
        )
        self._errors = Counter(
            "podium_ledger_append_errors",
            "Appends that failed; what is not recorded is not done (reason: leadership: another leads; temporary: the "
            "database did not answer, or its disk is full; permanent: a right is missing, or it is damaged).",
            ["reason"],
            registry=registry,
        )
        for reason in REASONS.values():
            self._errors.labels(reason)
        self._entries = Counter("podium_ledger_entries", "Entries appended, by kind.", ["kind"], registry=registry)
        self._bytes = Counter("podium_ledger_bytes", "Bytes of payload appended, by kind.", ["kind"], registry=registry)

    def of(self, ledger: Ledger) -> None:
        """Listen to `ledger` from now on."""
        ledger.on_append = self._appended
        self.gauges.ledger = ledger

    def _appended(self, drafts: Sequence[Draft], seconds: float, error: Exception | None) -> None:
        """In whatever thread appended: prometheus_client's counters are safe there."""
        self._seconds.observe(seconds)
        if error is not None:
            self._errors.labels(REASONS.get(type(error), "permanent")).inc()
            return
        sizes: dict[str, int] = collections.defaultdict(int)
        for draft in drafts:
            self._entries.labels(draft.kind).inc()
            sizes[draft.kind] += len(draft.payload)
        for kind, size in sizes.items():
            self._bytes.labels(kind).inc(size)


class LedgerGauges(Gauges):
    """The head of the chain, and the disk that holds it."""

    declared: ClassVar = {
        "podium_ledger_head_sequence": ((), "Number of the newest entry this process appended."),
        "podium_ledger_head_age_seconds": ((), "Since the newest signed head of the chain was written outside it."),
        "podium_ledger_head_unsigned": (
            (),
            "1 while the newest head cannot be signed; the entries themselves are safe.",
        ),
        "podium_ledger_database_bytes": ((), "Size of SQLite's file and its log; absent with PostgreSQL."),
        "podium_state_disk_free_bytes": ((), "Free on the disk that holds the signed heads, and SQLite's file."),
        "podium_state_disk_size_bytes": ((), "Size of that disk."),
    }

    def __init__(self) -> None:
        self.ledger: Ledger | None = None

    def rows(self) -> Iterator[Row]:
        """See Gauges. A disk that does not answer is unknown."""
        ledger = self.ledger
        if ledger is None:
            return
        yield "podium_ledger_head_sequence", (), float(ledger.head_sequence or math.nan)
        yield "podium_ledger_head_age_seconds", (), ledger.head_age_seconds
        yield "podium_ledger_head_unsigned", (), float(bool(ledger.trouble))
        with contextlib.suppress(OSError):
            yield "podium_ledger_database_bytes", (), ledger.size_bytes()
        with contextlib.suppress(OSError):
            disk = shutil.disk_usage(ledger.heads.path.parent)
            yield "podium_state_disk_free_bytes", (), float(disk.free)
            yield "podium_state_disk_size_bytes", (), float(disk.total)
