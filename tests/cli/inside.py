"""`podium` called in this process, without the second that a program of its own takes to start."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterable
from typing import Any

from click.testing import CliRunner, Result

from podium.cli import main, outcome


def podium(*words: object) -> Result:
    """A command; its exit code is what the program's would be."""
    runner = CliRunner()

    def run() -> object:
        return main.podium.main(args=[*map(str, words)], prog_name="podium", standalone_mode=False)

    with runner.isolation() as (out, err, _):
        code = outcome.of(run)
        return Result(runner, out.getvalue(), err.getvalue(), b"", None, code, None)


def answered(*words: object) -> Any:
    """What a command says with `-o json`."""
    result = podium(*words, "-o", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def laid(folder: pathlib.Path, lines: Iterable[tuple[object, object]], name: str = "web.csv") -> pathlib.Path:
    """A file of times and a load, as a command is given it."""
    path = folder / name
    path.write_text("ts,rps\n" + "".join(f"{at},{value}\n" for at, value in lines))
    return path
