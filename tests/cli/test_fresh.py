"""`podium run --fresh` forgets a simulated world, asks first, and never forgets a real one."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.cli.outside import podium
from tests.journeys.installation import Installation

KEPT = ("podium.db", "simulated-local.db")


@pytest.fixture
def ran(recorded: Installation, tmp_path: Path) -> Path:
    """What has run for a while, copied to a folder of its own."""
    folder = tmp_path / "own"
    shutil.copytree(recorded.folder, folder)
    settings = folder / "podium.yaml"
    settings.write_text(settings.read_text().replace(str(recorded.folder), str(folder)))
    return folder


def kept(folder: Path) -> list[bool]:
    return [(folder / name).exists() for name in KEPT]


def test_nobody_who_has_not_agreed_loses_anything(ran: Path) -> None:
    done = podium("run", "--fresh", at=ran)  # nothing on stdin is no yes
    assert (done.code, kept(ran)) == (130, [True, True])
    assert f"  {ran}/podium.db\n" in done.err


def test_what_was_recorded_is_gone_after_a_yes(ran: Path) -> None:
    # The token is refused after the files are gone, and before anything new is made: no loop runs in this test.
    done = podium("run", "--fresh", "--yes", "--set", "api.token=env:DOOR", at=ran, DOOR="short")
    assert (done.code, kept(ran)) == (2, [False, False])
    assert sorted(path.name for path in ran.glob("*.db*")) == []


def test_a_real_cluster_is_never_forgotten(ran: Path) -> None:
    settings = ran / "podium.yaml"
    lines = [
        "  - {name: local, kind: kubernetes}" if "name: local," in x else x for x in settings.read_text().split("\n")
    ]
    settings.write_text("\n".join(lines))
    done = podium("run", "--fresh", "--yes", at=ran)
    assert (done.code, "--fresh is for simulated clusters" in done.err, kept(ran)) == (2, True, [True, True])


def test_a_ledger_in_a_server_is_left_alone(ran: Path) -> None:
    url = "database.url=postgresql://podium@127.0.0.1:1/podium"
    done = podium("run", "--fresh", "--yes", "--set", url, at=ran)
    assert (done.code, "lies in a database server" in done.err, kept(ran)) == (2, True, [True, True])
