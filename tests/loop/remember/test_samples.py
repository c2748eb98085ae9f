"""What of a turn is kept, and that a crash costs none of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.loop.scenes import FLEET, START, WEB
from tests.loop.scenes import History as Turns

from podium.ledger.ledger import Ledger
from podium.loop.remember import samples
from podium.signals.history.history import History

LOADS = [300.0 + 10 * number for number in range(200)]  # fifty minutes of them


@pytest.fixture
def turns(tmp_path: Path) -> Iterator[Turns]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    yield Turns(ledger, ledger.lead("one", 60))
    ledger.close()


def test_what_a_turn_observed_is_kept_once_a_minute(turns: Turns) -> None:
    history = History(turns.ledger.database)
    kept = [turns.turn(load) for load in LOADS[:20]]
    for turn in kept:
        samples.keep(history, turn, FLEET)

    (signal,) = kept[0].snapshot.signals
    found = history.read(signal, WEB, 0, 2e9)
    assert found.at.tolist() == [START + 15, *(START + 60 * minute for minute in range(1, 6))]
    assert found.value.tolist() == [LOADS[0], *(LOADS[4 * minute - 1] for minute in range(1, 6))]
    assert len(history.read(samples.REPLICAS, WEB, 0, 2e9)) == len(history.read(samples.READY, WEB, 0, 2e9)) == 6


@pytest.mark.parametrize("dies_after", [3, 60, 119, 130, 200])
def test_a_crash_costs_no_sample_that_the_ledger_holds(turns: Turns, dies_after: int) -> None:
    """One process keeps and stores as it goes, and dies. The next one reads what that had not stored."""
    first, whole = History(turns.ledger.database), History(turns.ledger.database)
    kept = [turns.turn(load) for load in LOADS]
    (signal,) = kept[0].snapshot.signals
    for turn in kept:
        samples.keep(whole, turn, FLEET)
    for turn in kept[:dies_after]:
        samples.keep(first, turn, FLEET)
        if first.due:
            first.store()

    second = History(turns.ledger.database)
    samples.refill(second, turns.ledger, START + 3600)

    expected = whole.read(signal, WEB, 0, 2e9)
    found = second.read(signal, WEB, 0, 2e9)
    assert (found.at.tolist(), found.value.tolist()) == (expected.at.tolist(), expected.value.tolist())
    assert len(found) == 51


def test_what_is_older_than_a_first_look_back_is_left_to_the_ledger(turns: Turns) -> None:
    turns.turn(1.0)
    history = History(turns.ledger.database)
    samples.refill(history, turns.ledger, START + samples.FIRST_SECONDS + 60)
    assert len(history.read(samples.REPLICAS, WEB, 0, 2e9)) == 0
