"""The guide to one's own history: its commands run as they stand."""

from __future__ import annotations

import pathlib
import re
import shlex
import subprocess
import sys

import pytest
from tests.docs.pages import ROOT

GUIDE = (ROOT / "docs" / "guides" / "try-it-on-your-history.md").read_text()
EXAMPLE = (ROOT / "examples" / "04-backtest" / "README.md").read_text()
PODIUM = str(pathlib.Path(sys.executable).parent / "podium")
_FENCED = re.compile(r"^```(?:sh)?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: str) -> list[str]:
    """What is run on a file."""
    lines = "".join(_FENCED.findall(page)).splitlines()
    return [line for line in lines if "podium backtest examples" in line]


@pytest.mark.parametrize("line", [*commands(GUIDE), *commands(EXAMPLE)])
def test_a_command_of_the_guide_runs_as_it_stands(line: str, tmp_path: pathlib.Path) -> None:
    _, *words = shlex.split(line)
    if "--policy" not in words:
        words += ["--policy", "hpa:70", "--policy", "oracle"]  # the default ones are run by tests/cli
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    done = subprocess.run([PODIUM, *words], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "costs least" in done.stdout or "No policy keeps" in done.stdout
    made = {path.name for path in tmp_path.iterdir()} - {"examples"}
    assert made == {word for word in words if word in ("cost.svg", "minutes.csv")}


def test_every_policy_of_the_guide_is_one() -> None:
    from podium.loop.backtest.contender import parse

    table = GUIDE.partition("| policy | is |")[2].partition("\n\n")[0]
    names = [name for row in table.splitlines()[1:] for name in re.findall(r"`([^`]+)`", row.split("|")[1])]
    assert {parse(name, 0.001).kind for name in names} == {"podium", "hpa", "kpa", "keda", "fft", "static", "oracle"}


def test_the_example_is_what_its_program_makes() -> None:
    folder = ROOT / "examples" / "04-backtest"
    made = subprocess.run([sys.executable, folder / "make_load.py"], capture_output=True, text=True, check=True)
    assert made.stdout == (folder / "load.csv").read_text()
