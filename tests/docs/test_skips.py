"""Skips are honest on a developer's machine and refused in CI. Shown on a small project with the same rule."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest

RULE = pathlib.Path(__file__).parent.parent / "skips.py"
SKIPPED_TEST = "import pytest\n\n@pytest.mark.skip(reason='no server: apt-get install it')\ndef test_it():\n    pass\n"
SKIPPED_FILE = "import pytest\n\npytest.skip('no server: apt-get install it', allow_module_level=True)\n"


def closing_line(folder: pathlib.Path, source: str, ci: str) -> str:
    (folder / "conftest.py").write_text(RULE.read_text())
    (folder / "test_it.py").write_text(source)
    (folder / "pytest.ini").write_text("[pytest]\n")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:xdist", "-p", "no:cacheprovider", "."]
    # A worker of pytest-xdist tells its children about itself; this one is to stand alone.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment["PODIUM_CI"] = ci
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    return (done.stdout.strip().splitlines() or [done.stderr])[-1]


@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_FILE], ids=["test", "file"])
def test_a_skip_is_a_skip_on_a_developers_machine(tmp_path: pathlib.Path, source: str) -> None:
    assert closing_line(tmp_path, source, ci="").startswith("1 skipped in ")


@pytest.mark.parametrize("source", [SKIPPED_TEST, SKIPPED_FILE], ids=["test", "file"])
def test_a_skip_is_an_error_in_ci(tmp_path: pathlib.Path, source: str) -> None:
    assert closing_line(tmp_path, source, ci="1").startswith("1 error in ")
