"""`podium pause`, `resume` and `believe` against a running Podium, and what `explain` then says."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from tests.cli.outside import environment
from tests.journeys.installation import Installation, rising

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    laid = Installation.lay(tmp_path_factory.mktemp("here") / "here", rising(60 * 10), speed=60)
    laid.start()
    laid.until_ready()
    yield laid
    laid.end()


def podium(place: Installation, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "podium.cli.main", *words]
    return subprocess.run(
        command,
        cwd=place.folder,
        env=environment(place.folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_pause_is_given_named_and_taken_back(place: Installation) -> None:
    given = podium(place, "pause", "shop/web", "--direction", "down", "--for", "300h", "--reason", "a load test")
    assert (given.returncode, given.stdout.splitlines()[0]) == (0, "paused: shop/web"), given.stderr
    assert "scaling down of" in given.stdout
    assert ": a load test" in given.stdout
    began = place.asked("/api/v1/fleet")["tick"]
    place.until_turn(began + 2)
    told = json.loads(podium(place, "explain", "web", "-o", "json").stdout)
    assert told["inputs"]["paused down"].endswith(": a load test")
    back = podium(place, "resume", "shop/web", "--reason", "it is over")
    assert (back.returncode, "taken back: scaling down" in back.stdout) == (0, True), back.stderr
    again = podium(place, "resume", "shop/web", "--reason", "once more")
    assert (again.returncode, again.stderr.startswith("podium: nothing is paused there")) == (1, True)


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("pause", "everything", "--reason", "x", "--dry-run"), 0, "would be: paused: everything"),
        (("pause", "shop/*", "--reason", "x", "--dry-run"), 0, "would be: paused: shop/*"),
        (("pause", "wep", "--reason", "x"), 2, "no workload 'wep'"),
        (("pause", "web", "--reason", " "), 2, "reason"),
        (("pause", "web", "--reason", "x", "--for", "soon"), 2, "for: expected"),
        (("pause", "nowhere/*", "--reason", "x"), 2, "no workload is known in namespace nowhere"),
        (("pause", "web"), 2, "--reason"),
        (("believe", "graphite", "--reason", "x"), 2, "no source graphite"),
        (("pause", "web", "--reason", "x", "--url", "http://127.0.0.1:9", "--token", "t" * 20), 3, "is `podium run`"),
    ],
)
def test_every_answer_has_its_exit_code_and_one_clear_line(
    place: Installation, words: tuple[str, ...], code: int, said: str
) -> None:
    done = podium(place, *words)
    assert (done.returncode, said in done.stdout + done.stderr) == (code, True), done.stdout + done.stderr
    assert "Traceback" not in done.stderr
