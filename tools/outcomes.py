"""A pytest plugin for `make brief`: per test, what went wrong in words, as JSON in the file that `--outcomes` names."""

from __future__ import annotations

import json
import pathlib

import pytest

WORDS = pytest.StashKey[dict[str, str]]()


def ending(output: str) -> str:
    """The last lines of what a program said, in one."""
    return " / ".join(output.strip().splitlines()[-3:]) or "no output"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where to write."""
    parser.addoption("--outcomes", type=pathlib.Path, required=True)


class Outcomes:
    """Keeps "" for a test that passed, with all its parameters; else a failure, or why it was skipped."""

    def __init__(self, path: pathlib.Path) -> None:
        self.path = path
        self.words: dict[str, str] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One phase of one test."""
        words = "" if report.passed else f"{report.when} {report.outcome}: {ending(report.longreprtext)}"
        for name in (report.nodeid, report.nodeid.partition("[")[0]):
            self.words[name] = self.words.get(name, "") or words

    def pytest_sessionfinish(self) -> None:
        """All of them."""
        self.path.write_text(json.dumps(self.words), encoding="utf-8")


def pytest_configure(config: pytest.Config) -> None:
    """Listen."""
    config.pluginmanager.register(Outcomes(config.getoption("outcomes")))
