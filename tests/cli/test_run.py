"""`podium run` from the outside: it starts, answers, ends on ctrl-C, goes on where it was, and waits for its turn."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.outside import environment, podium
from tests.journeys.installation import Installation, rising

pytestmark = pytest.mark.timeout(240)
LAST = "podium: stopped; nothing is left half done"


class Run:
    """One `podium run` and what it says."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self._log = folder / f"log-{time.monotonic_ns()}"
        with self._log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "podium.cli.main", "run", "--listen", "127.0.0.1:0", *arguments],
                cwd=folder, env=environment(folder), stderr=log, stdout=subprocess.DEVNULL,
            )  # fmt: skip

    @property
    def said(self) -> str:
        return self._log.read_text()

    def until(self, pattern: str, seconds: float = 90.0) -> re.Match[str]:
        """Wait until it says something."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self.process.poll() is None:
            if found := re.search(pattern, self.said):
                return found
            time.sleep(0.1)
        raise AssertionError(self.said)

    def ask(self, path: str, token: str = "") -> tuple[int, Any]:
        url = self.until(r"the page is at (http://[\d.:]+)")[1]
        request = urllib.request.Request(url + path, headers={"Authorization": f"Bearer {token}"} if token else {})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()
        except urllib.error.URLError:
            return 0, b""  # bound, not listening yet

    def ready(self, seconds: float = 120.0) -> None:
        deadline = time.monotonic() + seconds
        while self.ask("/readyz")[0] != 200:
            assert time.monotonic() < deadline, self.said
            assert self.process.poll() is None, self.said
            time.sleep(0.2)

    def stop(self) -> tuple[int, float]:
        """ctrl-C: the exit code, and how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=30), time.monotonic() - began


@pytest.fixture
def runs(tmp_path: Path) -> Iterator[Any]:
    """Starts `podium run` in one folder, as often as a test wants; none is left behind."""
    started: list[Run] = []

    def start(*arguments: str) -> Run:
        started.append(Run(tmp_path, *arguments))
        return started[-1]

    yield start
    for run in started:
        if run.process.poll() is None:
            run.process.kill()
        run.process.wait()


@pytest.fixture
def laid(tmp_path: Path) -> Path:
    """A small installation in the folder of `runs`."""
    Installation.lay(tmp_path / "here", rising(60 * 10), speed=60)
    return tmp_path / "here"


def test_the_demo_runs_is_asked_stopped_and_goes_on(runs: Any, tmp_path: Path) -> None:
    first = runs("--demo", "--speed", "600")
    token = first.until(r"\?token=(\S+)")[1]
    first.ready()
    assert first.ask("/api/v1/workloads")[0] == 401
    status, body = first.ask("/api/v1/workloads", token)
    rows = json.loads(body)["items"]
    assert (status, len({row["tenant"] for row in rows}), len(rows)) == (200, 3, 8)
    assert all(row["load_origin"].startswith(("recorded: ", "synthetic: ")) for row in rows)

    code, seconds = first.stop()
    assert (code, first.said.splitlines()[-1]) == (0, LAST)
    assert seconds < 3.0
    before = newest_turn(tmp_path)

    second = runs("--demo", "--speed", "600")
    second.ready()
    assert second.stop()[0] == 0
    assert newest_turn(tmp_path) > before > 0


def test_a_run_tells_this_machine_where_it_is_and_takes_that_back(runs: Any, laid: Path) -> None:
    run = runs("--config", f"{laid}/podium.yaml")
    run.ready()
    note = laid / "run.json"
    assert note.stat().st_mode & 0o777 == 0o600
    assert json.loads(note.read_text())["pid"] == run.process.pid
    assert run.stop()[0] == 0
    assert not note.exists()


def test_the_note_of_a_killed_run_counts_for_nothing(runs: Any, laid: Path) -> None:
    run = runs("--config", f"{laid}/podium.yaml")
    run.ready()
    run.process.kill()
    run.process.wait()
    assert (laid / "run.json").exists()
    done = podium("top", "--config", laid / "podium.yaml", at=laid)
    assert (done.code, "no Podium runs here" in done.err) == (3, True)


def test_the_second_of_two_on_one_database_waits_and_says_who_leads(runs: Any, laid: Path) -> None:
    config = ("--config", f"{laid}/podium.yaml")
    first = runs(*config)
    first.ready()
    second = runs(*config)
    second.until(rf"waiting to lead.*/{first.process.pid} leads until")
    status, body = second.ask("/readyz")
    assert (status, f"/{first.process.pid} leads until" in json.loads(body)["detail"]) == (503, True)
    assert first.stop()[0] == 0
    second.ready()
    assert second.stop()[0] == 0


def test_a_demo_that_runs_is_not_forgotten_under_its_feet(runs: Any, tmp_path: Path) -> None:
    run = runs("--demo", "--speed", "60")
    run.until(r"the page is at")
    deadline = time.monotonic() + 60
    while not (note := tmp_path / "state" / "podium" / "demo" / "run.json").exists():
        assert time.monotonic() < deadline, run.said
        time.sleep(0.1)
    done = podium("run", "--demo", "--fresh", "--listen", "127.0.0.1:0", at=tmp_path)
    assert (done.code, f"a demo runs already (process {run.process.pid}," in done.err) == (2, True)
    assert note.exists()
    assert run.stop()[0] == 0


def newest_turn(folder: Path) -> int:
    done = podium("replay", "--demo", "-o", "json", at=folder)
    assert (done.code, done.answer["identical"]) == (0, True)
    return int(done.answer["turn"])
