"""Announced events through the ledger: what held is recorded, so a replay needs no calendar of its own."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from tests.loop.calendar.test_document import SALES, calendar
from tests.loop.scenes import FLEET, WEB, empty_memory, policies, seen

from podium.ledger.ledger import Ledger
from podium.loop.remember import record
from podium.loop.remember.record import Turn
from podium.loop.remember.replay import replay_all
from podium.loop.remember.restore import Library, restore
from podium.loop.tabulate import tabulate
from podium.loop.tell.story import explain
from podium.model.arrays import UNKNOWN
from podium.model.clock import parse_rfc3339
from podium.model.snapshot import Held

EVENT = parse_rfc3339("2026-11-27T08:00:00Z")


@pytest.mark.slow
def test_a_sale_is_prepared_for_recorded_restored_replayed_and_told(tmp_path: Path) -> None:
    """Six days of 400 requests/s, a turn every five minutes, then the morning of Black Friday."""
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    leadership = ledger.lead("one", 600)
    asked, memory = dataclasses.replace(policies(), calendars=(calendar(SALES),)), empty_memory()
    table, replicas, wanted = tabulate(asked, FLEET), 5, {}
    memory.adopt(FLEET)
    ledger.append([record.draft_fleet(FLEET, EVENT), record.draft_policies(asked, table.digest, EVENT)], leadership)
    moments = [*np.arange(EVENT - 6 * 86400, EVENT - 600, 300.0), *np.arange(EVENT - 600, EVENT + 60, 15.0)]
    for number, now in enumerate(moments, 1):
        snapshot, lead = seen(float(now), replicas, 400.0), memory.lead(table, 120.0)
        held = Held(np.empty(0), np.empty(0, np.int8), memory.announced(table, snapshot.now, lead))
        snapshot = dataclasses.replace(snapshot, held=held)
        memory.learn(snapshot, table, lead)
        forecast = memory.forecast(snapshot.now)
        decisions = memory.decide(snapshot, forecast, table, lead)
        memory.shadow.follow(snapshot, np.array([replicas]), forecast, table, lead)
        turn = Turn(
            number=number, fleet=FLEET.digest, policies=table.digest, snapshot=snapshot, forecast=forecast, lead=lead,
            ready=np.array([replicas]), decisions=decisions, planned=np.full(1, UNKNOWN, np.int64),
            state=memory.digest(),
        )  # fmt: skip
        ledger.append([record.draft_turn(turn)], leadership)
        replicas = wanted[now - EVENT] = int(decisions.replicas[0])
    assert max(wanted[-600.0], wanted[-135.0]) < 10  # 5, and what a forecast adds
    assert wanted[-105.0] > wanted[-135.0]
    assert wanted[0.0] == 15  # 3 x 400 at 85 each

    found = restore(ledger, empty_memory()).memory.checkpoint()
    ours = memory.checkpoint()
    assert [name for name, array in ours.items() if array.tobytes() != np.asarray(found[name]).tobytes()] == []
    again = list(replay_all(ledger, empty_memory(), since=EVENT - 300))
    assert len(again) > 20
    assert all(one.identical for one in again)

    told = explain(ledger, Library(ledger), str(WEB), EVENT - 119)
    assert any("Black Friday announced: x3 from 08:58 Europe/Paris" in reason for reason in told.decision.reasons)
    ledger.close()
