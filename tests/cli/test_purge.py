"""db purge: what is older than the settings keep goes, and is said; the chain stays provable."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.cli.outside import podium
from tests.journeys.installation import Installation
from tests.signals.fakes import fleet_of

from podium.clients.database import Database
from podium.ledger.ledger import Ledger
from podium.signals.history.history import History

pytestmark = pytest.mark.slow


@pytest.fixture
def copied(recorded: Installation, tmp_path: Path) -> Path:
    """The installation, whole, with forty days of samples before its newest turn, two chunks a day."""
    folder = tmp_path / "here"
    shutil.copytree(recorded.folder, folder, ignore=shutil.ignore_patterns("*.log"))
    settings = folder / "podium.yaml"
    settings.write_text(settings.read_text().replace(str(recorded.folder), str(folder)))
    url = f"sqlite:///{folder}/podium.db"
    ledger = Ledger.open(url, heads=folder / "heads")
    newest = ledger.latest("turn")
    ledger.close()
    assert newest is not None
    database = Database.open(url)
    history = History(database)
    for day in range(40):
        for minute in range(60):
            at = newest.at_us / 1e6 // 1800 * 1800 - 86400 * (40 - day) + 60 * minute
            history.add(at, fleet_of("shop/web"), {"load": np.array([float(minute)])})
    history.store(everything=True)
    database.close()
    return folder


def samples(folder: Path) -> int:
    answer = podium("db", "info", "-o", "json", at=folder).answer
    return int(answer["samples"]["chunks"])


def test_samples_older_than_a_month_go(copied: Path) -> None:
    before = samples(copied)
    would = podium("db", "purge", "--dry-run", "-o", "json", at=copied).answer
    assert samples(copied) == before
    done = podium("db", "purge", "-o", "json", at=copied).answer
    again = podium("db", "purge", "-o", "json", at=copied).answer

    assert (would["dryRun"], done["dryRun"]) == (True, False)
    assert would["samples"] == done["samples"] == {"olderThan": "30d", "chunks": 20}
    assert (before, samples(copied), again["samples"]["chunks"]) == (80, 60, 0)


def test_another_age_may_be_named(copied: Path) -> None:
    done = podium("db", "purge", "--older-than", "10d", at=copied)
    assert done.code == 0
    assert "samples of signals, in chunks" in done.out
    assert samples(copied) == 20


def test_recorded_turns_go_by_their_own_setting_and_the_chain_holds(copied: Path) -> None:
    keep = ("--set", "database.retention.inputs=1s")
    would = podium("db", "purge", "--dry-run", "-o", "json", *keep, at=copied).answer
    done = podium("db", "purge", "-o", "json", *keep, at=copied).answer
    turns = {row["kind"]: row["entries"] for row in done["ledger"]}
    assert turns == {row["kind"]: row["entries"] for row in would["ledger"]}
    assert turns["turn"] > 5
    assert podium("db", "verify", at=copied).code == 0


def test_an_age_that_is_none_is_bad_input(copied: Path) -> None:
    done = podium("db", "purge", "--older-than", "a month", at=copied)
    assert done.code == 2
    assert "'a month' is not a duration; expected a number and a unit, as in 15s, 5m or 1h30m" in done.err


def test_without_a_database_nothing_is_made(tmp_path: Path) -> None:
    done = podium("db", "purge", "--set", f"database.url=sqlite:///{tmp_path}/none.db", at=tmp_path)
    assert done.code == 2
    assert "there is no database yet" in done.err
    assert not (tmp_path / "none.db").exists()


def test_info_says_what_is_stored(copied: Path) -> None:
    done = podium("db", "info", at=copied)
    assert done.code == 0
    assert "2400 from " in done.out
