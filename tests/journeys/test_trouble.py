"""What a machine does to a program that runs for months: a lock that stays, a disk that fills, a thousand changes."""

from __future__ import annotations

import itertools
import resource
import sqlite3
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.brief.stage import WEB, Stage, by_load, policy, signal, stage
from tests.journeys.installation import BY_LOAD_ALONE, Installation, rising

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[Installation]:
    """An installation in the middle of its work, under loads that never fall."""
    with Installation.lay(
        tmp_path, rising(900), speed=150.0, loop="interval: 15s, lease: 60s", more=BY_LOAD_ALONE
    ) as place:
        place.start()
        place.until_ready()
        place.until_turn(20)
        yield place


def went_on(place: Installation, turns: int = 20) -> None:
    """It turns again soon, has scaled nothing down, and its ledger is whole and without a gap."""
    # Its lease of 60 s still runs: it is its own, and not waited for.
    place.until_turn(place.asked("/api/v1/fleet")["tick"] + turns, seconds=40)
    assert [write for write in place.writes() if write.after < write.before] == []
    assert place.stop() == 0
    ledger = place.ledger()
    try:
        assert ledger.verify().findings == ()
        numbers = [int(entry.subject) for entry in ledger.entries(["turn"])]
    finally:
        ledger.close()
    assert numbers == list(range(1, len(numbers) + 1))


def test_a_database_locked_for_a_while_stops_decisions_and_then_they_go_on(running: Installation) -> None:
    other = sqlite3.connect(running.folder / "podium.db", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    running.until_said("the ledger does not answer")
    before = len(running.writes())
    time.sleep(3)
    assert len(running.writes()) == before  # what cannot be recorded is not done
    assert "does not answer" in " ".join(running.asked("/api/v1/fleet")["guards"])
    other.execute("ROLLBACK")
    other.close()
    went_on(running)


def test_a_disk_that_fills_in_the_middle_stops_decisions_and_then_they_go_on(running: Installation) -> None:
    assert running.process is not None
    files = (running.folder / "podium.db", running.folder / "podium.db-wal")
    full = max(file.stat().st_size for file in files if file.exists())
    unlimited = resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, (full, resource.RLIM_INFINITY))
    try:
        running.until_said("the ledger does not answer", seconds=120)
        before = len(running.writes())
        time.sleep(3)
        assert len(running.writes()) == before
        assert running.process.poll() is None
    finally:
        resource.prlimit(running.process.pid, resource.RLIMIT_FSIZE, unlimited)
    went_on(running)


def documents(count: int, *, most: int) -> str:
    return "".join(policy(f"w{number}", most=most, rest=by_load()) for number in range(count))


def until(holds: Callable[[], bool]) -> Iterator[None]:
    """Once before each try; ends when it holds, and fails after two minutes."""
    deadline = time.monotonic() + 120
    while not holds():
        assert time.monotonic() < deadline
        yield


def greatest(stood: Stage) -> int:
    """The largest maximum of any policy in force."""
    assert stood.program._cycle is not None
    return int(stood.program._cycle.table.maximum.max())


async def test_a_thousand_policies_changed_at_once_are_followed_and_no_turn_waits_for_them(tmp_path: Path) -> None:
    wander = itertools.cycle((75.0, 75.3, 75.1))
    begun = signal("load", "load", "per_second") + policy("web", rest=by_load()) + documents(1000, most=50)
    async with stage(tmp_path, begun, replicas={WEB: 8}) as stood:
        stood.measured.of_workloads["load"] = lambda: {"web": next(wander)}
        await stood.turns(2)
        assert greatest(stood) == 50
        file = tmp_path / "policies" / "all.yaml"
        file.with_suffix(".new").write_text(file.read_text().replace("max: 50", "max: 60"))
        file.with_suffix(".new").replace(file)
        for _ in until(lambda: greatest(stood) == 60):
            await stood.turns(1)
        await stood.turns(1)
        slowest = stood.program.registry.get_sample_value("podium_turn_seconds_bucket", {"le": "10.0"})
        assert slowest == stood.program.registry.get_sample_value("podium_turns_total")
        assert stood.writes() == []
