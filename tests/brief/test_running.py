"""`podium run` as a process: documents changed under its feet, and logs for people and for machines."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.cli.outside import environment
from tests.journeys.installation import Installation, rising

FIRST = "learned from history"  # the first event of a start
COLOUR = re.compile(r"\x1b\[\d+m")


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Installation]:
    laid = Installation.lay(tmp_path / "here", rising(60 * 10), speed=60)
    yield laid
    laid.end()


def limits(place: Installation) -> dict[str, tuple[int, int]]:
    rows = place.asked("/api/v1/workloads")["items"]
    return {row["key"].rsplit("/", 1)[1]: (row["minimum"], row["maximum"]) for row in rows}


def test_policies_are_taken_anew_when_their_folder_changes_and_kept_when_it_is_wrong(place: Installation) -> None:
    place.start()
    place.until_ready()
    before = limits(place)
    file = place.folder / "policies" / "shop.yaml"
    right = file.read_text()
    file.write_text(right.replace("{min: 1, max: 500}", "{min: 1, max: many}", 1))
    wrong = place.until_said("documents are wrong; the ones before stay in force")
    kept = limits(place)
    file.write_text(right.replace("{min: 1, max: 500}", "{min: 2, max: 60}", 1))
    place.until_said("documents changed")
    deadline = time.monotonic() + 30
    while (after := limits(place)) == before:
        assert time.monotonic() < deadline, place.log.read_text()
        time.sleep(0.2)
    assert place.stop() == 0
    assert "shop.yaml:12:22: spec.replicas.max" in wrong["problems"]
    assert kept == before == dict.fromkeys(("web", "cart", "search", "mail"), (1, 500))
    assert after == before | {"web": (2, 60)}


def logged(place: Installation, form: str, **variables: str) -> str:
    """What `podium run` writes to a terminal until its first words, or for eight seconds."""
    leader, follower = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "podium.cli.main", "run", "--log-format", form],
        cwd=place.folder, env=environment(place.folder, TERM="xterm", **variables), stderr=follower,
        stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL,
    )  # fmt: skip
    os.close(follower)
    os.set_blocking(leader, False)
    said, deadline = b"", time.monotonic() + 30
    quiet = time.monotonic() + 8 if variables else deadline
    while FIRST.encode() not in said and time.monotonic() < quiet:
        time.sleep(0.1)
        try:
            said += os.read(leader, 65536)
        except BlockingIOError:
            continue
    process.kill()
    process.wait()
    os.close(leader)
    return said.decode()


def test_logs_are_coloured_lines_for_people(place: Installation) -> None:
    (line,) = [line for line in logged(place, "console").splitlines() if FIRST in line]
    assert COLOUR.search(line)
    assert re.search(rf"\[info +\] {FIRST} +days=0\.1$", COLOUR.sub("", line))


def test_logs_are_json_objects_for_machines(place: Installation) -> None:
    lines = [json.loads(line) for line in logged(place, "json").splitlines() if line.startswith("{")]
    assert all({"event", "level", "timestamp"} <= set(line) for line in lines)
    assert FIRST in {line["event"] for line in lines}


def test_log_level_silences_what_is_less(place: Installation) -> None:
    assert [line for line in logged(place, "json", LOG_LEVEL="ERROR").splitlines() if line.startswith("{")] == []
