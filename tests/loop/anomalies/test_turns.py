"""A running loop with a score: a rule reads it, a restart goes on with it, a replay decides the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.documents.samples import POLICY
from tests.loop.scenes import FLEET, START, WEB, OneWorkload, empty_memory

from podium.documents.loading import loads
from podium.foresight.anomalies.detector import FIRST_ROWS
from podium.kinds import KINDS
from podium.ledger.ledger import Ledger
from podium.loop.anomalies.asked import AnomalySignal
from podium.loop.cycle import Assignment, Cycle, Turned
from podium.loop.policy import ScalingPolicy
from podium.loop.remember import checkpoints, record
from podium.loop.remember.replay import replay_all
from podium.loop.remember.restore import Library, restore
from podium.loop.tabulate import Policies
from podium.loop.tell.story import explain
from podium.model.snapshot import Holds
from podium.signals.bound import BoundSignal
from podium.signals.observe import Observer
from podium.signals.source import Reading, Subject

ROWS = 160
LEAP = 150
LOAD = BoundSignal(
    namespace="shop", name="requests_per_second", source="prom", query="q", unit="per_second", cluster="local"
)
SCORE = AnomalySignal("shop", "odd", "requests_per_second", 2.5, 15.0)


class Outside(OneWorkload):
    """A workload, and a source that says its load: a steady one, and once the hundredfold."""

    def __init__(self) -> None:
        super().__init__(4)
        self.loads = np.random.default_rng(3).uniform(290, 310, ROWS)
        self.loads[LEAP] = 30_000.0


class Prom:
    name = "prom"

    def __init__(self, outside: Outside) -> None:
        self.outside = outside

    async def read(self, query: str, now: float) -> Reading:
        load = self.outside.loads[round((now - START) / 15)]
        return Reading((Subject("shop", "deployment", "web"),), np.array([load]), np.array([now]))

    async def close(self) -> None: ...


def policies() -> Policies:
    text = POLICY + "  mode: own\n  rules: [{when: odd > 0.5, then: {minReplicas: 20}}]\n"
    (document,) = loads(text.encode(), "web.yaml", KINDS)
    assert isinstance(document, ScalingPolicy)
    units = {"shop/requests_per_second": "per_second", "shop/odd": "ratio"}
    return Policies({WEB: document}, units=units, anomalies=(SCORE,))


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    yield ledger
    ledger.close()


async def turned(ledger: Ledger, *restarts: int) -> AsyncIterator[Turned]:
    """Forty minutes, the process new before some of them."""
    outside, leadership, cycle = Outside(), ledger.lead("one", 3600.0), None
    for number in range(ROWS):
        if cycle is None or number in restarts:
            restored = restore(ledger, empty_memory())
            cycle = Cycle(
                outside, Observer([Prom(outside)]), ledger, leadership, restored,
                default_lead_seconds=60.0, deadline_seconds=10.0,
            )  # fmt: skip
            cycle.assign(Assignment(policies(), FLEET, (LOAD,)))
        yield await cycle.turn(START + 15 * number)
    if cycle is not None:
        await cycle.close()


async def test_a_rule_on_a_score_holds_at_the_leap_and_is_unknown_before_a_hundred_readings(ledger: Ledger) -> None:
    found = [turn async for turn in turned(ledger)]
    held = [Holds(turn.turn.snapshot.held.rules[0]) for turn in found]
    assert set(held[: int(FIRST_ROWS)]) == {Holds.UNKNOWN}
    assert (held[LEAP - 1], held[LEAP]) == (Holds.NO, Holds.YES)
    assert found[LEAP].turn.decisions.replicas.tolist()[0] >= 20


async def test_a_restart_goes_on_bit_for_bit(ledger: Ledger, tmp_path: Path) -> None:
    other = Ledger.open(f"sqlite:///{tmp_path}/other.db", heads=tmp_path / "others")
    plain = [turn.turn.snapshot.signals["odd"].value[0] async for turn in turned(ledger)]
    again = [turn.turn.snapshot.signals["odd"].value[0] async for turn in turned(other, 30, 77, 152)]
    left, right = (restore(one, empty_memory()).memory.checkpoint() for one in (ledger, other))
    other.close()
    assert np.array(plain).tobytes() == np.array(again).tobytes()
    assert [name for name in left if left[name].tobytes() != np.asarray(right[name]).tobytes()] == []
    assert any(name.startswith("scores.0.") for name in left)


async def test_what_was_decided_by_a_score_replays_bit_for_bit_and_is_told(ledger: Ledger) -> None:
    last = [turn async for turn in turned(ledger)][LEAP]
    again = list(replay_all(ledger, empty_memory()))
    assert (len(again), [one.turn.number for one in again if not one.identical]) == (ROWS, [])
    score = last.turn.snapshot.signals["odd"].value[0]
    told = explain(ledger, Library(ledger), str(WEB), last.turn.snapshot.now)
    assert told.inputs["odd"] == f"{score:.2f}, 0s old; from 0.5 on, an anomaly"


async def test_the_scores_of_a_large_fleet_come_back_from_their_parts(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [turn async for turn in turned(ledger)]
    memory = restore(ledger, empty_memory()).memory
    kept = record.Checkpoint(found[-1].turn.number, FLEET.digest, (), memory.decided())
    monkeypatch.setattr(checkpoints, "PART_BYTES", 8_000)
    leadership = ledger.lead("one", 3600.0)
    scores = memory.scores.checkpoint()
    checkpoints.write(ledger, leadership, kept, memory.outlook.state(), START + 15 * ROWS, scores=scores)

    entry = ledger.latest(record.CHECKPOINT)
    assert entry is not None
    stored = checkpoints.read(ledger, entry)
    ours = {name: array.tobytes() for name, array in memory.checkpoint().items()}
    assert {name: np.asarray(array).tobytes() for name, array in stored.memory.items()} == ours
    assert stored.parts > 2
