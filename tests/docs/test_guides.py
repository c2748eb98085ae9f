"""The installation that a guide spells out file by file is whole: the doctor finds nothing wrong with it."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys

from tests.docs.pages import ROOT

GUIDE = (ROOT / "docs" / "guides" / "your-own-load.md").read_text()
PODIUM = str(pathlib.Path(sys.executable).parent / "podium")
_FILE = re.compile(r"^`([\w./]+)`:\n\n```\w+\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_TIMES = re.compile(r"^```text\n(ts,.*?)^```$", re.MULTILINE | re.DOTALL)


def written(chapter: str, to: pathlib.Path) -> pathlib.Path:
    """The files that a chapter of the guide shows, in a folder."""
    (text,) = re.findall(rf"^## {chapter}\n(.*?)(?=^## |\Z)", GUIDE, re.MULTILINE | re.DOTALL)
    for name, content in _FILE.findall(text):
        path = to / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return to


def run(*words: str, at: pathlib.Path) -> subprocess.CompletedProcess[str]:
    command = [PODIUM, *words, "--set", "api.listen=127.0.0.1:0"]
    return subprocess.run(command, cwd=at, capture_output=True, text=True, check=False)


def numbers(folder: pathlib.Path) -> pathlib.Path:
    """The first chapter's installation, with the load that its program makes."""
    written("Numbers without times", folder)
    made = subprocess.run([sys.executable, "make_load.py"], cwd=folder, capture_output=True, text=True, check=True)
    (folder / "load.csv").write_text(made.stdout)
    return folder


def test_numbers_without_times_make_an_installation(tmp_path: pathlib.Path) -> None:
    here = numbers(tmp_path)
    rows = len((here / "load.csv").read_text().splitlines()) - 1
    done = run("doctor", at=here)
    assert (rows, done.returncode, "4 in" in done.stdout) == (4320, 0, True), done.stdout


def test_a_file_with_times_takes_the_place_of_the_recording(tmp_path: pathlib.Path) -> None:
    here = numbers(tmp_path)
    (here / "measured.csv").write_text(_TIMES.findall(GUIDE)[0])
    for file, old, new in (
        ("podium.yaml", "path: scenario.yaml}", "path: measured.csv}"),
        ("policies/shop.yaml", r"column: (\w+)_requests", r"column: \1"),
        ("scenario.yaml", r"  recordings:\n.*\n|      load:.*\n", ""),
    ):
        (here / file).write_text(re.sub(old, new, (here / file).read_text()))
    done = run("doctor", at=here)
    assert (done.returncode, "2 queries" in done.stdout) == (0, True), done.stdout
    (here / "measured.csv").write_text("time,web,cart\n")
    assert "no column 'ts'; found 'time', 'web', 'cart'" in run("doctor", "-o", "json", at=here).stdout


def test_the_prometheus_installation_reads_as_it_stands(tmp_path: pathlib.Path) -> None:
    here = written("Prometheus, and nothing written", tmp_path)
    assert run("policy", "check", "policies", at=here).returncode == 0
    assert run("settings", "show", at=here).returncode == 0
