"""Builds the peer that drives Kubernetes' own HPA code, once for each version of its sources.

It comes to lie in `${XDG_CACHE_HOME:-~/.cache}/podium/peers/<digest of the sources>/peers`.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
HOW = "upstream's controller is not at hand: install Go >= 1.26 and run this again (its modules are fetched once)"


class Missing(Exception):
    """The peer cannot be had here. The message is one line and says what to do."""


def peer() -> Path:
    """The program, built now where it is missing. Raises Missing."""
    program = _folder() / "peers"
    if not os.access(program, os.X_OK):
        _build(program)
    return program


def is_built() -> bool:
    """Whether the program is there without Go."""
    return os.access(_folder() / "peers", os.X_OK)


def _folder() -> Path:
    digest = hashlib.sha256()
    for path in sorted([*HERE.glob("*.go"), *HERE.glob("go.*")]):
        digest.update(path.name.encode() + path.read_bytes())
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "podium" / "peers" / digest.hexdigest()[:16]


def _build(program: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise Missing(HOW)
    program.parent.mkdir(parents=True, exist_ok=True)
    part = program.with_name(f".{program.name}.{os.getpid()}")
    print("building benchmarks/peers (a minute, once) …", file=sys.stderr, flush=True)
    result = subprocess.run(
        [go, "build", "-trimpath", "-buildvcs=false", "-o", str(part), "."],
        cwd=HERE,
        env=os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode:
        complaint = [line for line in result.stderr.splitlines() if not line.startswith("go: downloading")]
        raise Missing(f"benchmarks/peers could not be built: {' '.join(complaint[-3:])[:600]}")
    part.rename(program)


if __name__ == "__main__":
    try:
        print(peer())
    except Missing as missing:
        sys.exit(str(missing))
