"""`podium` called as people call it: as a program, with nothing of this machine's settings around it."""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
from typing import Any


@dataclasses.dataclass(frozen=True)
class Done:
    """How it ended."""

    code: int
    out: str
    err: str

    @property
    def answer(self) -> Any:
        """What `-o json` printed."""
        return json.loads(self.out)


def environment(folder: pathlib.Path, **variables: str) -> dict[str, str]:
    """The variables a program sees: nothing of PODIUM_*, and a home of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PODIUM_", "XDG_", "KUBE"))}
    kept.pop("COLUMNS", None)
    return kept | {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")} | variables


def podium(
    *arguments: str | pathlib.Path, at: pathlib.Path, user: int | None = None, seconds: float = 60, **variables: str
) -> Done:
    """Run a command in the folder `at`, and wait."""
    done = subprocess.run(
        [sys.executable, "-m", "podium.cli.main", *map(str, arguments)],
        cwd=at, env=environment(at, **variables), capture_output=True, text=True, timeout=seconds, check=False,
        user=user,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)
