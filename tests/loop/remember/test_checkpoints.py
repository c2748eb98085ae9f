"""The checkpoint of a large fleet is written in parts beside the turns, and counts once it is whole."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.loop.scenes import FLEET, START, History, empty_memory

from podium.foresight import installed
from podium.foresight.calibration import Calibration
from podium.foresight.outlook import Outlook
from podium.ledger.ledger import Ledger
from podium.loop.remember import checkpoints, record
from podium.loop.remember.checkpoints import Keeper
from podium.loop.remember.memory import Memory
from podium.loop.remember.restore import restore
from podium.model.arrays import Columns
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

LOADS = [300.0, 900.0, 1500.0, 1490.0, 400.0, 420.0, 390.0, 2000.0]


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    yield History(ledger, ledger.lead("one", 60))
    ledger.close()


def bits(columns: Columns) -> dict[str, bytes]:
    return {name: np.asarray(array).tobytes() for name, array in columns.items()}


def checkpoint(history: History) -> record.Checkpoint:
    memory, pending = history.restored.memory, tuple(history.restored.expectations.values())
    return record.Checkpoint(history.restored.number, FLEET.digest, pending, memory.decided())


@pytest.mark.parametrize("later", [0, 1, 3])
def test_a_restart_goes_on_from_a_checkpoint_that_came_after_its_turn(history: History, later: int) -> None:
    for load in LOADS[:4]:
        history.turn(load)
    kept, outlook, at = checkpoint(history), history.restored.memory.outlook.state(), history.at
    for load in LOADS[4 : 4 + later]:
        history.turn(load)
    checkpoints.write(history.ledger, history.leadership, kept, outlook, at)
    history.turn(LOADS[7])

    found = restore(history.ledger, empty_memory())
    assert bits(found.memory.checkpoint()) == bits(history.restored.memory.checkpoint())
    assert (found.number, found.expectations) == (5 + later, history.restored.expectations)


def test_parts_without_their_checkpoint_are_never_read(history: History) -> None:
    for load in LOADS:
        history.turn(load)
    stopped = threading.Event()
    stopped.set()
    outlook = history.restored.memory.outlook.state()
    checkpoints.write(history.ledger, history.leadership, checkpoint(history), outlook, history.at, stopped)

    assert history.ledger.latest(record.CHECKPOINT) is None
    found = restore(history.ledger, empty_memory())
    assert bits(found.memory.checkpoint()) == bits(history.restored.memory.checkpoint())


def test_a_large_memory_comes_back_bit_for_bit_from_its_parts(history: History) -> None:
    size, rng = 2 * checkpoints.SLOTS + 5, np.random.default_rng(1)
    keys = {WorkloadKey("local", "shop", "deployment", "apps", f"web-{number}"): "shop" for number in range(size)}
    memory = Memory.empty(Outlook(installed.load("mixture")(60.0, 0), Calibration(), 0))
    memory.adopt(Fleet().revised(keys))
    for step in range(3):
        memory.outlook.step(START + 60 * step, rng.uniform(0, 100, size), np.full(size, 60.0))
    kept = record.Checkpoint(7, memory.fleet.digest, (), memory.decided())
    checkpoints.write(history.ledger, history.leadership, kept, memory.outlook.state(), START)

    entry = history.ledger.latest(record.CHECKPOINT)
    assert entry is not None
    found = checkpoints.read(history.ledger, entry)
    assert (found.parts, bits(found.memory)) == (3, bits(memory.checkpoint()))


async def test_the_memory_waits_until_it_was_copied_and_one_checkpoint_is_written_at_a_time(history: History) -> None:
    history.turn(LOADS[0])
    keeper, outlook = Keeper(history.ledger, history.leadership), history.restored.memory.outlook
    await keeper.ready()
    keeper.begin(checkpoint(history), outlook, history.at)
    await keeper.ready()
    copied = bits(outlook.state())
    outlook.step(history.at + 60, np.array([5e6]), np.array([60.0]))
    keeper.begin(checkpoint(history), outlook, history.at)  # the first one is still being written
    await keeper.end()

    entries = [entry.subject for entry in history.ledger.entries([record.MEMORY, record.CHECKPOINT])]
    assert entries in (["1/0", "1"], ["1/0"], [])  # whole, or given up between two entries
    if "1" in entries:
        stored = checkpoints.read(history.ledger, history.ledger.latest(record.CHECKPOINT)).memory  # type: ignore[arg-type]
        assert {name: bits(stored)[f"outlook.{name}"] for name in copied} == copied


@pytest.mark.parametrize(("size", "every"), [(10, 40), (1024, 40), (10_000, 120), (100_000, 240), (1_000_000, 240)])
def test_the_larger_the_fleet_the_rarer_its_checkpoints(size: int, every: int) -> None:
    assert [number for number in range(1, 500) if checkpoints.due(number, size)] == list(range(1, 500, every))
