from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.loop.decide.fleets import bits
from tests.loop.scenes import FLEET, START, WEB, History, empty_memory

from podium.ledger.ledger import Ledger
from podium.loop.act.carry_out import Fate, Result
from podium.loop.remember.replay import replay
from podium.loop.remember.restore import Library, Restored, restore, turns
from podium.model import clock
from podium.model.arrays import UNKNOWN
from podium.model.verdict import Outcome, Verdict

LOADS = [300.0, 900.0, 1500.0, 1490.0, 400.0, 420.0, 390.0, 2000.0]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    yield History(ledger, ledger.lead("one", 60))
    ledger.close()


def again(history: History) -> Restored:
    """What another process finds."""
    return restore(history.ledger, empty_memory())


def alike(ours: Restored, theirs: Restored) -> bool:
    same_memory = all(
        np.asarray(array).tobytes() == np.asarray(theirs.memory.checkpoint()[name]).tobytes()
        for name, array in ours.memory.checkpoint().items()
    )
    same_turn = ours.last is not None and theirs.last is not None and ours.last.state == theirs.last.state
    expected = ours.expectations == theirs.expectations
    return same_memory and same_turn and expected and ours.number == theirs.number


@pytest.mark.parametrize("checkpoint_at", [None, 0, 3, 6, 7])
def test_a_restart_finds_the_memory_that_was_left_bit_for_bit(history: History, checkpoint_at: int | None) -> None:
    for number, load in enumerate(LOADS):
        history.turn(load, checkpoint=number == checkpoint_at)
    found = again(history)
    assert alike(history.restored, found)
    here = np.array([history.replicas])
    assert [part.tolist() for part in found.written(FLEET, here)] == [
        part.tolist() for part in history.restored.written(FLEET, here)
    ]


@pytest.mark.parametrize("checkpoint", [False, True])
def test_a_write_that_was_not_reported_is_known_by_what_is_there(history: History, checkpoint: bool) -> None:
    history.turn(300.0)
    history.turn(900.0, dies=True, checkpoint=checkpoint)
    found = again(history)
    assert found.results is None
    assert [part.tolist() for part in found.written(FLEET, np.array([8]))] == [[8], [4]]
    assert [part.tolist() for part in found.written(FLEET, np.array([4]))] == [[UNKNOWN], [UNKNOWN]]


def test_only_what_was_written_counts_as_written(history: History) -> None:
    turn = history.turn(300.0)
    refused = Result(history.command(4), Fate.REFUSED, "it moved")
    found = Restored(history.restored.memory, last=turn)
    found.expect([refused])
    assert [part.tolist() for part in found.written(FLEET, np.array([4]))] == [[UNKNOWN], [UNKNOWN]]
    assert found.expectations == {}


def test_a_write_whose_answer_was_lost_is_known_by_what_is_there(history: History) -> None:
    turn = history.turn(300.0)
    found = Restored(history.restored.memory, last=turn)
    found.expect([Result(dataclasses.replace(history.command(4), current=2), Fate.FAILED, "no answer")])
    assert [part.tolist() for part in found.written(FLEET, np.array([4]))] == [[4], [2]]
    assert [part.tolist() for part in found.written(FLEET, np.array([2]))] == [[UNKNOWN], [UNKNOWN]]


def test_a_fold_tells_when_a_recorded_state_does_not_follow(history: History) -> None:
    turn = history.turn(300.0)
    library = Library(history.ledger)
    assert Restored(empty_memory()).fold(turn, library)
    assert not Restored(empty_memory()).fold(dataclasses.replace(turn, state="other"), library)


def test_a_scale_up_teaches_the_lead_time_and_a_late_one_that_it_took_at_least_its_patience(history: History) -> None:
    restored = history.restored
    history.turn(900.0)
    (pending,) = restored.expectations.values()
    patience = pending.deadline - pending.since
    down = Verdict(expectation=pending, outcome=Outcome.REACHED, at=pending.deadline + 3600, ready=11)
    restored.settle([down])  # nobody looked for an hour: it says nothing
    assert (restored.expectations, restored.memory.leads.count.tolist()) == ({}, [0])
    restored.settle([Verdict(expectation=pending, outcome=Outcome.REACHED, at=pending.since + 40, ready=11)])
    restored.settle([Verdict(expectation=pending, outcome=Outcome.LATE, at=pending.deadline + 3600, ready=1)])
    assert restored.memory.leads.seconds[:2, 0].tolist() == [40.0, patience]
    assert pending.key == WEB


def test_every_turn_replays_to_the_last_bit(history: History) -> None:
    for number, load in enumerate(LOADS):
        history.turn(load, checkpoint=number == 2)
    for turn in list(turns(history.ledger)):
        replayed = replay(history.ledger, empty_memory(), turn.snapshot.now)
        assert (replayed.identical, replayed.turn.number) == (True, turn.number)
        assert bits(replayed.decisions) == bits(turn.decisions)


def test_the_past_is_restored_up_to_a_moment(history: History) -> None:
    for load in LOADS:
        history.turn(load)
    then = restore(history.ledger, empty_memory(), until_us=clock.microseconds(START + 45))
    assert (then.number, then.memory.state.at) == (3, START + 45)


def test_nothing_recorded_is_nothing_remembered(tmp_path: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    try:
        found = restore(ledger, empty_memory())
        assert (found.number, found.last, found.expectations) == (0, None, {})
        with pytest.raises(KeyError, match="nothing is recorded"):
            replay(ledger, empty_memory())
    finally:
        ledger.close()
