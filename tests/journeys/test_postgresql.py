"""The whole program on PostgreSQL: killed, its database killed, and two of them at once. Nothing else changes."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.installation import BY_LOAD_ALONE, Installation, rising
from tests.journeys.survival import Survival, killed_again_and_again
from tests.servers.postgresql import Server

from podium.loop.remember.restore import turns

pytestmark = [pytest.mark.postgresql, pytest.mark.slow, pytest.mark.timeout(300)]


def lay(folder: Path, server: Server, loop: str = "interval: 15s") -> Installation:
    return Installation.lay(
        folder, rising(60 * 10), speed=120, database=server.database(), loop=loop, more=BY_LOAD_ALONE
    )


@pytest.fixture(scope="module")
def survivor(postgresql: Server, tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Its load only rises; it was killed ten times and then stopped in order."""
    return killed_again_and_again(lay(tmp_path_factory.mktemp("kill") / "here", postgresql), kills=10)


class TestOnPostgresql(Survival):
    """The common assertions, here."""

    kills = 10


@pytest.fixture
def place(own_postgresql: Server, tmp_path: Path) -> Iterator[Installation]:
    with lay(tmp_path / "here", own_postgresql, "interval: 120s, lease: 4s") as laid:  # a turn a second
        yield laid


@pytest.fixture
def twin(place: Installation) -> Iterator[Installation]:
    """A second process beside it."""
    with place.twin() as another:
        yield another


def recorded(place: Installation) -> list[int]:
    ledger = place.ledger()
    try:
        assert ledger.verify().findings == ()
        return [turn.number for turn in turns(ledger)]
    finally:
        ledger.close()


def test_a_killed_database_is_waited_for_and_nothing_recorded_is_lost(
    place: Installation, own_postgresql: Server
) -> None:
    place.start()
    place.until_ready()
    place.until_turn(3)
    before = recorded(place)
    own_postgresql.kill()
    trouble = place.until_said("the ledger does not answer")
    note = place.asked("/api/v1/fleet")["guards"]
    own_postgresql.start()
    place.until_turn(before[-1] + 4)
    noted_after = place.asked("/api/v1/fleet")["guards"]
    assert place.stop() == 0
    after = recorded(place)
    assert "did not answer" in trouble["reason"]
    assert ["the ledger does not answer" in one for one in note] == [True]
    assert noted_after == []
    assert after == list(range(1, len(after) + 1))
    assert [write for write in place.writes() if write.after < write.before] == []


def test_a_second_process_takes_over_within_the_lease_when_the_first_stands_still(
    place: Installation, twin: Installation
) -> None:
    place.start()
    place.until_ready()
    twin.start()
    twin.until_said("waiting to lead")
    begun = time.monotonic()
    place.signal(signal.SIGSTOP)
    twin.until_ready()
    took = time.monotonic() - begun
    place.signal(signal.SIGCONT)
    place.until_said("another leads")
    ledger = place.ledger()
    number = len(list(turns(ledger)))
    ledger.close()
    twin.until_turn(number + 2)
    assert twin.stop() == 0
    numbers = recorded(place)
    assert numbers == list(range(1, len(numbers) + 1))
    assert took < 4.0 + 6.0, f"{took:.1f} s"  # the lease, a second to ask again, and its first turn


def test_a_second_process_takes_over_at_once_when_the_first_is_killed(place: Installation, twin: Installation) -> None:
    place.start()
    place.until_ready()
    twin.start()
    twin.until_said("waiting to lead")
    place.kill()
    twin.until_ready()
    assert twin.stop() == 0
    numbers = recorded(twin)
    assert numbers == list(range(1, len(numbers) + 1))
