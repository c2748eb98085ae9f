"""Learned capacities through the ledger: recorded with the turn, folded by a restart, replayed to the last bit."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
from tests.documents.samples import POLICY
from tests.loop.capacity.plants import snapshot
from tests.loop.scenes import FLEET, WEB, empty_memory

from podium.documents.loading import loads
from podium.kinds import KINDS
from podium.ledger.ledger import Ledger
from podium.loop.decide.table import PolicyTable
from podium.loop.policy import ScalingPolicy
from podium.loop.remember import record
from podium.loop.remember.memory import Memory
from podium.loop.remember.record import Turn
from podium.loop.remember.replay import replay_all
from podium.loop.remember.restore import Library, restore
from podium.loop.tabulate import Policies, tabulate
from podium.loop.tell.story import explain
from podium.model.arrays import UNKNOWN

CPU = """\
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 70}}}]
"""
START = 1_800_000_000.0
TURNS = 700  # of 15 seconds: just under three hours


def policies() -> Policies:
    """CPU at 70 %, and a load whose capacity nobody wrote."""
    text = POLICY.replace(", capacityPerReplica: 85", "") + CPU
    (document,) = loads(text.encode(), "web.yaml", KINDS)
    assert isinstance(document, ScalingPolicy)
    return Policies({WEB: document}, units={"shop/requests_per_second": "per_second"})


def turned(memory: Memory, table: PolicyTable, number: int, replicas: int) -> Turn:
    """One turn at a load that swings by half within the hour."""
    now = START + 15 * number
    load = np.array([84.0 * 8 * (1 + 0.5 * np.sin(number / 40))])
    ready = np.array([float(replicas)])
    cpu = 0.05 + 0.65 * load / ready / 84.0
    seen = snapshot(now, ready, load, cpu)
    seen = dataclasses.replace(seen, signals={"requests_per_second": seen.signals["load"]})
    lead = memory.lead(table, 60.0)
    memory.learn(seen, table, lead)
    decides = memory.table(table)
    forecast = memory.forecast(now)
    decisions = memory.decide(seen, forecast, decides, lead)
    memory.shadow.follow(seen, ready.astype(np.int64), forecast, decides, lead)
    return Turn(
        number=number, fleet=FLEET.digest, policies=table.digest, snapshot=seen, forecast=forecast, lead=lead,
        ready=ready.astype(np.int64), decisions=decisions, planned=np.full(1, UNKNOWN, np.int64),
        state=memory.digest(), learned=memory.capacities.learned(table.learning),
    )  # fmt: skip


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Ledger, Memory, Turn]]:
    """A ledger with three hours of turns and a checkpoint in between, the memory behind them, and the last turn."""
    folder = tmp_path_factory.mktemp("ledger")
    ledger = Ledger.open(f"sqlite:///{folder}/podium.db", heads=folder / "heads")
    leadership = ledger.lead("one", 600)
    asked, memory = policies(), empty_memory()
    table, replicas = tabulate(asked, FLEET), 10
    memory.adopt(FLEET)
    ledger.append([record.draft_fleet(FLEET, START), record.draft_policies(asked, table.digest, START)], leadership)
    for number in range(1, TURNS + 1):
        turn = turned(memory, table, number, replicas)
        drafts = [record.draft_turn(turn)]
        if number in (1, 300):
            kept = record.Checkpoint(number, turn.fleet, (), memory.checkpoint())
            drafts.append(record.draft_checkpoint(kept, turn.snapshot.now))
        ledger.append(drafts, leadership)
        replicas = int(turn.decisions.replicas[0])
    yield ledger, memory, turn
    ledger.close()


Lived = tuple[Ledger, Memory, Turn]


def test_it_is_learned_within_hours_and_the_load_is_followed_by_it(lived: Lived) -> None:
    learned = lived[2].learned
    assert learned.slots.tolist() == [0]
    assert 60 < learned.used[0] < 85
    assert learned.estimate[0] == pytest.approx(84, rel=0.1)


def test_a_restart_finds_what_was_learned_bit_for_bit(lived: Lived) -> None:
    ledger, memory, _ = lived
    found = restore(ledger, empty_memory()).memory.checkpoint()
    ours = memory.checkpoint()
    assert sorted(found) == sorted(ours)
    assert [name for name, array in ours.items() if array.tobytes() != np.asarray(found[name]).tobytes()] == []


def test_every_turn_is_replayed_to_the_last_bit_with_the_capacity_that_it_knew(lived: Lived) -> None:
    ledger, _, last = lived
    again = list(replay_all(ledger, empty_memory(), since=START + 15 * 200))
    assert [one.turn.number for one in again if not one.identical] == []
    assert (np.isnan(again[0].turn.learned.used[0]), np.isnan(again[-1].turn.learned.used[0])) == (True, False)
    assert again[-1].turn.learned.used.tolist() == last.learned.used.tolist()


def test_explain_says_what_a_replica_serves_and_from_what_that_is_known(lived: Lived) -> None:
    ledger, _, last = lived
    told = explain(ledger, Library(ledger), str(WEB), last.snapshot.now)
    words = told.inputs["capacity"]
    assert words.startswith("a replica serves 8")
    assert "/s, learned from 2 hours of CPU at up to" in words
    assert any("of requests_per_second, learned from 2 hours of CPU" in reason for reason in told.decision.reasons)
    first = explain(ledger, Library(ledger), str(WEB), START + 15 * 8)
    assert first.inputs["capacity"] == "not known yet what a replica serves, after 1 minute of CPU"
    assert "what a replica serves is not learned yet, after 1 minute: no forecast acts" in first.decision.reasons
