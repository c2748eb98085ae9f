"""A small installation that has run for a while, and what it recorded: shared by the tests that only read."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from tests.journeys.installation import Installation, rising

TURNS = 12


@pytest.fixture(autouse=True)
def as_wide_as_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No table is folded because whoever runs the tests has a narrow terminal."""
    monkeypatch.delenv("COLUMNS", raising=False)


@pytest.fixture(scope="session")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """Ran for a dozen turns and was stopped in order."""
    place = Installation.lay(tmp_path_factory.mktemp("recorded") / "here", rising(60 * 10), speed=120)
    place.start()
    place.until_ready()
    ledger = place.ledger()
    deadline = time.monotonic() + 60
    while (newest := ledger.latest("turn")) is None or int(newest.subject) < TURNS:
        assert time.monotonic() < deadline, place.log.read_text()
        time.sleep(0.1)
    ledger.close()
    assert place.stop() == 0
    return place


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """Runs, at sixty times the pace, while the tests of a module ask it."""
    laid = Installation.lay(tmp_path_factory.mktemp("here") / "here", rising(60 * 10), speed=60)
    laid.start()
    laid.until_ready()
    yield laid
    laid.end()
