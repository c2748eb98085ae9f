from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.loop.decide.fleets import bits
from tests.loop.scenes import FLEET, START, WEB, History, policies

from podium.ledger.entry import Draft, Entry, chained
from podium.ledger.ledger import Ledger
from podium.loop.act.carry_out import Fate, Result
from podium.loop.remember import record
from podium.loop.verify.expectation import expect
from podium.model import identity
from podium.model.events import Event
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.verdict import Outcome, Verdict


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    yield History(ledger, ledger.lead("one", 60))
    ledger.close()


def stored(draft: Draft) -> Entry:
    return chained(draft, seq=1, epoch=1, previous=bytes(32))


def test_a_turn_comes_back_bit_for_bit(history: History) -> None:
    history.turn(300.0)
    turn = history.turn(900.0)
    read = record.read_turn(stored(record.draft_turn(turn)))
    for part in ("snapshot", "forecast", "decisions"):
        assert bits(getattr(read, part)) == bits(getattr(turn, part))
    arrays = ("lead", "ready", "planned")
    assert [getattr(read, name).tolist() for name in arrays] == [getattr(turn, name).tolist() for name in arrays]
    assert (read.number, read.fleet, read.policies, read.state) == (2, turn.fleet, turn.policies, turn.state)
    assert read.snapshot.sources == ("prom", "local")


def test_a_turn_whose_inputs_were_dropped_says_so(history: History) -> None:
    purged = dataclasses.replace(stored(record.draft_turn(history.turn(300.0))), purged=True, payload=b"")
    with pytest.raises(ValueError, match="the inputs of turn 1 are older than the retention"):
        record.read_turn(purged)


def test_a_checkpoint_comes_back_with_what_was_expected(history: History) -> None:
    history.turn(900.0)
    memory = history.restored.memory
    pending = tuple(history.restored.expectations.values())
    written = record.Checkpoint(1, FLEET.digest, pending, memory.checkpoint())
    read = record.read_checkpoint(stored(record.draft_checkpoint(written, START)))
    assert (read.number, read.fleet, read.expectations) == (1, FLEET.digest, pending)
    assert pending[0].replicas == 11  # 900/s at 85 each, at once
    assert {name: array.tobytes() for name, array in read.memory.items()} == {
        name: np.asarray(array).tobytes() for name, array in written.memory.items()
    }


def test_results_verdicts_and_events_come_back_as_they_were(history: History) -> None:
    command = history.command(5)
    results = (Result(command, Fate.WRITTEN), Result(command, Fate.REFUSED, "it moved"))
    verdict = Verdict(expectation=expect(command, START, 60.0), outcome=Outcome.LATE, at=START + 400, ready=1)
    event = Event(
        id=identity.new_id(0), at_us=1, type="source.suspect", subject="prom", tenant="acme", data={"words": "é"}
    )
    assert record.read_results(stored(record.draft_results(1, results, START))) == results
    assert record.read_verdicts(stored(record.draft_verdicts(1, (verdict,), START))) == (verdict,)
    read = record.read_event(stored(record.draft_event(event)))
    assert dataclasses.replace(read, id=event.id) == event


def test_fleets_and_policies_are_found_by_their_digest() -> None:
    other = WorkloadKey("local", "shop", "statefulset", "apps", "db")
    fleet = Fleet().revised({WEB: "shop", other: "acme"}).revised({WEB: "shop"})
    draft = record.draft_fleet(fleet, START)
    assert (record.read_fleet(stored(draft)), draft.subject) == (fleet, fleet.digest)
    written = policies()
    read = record.read_policies(stored(record.draft_policies(written, written.digest(), START)))
    assert read.digest() == written.digest()
