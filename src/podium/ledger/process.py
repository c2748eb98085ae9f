"""Which process holds a lease, and whether it is certainly gone."""

from __future__ import annotations

import dataclasses
import os
import socket
from pathlib import Path


@dataclasses.dataclass(frozen=True, slots=True)
class Process:
    """One process of one host, told apart from a later one with the same number by its start."""

    host: str
    pid: int
    started: int  # clock ticks since boot (proc(5), field 22 of stat); 0: this system does not say


def current() -> Process:
    """The calling process."""
    pid = os.getpid()
    return Process(_host(), pid, _started(pid) or 0)


def is_gone(process: Process) -> bool:
    """True only when that process is known to have ended; false when it lives, or when one cannot tell from here."""
    if not process.started or process.host != _host():
        return False
    return _started(process.pid) != process.started


def _host() -> str:
    """Names the machine, its boot and the process number space: two containers may share a host name and a number."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")  # noqa: PTH115  a magic link, not a path
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()} {boot} {space}"


def _started(pid: int) -> int | None:
    """When the process started; None when there is none, or only its dead shell (a zombie) is left."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    # The name stands in parentheses and may hold spaces and parentheses itself; the fixed fields follow the last one.
    fields = stat.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else int(fields[19])
