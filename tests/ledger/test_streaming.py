"""A long ledger is read without being held in memory."""

from __future__ import annotations

import resource
from pathlib import Path

from podium.ledger.entry import Draft
from podium.ledger.ledger import Ledger


def test_a_hundred_thousand_entries_are_streamed_in_little_memory(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db")
    leadership = ledger.lead("one", 600)
    for batch in range(20):
        drafts = [Draft(kind="tick", at_us=at, payload=bytes(1000)) for at in range(batch * 5000, batch * 5000 + 5000)]
        ledger.append(drafts, leadership)
    before = resident_bytes()
    sizes = [resident_bytes() for entry in ledger.entries(["tick"]) if entry.seq % 1000 == 0]
    ledger.close()
    assert len(sizes) == 100
    assert max(sizes) - before < 30_000_000  # the payloads alone are 100 MB


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
