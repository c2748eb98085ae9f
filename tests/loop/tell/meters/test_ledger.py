from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from podium.ledger.entry import Draft
from podium.ledger.errors import StaleLeader
from podium.ledger.ledger import Ledger
from podium.loop.tell.meters.ledger import LedgerMeters

TWO = [Draft(kind="note", at_us=1, payload=b"abc"), Draft(kind="note", at_us=2, payload=b"de")]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    yield ledger
    ledger.close()


def counted(ledger: Ledger) -> CollectorRegistry:
    registry = CollectorRegistry()
    meters = LedgerMeters(registry)
    registry.register(meters.gauges)
    meters.of(ledger)
    return registry


def test_an_append_is_counted_with_its_bytes_and_its_time(ledger: Ledger) -> None:
    registry = counted(ledger)
    ledger.append(TWO, ledger.lead("one", 60))
    values = {
        name: registry.get_sample_value(f"podium_ledger_{name}", labels)
        for name, labels in (
            ("entries_total", {"kind": "note"}),
            ("bytes_total", {"kind": "note"}),
            ("append_seconds_count", {}),
            ("append_errors_total", {"reason": "leadership"}),
            ("head_sequence", {}),
        )
    }
    assert values == {
        "entries_total": 2, "bytes_total": 5, "append_seconds_count": 1, "append_errors_total": 0, "head_sequence": 2,
    }  # fmt: skip


def test_an_append_that_failed_is_an_error_and_no_entry(ledger: Ledger) -> None:
    registry = counted(ledger)
    leadership = ledger.lead("one", 60)
    leadership.release()
    with pytest.raises(StaleLeader):
        ledger.append(TWO, leadership)
    assert registry.get_sample_value("podium_ledger_append_errors_total", {"reason": "leadership"}) == 1
    assert registry.get_sample_value("podium_ledger_entries_total", {"kind": "note"}) is None
    assert registry.get_sample_value("podium_ledger_append_seconds_count") == 1


def test_a_head_never_signed_has_no_age_and_one_that_cannot_be_is_told(ledger: Ledger, tmp_path: Path) -> None:
    registry = counted(ledger)
    assert registry.get_sample_value("podium_ledger_head_age_seconds") is None
    leadership = ledger.lead("one", 60)
    (tmp_path / "heads").unlink()
    (tmp_path / "heads").mkdir()
    ledger.append(TWO, leadership)
    assert registry.get_sample_value("podium_ledger_head_unsigned") == 1
    (tmp_path / "heads").rmdir()


def test_the_disk_that_holds_the_heads_is_told(ledger: Ledger) -> None:
    registry = counted(ledger)
    free, size = (registry.get_sample_value(f"podium_state_disk_{what}_bytes") for what in ("free", "size"))
    assert free is not None
    assert size is not None
    assert 0 < free <= size
