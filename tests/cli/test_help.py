"""The command line is there at once: nothing is imported before it is needed."""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

import pytest
from tests.cli.outside import podium

from podium.cli.main import COMMANDS

HEAVY = ("numpy", "sqlalchemy", "fastapi", "pydantic", "aiohttp", "rich", "structlog", "msgspec", "yaml")


def loaded(code: str) -> list[str]:
    """Which heavy packages a program has imported at its end."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules, sep='\\n', file=sys.stderr)"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [name for name in HEAVY if name in done.stderr.split("\n")]


def test_help_loads_nothing_heavy() -> None:
    assert loaded("from podium.cli.main import podium; podium.main(['--help'], standalone_mode=False)") == []


def test_neither_does_the_help_of_any_command() -> None:
    calls = "\n".join(f"podium.main([{name!r}, '--help'], standalone_mode=False)" for name in COMMANDS)
    assert loaded(f"from podium.cli.main import podium\n{calls}") == []


def test_help_takes_less_than_150_ms_of_processor_time() -> None:
    taken = []
    for _ in range(7):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "podium.cli.main", "--help"], stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        taken.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    assert min(taken) < 0.15


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_names_each_with_a_sentence(name: str, tmp_path: Path) -> None:
    shown = podium("-h", at=tmp_path).out
    assert f"  {name} " in shown
    assert COMMANDS[name][1].endswith(".")


def test_a_mistyped_command_is_answered_with_the_nearest_one(tmp_path: Path) -> None:
    done = podium("explian", "web", at=tmp_path)
    assert done.code == 2
    assert "did you mean 'explain'?" in done.err
