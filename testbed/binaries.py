"""Builds the programs of a real control plane from their pinned modules into a cache outside the repository.

Each folder beside this file that holds a `go.mod` pins its programs by the `tool` lines there. They come to lie in
`${XDG_CACHE_HOME:-~/.cache}/podium/testbed/<digest of the pins>/`. A build that was interrupted goes on where it
stopped: programs appear there whole, by a rename, or not at all.

What single tests need beside a control plane (`beside/`) is pinned and cached apart: another version of it builds no
control plane anew.
"""

from __future__ import annotations

import argparse
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
NAMES = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl", "kwok")
BESIDE = ("helm",)
HOW = f"install Go >= 1.26 and run testbed/build, or set KUBEBUILDER_ASSETS to a folder with {', '.join(NAMES)}"
Say = Callable[[str], None]


class Missing(Exception):
    """Programs cannot be had here. The message is one line and says what to do."""


class Program(NamedTuple):
    """One program: its name, the folder of the module that pins it, and its package there."""

    name: str
    module: Path
    package: str


def programs() -> list[Program]:
    """What the modules pin, the small ones first, so that trouble with Go itself shows after seconds."""
    found = [
        Program("etcd" if "/etcd/" in package else package.rpartition("/")[2], pins.parent, package)
        for pins in HERE.glob("*/go.mod")
        for package in _tools(pins.read_text())
    ]
    return sorted(found, key=lambda program: (program.module.name, program.package))


def _tools(pins: str) -> list[str]:
    """Packages of `tool package` lines and of `tool ( … )` blocks."""
    single = re.findall(r"^tool (\S+/\S+)$", pins, re.MULTILINE)
    blocks = re.findall(r"^tool \(\n(.*?)^\)", pins, re.MULTILINE | re.DOTALL)
    return single + [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def flags(program: Program) -> list[str]:
    """Linker flags. Kubernetes' clients refuse a server that does not know its own version."""
    pins = (program.module / "go.mod").read_text()
    version = re.search(r"k8s\.io/kubernetes (v(\d+)\.(\d+)\.\d+)", pins)
    if version is None:
        return ["-s", "-w"]
    values = {"gitVersion": version[1], "gitMajor": version[2], "gitMinor": version[3]}
    stamped = [
        part for name, value in values.items() for part in ("-X", f"k8s.io/component-base/version.{name}={value}")
    ]
    return ["-s", "-w", *stamped]


def folder() -> Path:
    """Where this set of pins is built to."""
    digest = hashlib.sha256()
    for path in sorted(HERE.glob("*/go.*")):
        digest.update(f"{path.relative_to(HERE)}\n".encode() + path.read_bytes())
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "podium" / "testbed" / digest.hexdigest()[:16]


def find(name: str) -> Path | None:
    """A program that is there already: in KUBEBUILDER_ASSETS if it has it, else in the cache."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    places = [Path(assets)] if assets else []
    found = (place / name for place in [*places, folder()] if os.access(place / name, os.X_OK))
    return next(found, None)


def beside(name: str, say: Say) -> Path:
    """One of BESIDE, built now where it is missing, in a minute or two. Raises Missing when that cannot be."""
    module = HERE / "beside" / name
    (package,) = _tools((module / "go.mod").read_text())
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(module.glob("go.*"))))
    target = folder().parent / f"{name}-{digest.hexdigest()[:16]}"
    program = target / name
    if os.access(program, os.X_OK):
        return program
    target.mkdir(parents=True, exist_ok=True)
    with _alone(target / ".lock", say):
        if not os.access(program, os.X_OK):
            say(f"building {name} into {target} (about two minutes)")
            say(_build_one(_go(), Program(name, module, package), target, None))
    return program


def complete() -> bool:
    """Whether every program is there already."""
    return all(find(name) is not None for name in NAMES)


def all_programs(say: Say) -> dict[str, Path]:
    """Path by name of every program, built now where it is missing. Raises Missing when that cannot be."""
    if not complete():
        build(say)
    found = {name: find(name) for name in NAMES}
    return {name: path for name, path in found.items() if path is not None}


def build(say: Say, jobs: int | None = None) -> None:
    """Build what is missing. Two builders at once wait for each other. Raises Missing with one line."""
    target = folder()
    target.mkdir(parents=True, exist_ok=True)
    with _alone(target / ".lock", say):
        wanted = [program for program in programs() if find(program.name) is None]
        if not wanted:
            say(f"all {len(NAMES)} programs are in {target}")
            return
        go = _go()
        say(f"building {', '.join(program.name for program in wanted)} into {target} (about five minutes on two cores)")
        begun = time.monotonic()
        for number, program in enumerate(wanted, start=1):
            say(f"[{number}/{len(wanted)}] {program.name} …")
            say(f"[{number}/{len(wanted)}] {_build_one(go, program, target, jobs)}")
        say(f"done in {time.monotonic() - begun:.0f} s; `go clean -cache` frees what the compiler kept")


@contextmanager
def _alone(lock: Path, say: Say) -> Iterator[None]:
    with lock.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another build in {lock.parent}")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _go() -> str:
    go = shutil.which("go")
    if go is None:
        raise Missing(f"Go is not installed: {HOW}")
    return go


def _build_one(go: str, program: Program, target: Path, jobs: int | None) -> str:
    begun = time.monotonic()
    part = target / f".{program.name}.part"
    limit = ["-p", str(jobs)] if jobs else []
    command = [
        go,
        "build",
        *limit,
        "-trimpath",
        "-buildvcs=false",
        "-ldflags",
        " ".join(flags(program)),
        "-o",
        str(part),
    ]
    environment = os.environ | {"CGO_ENABLED": "0", "HOME": str(Path.home()), "GOWORK": "off", "GOFLAGS": ""}
    result = subprocess.run(
        [*command, program.package],
        cwd=program.module,
        env=environment,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    if result.returncode:
        complaint = [line for line in result.stderr.splitlines() if not line.startswith("go: downloading")]
        raise Missing(f"{program.name} could not be built: {' '.join(complaint[-3:])[:600]}")
    part.rename(target / program.name)
    size = (target / program.name).stat().st_size / 1e6
    return f"{program.name}: {time.monotonic() - begun:.0f} s, {size:.0f} MB"


def main() -> int:
    """The command `testbed/build`."""
    parser = argparse.ArgumentParser(prog="testbed/build", description="Build etcd, Kubernetes and KWOK for the tests.")
    parser.add_argument(
        "-p", "--jobs", type=int, metavar="N", help="how many packages are compiled at once (default: all cores)"
    )
    parser.add_argument("--path", action="store_true", help="only print the folder that the programs are built into")
    options = parser.parse_args()
    if options.path:
        print(folder())
        return 0
    try:
        build(lambda text: print(text, flush=True), options.jobs)
        for name in BESIDE:
            beside(name, lambda text: print(text, flush=True))
    except Missing as missing:
        print(missing, file=sys.stderr)
        return 3
    return 0


if __name__ == "__main__":
    sys.exit(main())
