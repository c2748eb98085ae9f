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


# Root may write anywhere, unless a program gives up CAP_DAC_OVERRIDE (1) with PR_CAPBSET_DROP (24) before the next one.
BOUND = "import ctypes, os, sys; ctypes.CDLL(None).prctl(24, 1, 0, 0, 0); os.execv(sys.executable, sys.argv[1:])"


def podium(
    *arguments: str | pathlib.Path,
    at: pathlib.Path,
    bound: bool = False,
    seconds: float = 60,
    stdin: str | None = None,
    **variables: str,
) -> Done:
    """Run a command in the folder `at`, and wait. `bound`: by the files' permissions, whoever runs the tests."""
    called = [sys.executable, "-m", "podium.cli.main", *map(str, arguments)]
    done = subprocess.run(
        [sys.executable, "-c", BOUND, *called] if bound else called,
        cwd=at, env=environment(at, **variables), input=stdin,
        capture_output=True, text=True, timeout=seconds, check=False,
    )  # fmt: skip
    assert "Traceback" not in done.stderr, done.stderr
    return Done(done.returncode, done.stdout, done.stderr)
