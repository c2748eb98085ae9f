"""The guide to anomalies: its command and its program run as they stand."""

from __future__ import annotations

import pathlib
import re
import shlex
import subprocess
import sys

from tests.docs.pages import ROOT, printed_by

GUIDE = (ROOT / "docs" / "guides" / "out-of-the-ordinary.md").read_text()
PODIUM = str(pathlib.Path(sys.executable).parent / "podium")


def test_the_command_of_the_guide_runs_and_draws(tmp_path: pathlib.Path) -> None:
    (line,) = [line for line in GUIDE.splitlines() if line.startswith("podium anomalies ")]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run([PODIUM, *shlex.split(line)[1:]], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "odd.svg").read_text().startswith("<svg ")
    assert "out of the ordinary" in done.stdout or "anomal" in done.stdout


def test_the_program_of_the_guide_runs(tmp_path: pathlib.Path) -> None:
    assert re.match(r"\d+ \[", printed_by(GUIDE, tmp_path))
