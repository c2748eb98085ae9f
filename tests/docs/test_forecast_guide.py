"""The guide to the forecast: its command runs as it stands, and says what the guide explains."""

from __future__ import annotations

import pathlib
import re
import shlex
import subprocess
import sys

from tests.docs.pages import ROOT, printed_by

GUIDE = (ROOT / "docs" / "guides" / "is-the-forecast-any-good.md").read_text()
PODIUM = str(pathlib.Path(sys.executable).parent / "podium")


def test_the_program_of_the_guide_runs(tmp_path: pathlib.Path) -> None:
    assert re.match(r"(True|False) [\d.]+ [\d.e-]+ \{'0.5': ", printed_by(GUIDE, tmp_path))


def test_the_command_of_the_guide_runs_and_its_columns_are_explained(tmp_path: pathlib.Path) -> None:
    (line,) = [line for line in GUIDE.splitlines() if line.startswith("podium forecast ")]
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    words = [PODIUM, *shlex.split(line)[1:]]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "ahead.svg").read_text().startswith("<svg ")
    head = next(line for line in done.stdout.splitlines() if line.startswith("forecast  ") and "judged" in line)
    for column in ("error", "last value", "ratio", "95 % held", "99 % held", "judged"):
        assert column in head
        assert column in GUIDE
