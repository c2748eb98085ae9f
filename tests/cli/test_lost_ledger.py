"""A ledger that was lost, rolled back or replaced is noticed at the start, and there is a way on."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.journeys.installation import Installation, rising

pytestmark = pytest.mark.slow


@pytest.fixture
def stopped(tmp_path: Path) -> Installation:
    """An installation that has led its workloads and was stopped in order."""
    place = Installation.lay(tmp_path / "here", rising(300), speed=120)
    place.start()
    place.until_ready()
    place.stop()
    return place


def test_a_database_that_was_rolled_back_is_not_gone_on_with(stopped: Installation) -> None:
    shutil.copy(stopped.folder / "podium.db", stopped.folder / "before.db")
    stopped.start()
    stopped.until_ready()
    stopped.stop()
    shutil.move(stopped.folder / "before.db", stopped.folder / "podium.db")
    for left in stopped.folder.glob("podium.db-*"):
        left.unlink()
    stopped.start()
    assert stopped.process is not None
    assert stopped.process.wait(timeout=30) == 2
    assert "it was rolled back or replaced" in stopped.log.read_text()


def test_a_lost_ledger_leaves_its_workloads_alone_until_told_to_take_over(stopped: Installation) -> None:
    stopped.start()
    stopped.until_ready()  # epoch 2 claims them
    stopped.stop()
    for gone in stopped.folder.glob("podium.db*"):
        gone.unlink()
    stopped.start()
    stopped.until_ready()
    assert b"podium run --take-over" in stopped.get("/api/v1/workloads")
    stopped.stop()
    stopped.start("--take-over")
    stopped.until_ready()
    assert b"not led" not in stopped.get("/api/v1/workloads")
    assert stopped.stop() == 0
