"""Helm, pinned and built as testbed/ builds the rest; skipped with one line where it cannot be had."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from testbed import binaries

Helm = Callable[..., "subprocess.CompletedProcess[str]"]


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")


@pytest.fixture(scope="session")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Runs Helm with these arguments; it never sees this machine's own kubeconfig."""
    try:
        program = binaries.beside("helm", _say)
    except binaries.Missing as missing:
        pytest.skip(str(missing))
    home = tmp_path_factory.mktemp("helm")
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "KUBECONFIG": str(home / "none")}

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        words = [str(program), *map(str, arguments)]
        return subprocess.run(words, capture_output=True, text=True, check=False, env=environment, timeout=60)

    return run
