"""A real PostgreSQL server on loopback, one per test session, from the machine's own programs."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

HOW = "PostgreSQL's server programs are missing; Debian: apt-get install postgresql, or set PODIUM_POSTGRESQL_BIN"


class Server:
    """One running server. `databases` are made on it for a test each; `process` may be frozen or killed."""

    def __init__(self, programs: Path, folder: Path, user: str) -> None:
        self.programs = programs
        self.folder = folder
        self.user = user
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        if not (self.folder / "data").exists():
            made = [self.programs / "initdb", "-D", self.folder / "data", "-A", "trust", "-U", "podium", "-E", "UTF8"]
            self._run([*made, "--locale=C", "--no-sync"])
        where = ["-D", self.folder / "data", "-h", "127.0.0.1", "-p", str(self.port), "-c", "unix_socket_directories="]
        small = ["-c", "max_connections=60", "-c", "shared_buffers=32MB"]
        with (self.folder / "log").open("ab") as log:
            command = [*self._as_user(), self.programs / "postgres", *where, *small]
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        self._wait()

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGQUIT)  # "immediate": its folder is thrown away
            self.process.wait(30)

    def kill(self) -> None:
        """kill -9, all of its processes."""
        assert self.process is not None
        children = subprocess.run(["pgrep", "-P", str(self.process.pid)], check=True, capture_output=True, text=True)
        for number in (self.process.pid, *map(int, children.stdout.split())):
            with contextlib.suppress(ProcessLookupError):  # the first one's end takes the others with it
                os.kill(number, signal.SIGKILL)
        self.process.wait()

    def database(self) -> str:
        """The URL of a fresh, empty database."""
        name = "t" + uuid.uuid4().hex
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, name: str, *, user: str = "podium") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql prints for `statement`, unaligned and without headings."""
        where = ["-h", "127.0.0.1", "-p", str(self.port), "-U", "podium", "-d", database]
        command = [self.programs / "psql", *where, "-v", "ON_ERROR_STOP=1", "-Atqc", statement]
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=30).stdout.strip()

    def _wait(self) -> None:
        ready = [self.programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        for _ in range(300):
            if subprocess.run(ready, check=False).returncode == 0:
                return
            time.sleep(0.1)
        raise RuntimeError((self.folder / "log").read_text())

    def _run(self, command: list[object]) -> None:
        words = [str(word) for word in [*self._as_user(), *command]]
        subprocess.run(words, check=True, capture_output=True, cwd=self.folder)

    def _as_user(self) -> list[str]:
        """The server refuses to run as root."""
        return ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--init-groups"] if self.user else []


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _programs() -> Path | None:
    named = os.environ.get("PODIUM_POSTGRESQL_BIN")
    on_path = shutil.which("postgres")
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda folder: int(folder.parent.name))
    folders = [Path(named)] if named else [*installed[::-1], *([Path(on_path).parent] if on_path else [])]
    return next((folder for folder in folders if (folder / "initdb").exists()), None)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A running server for the session, shared by its tests; a test takes a database of its own."""
    yield from _running()


@pytest.fixture
def own_postgresql() -> Iterator[Server]:
    """A server for one test that freezes, kills or fills it."""
    yield from _running()


def _running() -> Iterator[Server]:
    programs = _programs()
    user = "postgres" if os.getuid() == 0 else ""
    if programs is None or (user and user not in {entry.pw_name for entry in pwd.getpwall()}):
        pytest.skip(HOW)
    # Not pytest's own folder: it is closed to other users, and the server runs as one.
    folder = Path(tempfile.mkdtemp(prefix="podium-postgresql-"))
    if user:
        shutil.chown(folder, user)
    server = Server(programs, folder, user)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
