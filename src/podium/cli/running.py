"""Which Podium runs on this machine: a small file in the state folder, for this user's eyes alone.

`run.json` holds a process, its address and its token, so that `podium top` and `doctor` need no options here. A second
process on the same state (waiting to lead) takes a name of its own. A file whose process is gone counts for nothing.
"""

from __future__ import annotations

import contextlib
import dataclasses
import os
import pathlib
from collections.abc import Iterator

import msgspec

from podium.ledger import process


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """One running Podium."""

    pid: int
    host: str
    started: int  # clock ticks since boot: a later process with the same number is another one
    url: str
    token: str


@contextlib.contextmanager
def announced(folder: pathlib.Path, url: str, token: str) -> Iterator[None]:
    """Say that this process serves at `url`, until the end of the block. A folder that cannot be written is no harm."""
    me = Running(url=url, token=token, **dataclasses.asdict(process.current()))
    first = folder / "run.json"
    path = first if _read(first) is None else folder / f"run-{me.pid}.json"
    try:
        _write(path, msgspec.json.encode(me))
    except OSError:
        yield
        return
    try:
        yield
    finally:
        if _read(path) == me:
            path.unlink(missing_ok=True)


def find(folder: pathlib.Path) -> Running | None:
    """The Podium that runs on this state, if one does on this machine: the one that came first."""
    files = [folder / "run.json", *sorted(folder.glob("run-*.json"))]
    return next((found for file in files if (found := _read(file)) is not None), None)


def _read(path: pathlib.Path) -> Running | None:
    try:
        found = msgspec.json.decode(path.read_bytes(), type=Running)
    except (OSError, msgspec.DecodeError):
        return None
    here = process.current()
    if found.host != here.host:
        return None  # another machine, or a container that shares the folder: its address means nothing here
    return None if process.is_gone(process.Process(found.host, found.pid, found.started)) else found


def _write(path: pathlib.Path, content: bytes) -> None:
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, content)
    finally:
        os.close(file)
    fresh.replace(path)
