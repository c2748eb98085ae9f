"""A command that the documentation names exists, with the options it is shown with. Asked from the outside."""

from __future__ import annotations

import functools
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
from tests.docs.pages import ROOT, shell_lines

PODIUM = str(pathlib.Path(sys.executable).parent / "podium")
_ASSIGNMENTS = re.compile(r"^(\w+=\S+ +)+")


def documented(program: str) -> list[tuple[str, str]]:
    """(page, what follows the program's name) wherever it is called."""
    found = set()
    for line in shell_lines():
        called = re.match(rf"(?:\S*/)?{program}(?:\s+(.*))?$", _ASSIGNMENTS.sub("", line.text))
        if called:
            found.add((line.page, re.split(r"(?:^|\s+)[#|>&]|\s*;", called[1] or "")[0]))
    return sorted(found)


@functools.cache
def help_of(words: tuple[str, ...]) -> str:
    done = subprocess.run([PODIUM, *words, "--help"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("page", "arguments"), documented("podium"))
def test_a_documented_command_exists_with_its_options(page: str, arguments: str) -> None:
    words = shlex.split(arguments)
    commands: list[str] = []
    for word in words:
        if not re.fullmatch(r"[a-z][a-z-]*", word):
            break
        commands.append(word)
    shown = help_of(tuple(commands))
    options = [word.partition("=")[0] for word in words if word.startswith("--") and word != "--help"]
    assert [option for option in options if option not in shown] == [], f"{page}: podium {arguments}"


@pytest.mark.parametrize(("page", "arguments"), documented("make"))
def test_a_documented_make_target_exists(page: str, arguments: str) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    asked = [word for word in arguments.split() if re.fullmatch(r"[a-z-]+", word)]
    assert [word for word in asked if word not in targets] == [], f"{page}: make {arguments}"


def test_make_help_names_every_target_with_a_sentence() -> None:
    shown = subprocess.run(["make", "-s", "-C", str(ROOT)], capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^make (\S+) +\S", shown, re.MULTILINE)) >= {
        "help", "run", "test", "check", "test-all", "shared", "bench", "brief", "cluster", "lock", "clean",
    }  # fmt: skip
