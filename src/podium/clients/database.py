"""One relational database, SQLite or PostgreSQL: transactions, and errors that say what to do.

Everything that differs between the two stands here, so that rooms above write one SQLAlchemy Core statement for both.
SQLite runs in WAL mode with `synchronous=FULL`: a commit is on the disk when it returns. Killing the process loses
nothing under any setting; FULL also keeps what was acknowledged through a power loss (as far as the disk honours
fsync), and costs one fsync per commit, of which a tick makes one.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import sqlalchemy
from sqlalchemy import event, exc

from podium.clients import socketwatch


class Temporary(Exception):
    """The database is unreachable, locked or out of space: ask again later. The message says what to do meanwhile."""


class Permanent(Exception):
    """Asking again will not help: a wrong URL, a missing right, a damaged file. The message says what to change."""


_WRITE = "podium_write"
_ADVICE = "name a file as in sqlite:///podium.db, or a server as in postgresql://USER@HOST/NAME"

# Primary result codes of SQLite (https://sqlite.org/rescode.html): what is wrong, and what to do.
_SQLITE_TEMPORARY = {
    sqlite3.SQLITE_BUSY: "is locked by another process; try again, or find out who holds it",
    sqlite3.SQLITE_LOCKED: "is locked by another connection; try again",
    sqlite3.SQLITE_FULL: "cannot grow, the disk is full; free space on the file system that holds it",
    sqlite3.SQLITE_IOERR: "could not be read or written; check free space, quotas and the disk that holds it",
}
_SQLITE_PERMANENT = {
    sqlite3.SQLITE_READONLY: "cannot be written; give this user write access to the file and its directory",
    sqlite3.SQLITE_PERM: "may not be opened; give this user write access to the file and its directory",
    sqlite3.SQLITE_CANTOPEN: "cannot be opened; give this user write access to the file and its directory",
    sqlite3.SQLITE_NOTADB: "is not a SQLite database; name another file, or move this one away",
    sqlite3.SQLITE_CORRUPT: "is damaged; move it away and restore a backup",
}
# Classes and codes of PostgreSQL (Appendix A of its manual) after which the same question may get an answer later.
_POSTGRESQL_TEMPORARY = ("08", "25006", "40", "53", "55P03", "57")
# While connecting libpq passes on the server's words but not its code: the ones after which asking again is no use.
_POSTGRESQL_WORDS = {
    "authentication failed": "28P01",
    "no pg_hba.conf entry": "28000",
    "no password supplied": "28P01",
    'role "': "28000",
    'database "': "3D000",
    "permission denied for database": "42501",
}
_POSTGRESQL_ADVICE = {
    "28": "check user, password and pg_hba.conf",
    "3D": "create that database, or name another one",
    "42501": "grant this user the right to create and write tables",
    "25006": "this server is a read-only standby; name the primary",
    "53100": "free space on the server's disk",
}


class Database:
    """Connections to one database. Safe to use from several threads; a transaction belongs to one of them."""

    def __init__(self, engine: sqlalchemy.Engine, *, shown: str, file: Path | None, answer_seconds: float) -> None:
        self.engine = engine
        self.shown = shown  # the URL without its password
        self.file = file  # of SQLite; None: a server
        self._answer_seconds = answer_seconds
        self._opened = _identity(file)
        self._writing = threading.Lock()  # SQLite's own queue is unfair among the threads of one process

    @classmethod
    def open(
        cls,
        url: str,
        *,
        password: str | None = None,
        busy_seconds: float = 5.0,
        connect_seconds: float = 5.0,
        answer_seconds: float = 30.0,
    ) -> Database:
        """Prepare connections to `url`; makes SQLite's file (0600) and its directory (0700), but asks nothing yet.

        `password`: of a server, where the URL has none. `busy_seconds`: how long to wait for another writer's lock
        (SQLite). `connect_seconds` and `answer_seconds`: how long a server may be silent while connecting, and during
        one transaction. Raises Temporary or Permanent.
        """
        address = _address(url) if password is None else _address(url).set(password=password)
        shown = _shown(address)
        if address.get_backend_name() == "sqlite":
            file = _sqlite_file(address, shown)
            engine = sqlalchemy.create_engine(address, hide_parameters=True, connect_args={"timeout": busy_seconds})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return cls(engine, shown=shown, file=file, answer_seconds=answer_seconds)
        try:
            engine = sqlalchemy.create_engine(
                address,
                hide_parameters=True,
                connect_args={"connect_timeout": max(2, round(connect_seconds))},  # libpq's least is 2 s
            )
        except ModuleNotFoundError as error:
            raise Permanent(
                f"{shown} needs the PostgreSQL driver, which is not installed; "
                "in a clone of Podium: make dev, or uv pip install '.[postgresql]'"
            ) from error
        event.listen(engine, "connect", _prepare_postgresql)
        return cls(engine, shown=shown, file=None, answer_seconds=answer_seconds)

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlalchemy.Connection]:
        """One consistent reading. Raises Temporary or Permanent, with the URL."""
        self._still_there()
        with self._translated(), self.engine.connect() as connection, self._watched(connection), connection.begin():
            yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sqlalchemy.Connection]:
        """One transaction that may write, committed at the end. Raises Temporary or Permanent, and leaves no trace.

        On SQLite it holds the only write lock from the start. On PostgreSQL lock the rows that you decide by.
        """
        self._still_there()
        with self._translated(), self._writing, self.engine.connect() as connection, self._watched(connection):
            connection.execution_options(**{_WRITE: True})
            with connection.begin():
                yield connection

    def now_us(self, connection: sqlalchemy.Connection) -> int:
        """The database's own clock, which all its clients share, in Unix microseconds (SQLite: to the millisecond)."""
        if self.file is not None:
            # Day 2440587.5 of the Julian calendar is the Unix epoch. SQLite 3.40 has no sub-second unixepoch().
            statement = "SELECT CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000"
        else:
            statement = "SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS BIGINT)"
        return int(connection.execute(sqlalchemy.text(statement)).scalar_one())

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _still_there(self) -> None:
        """Raises Permanent once SQLite's file was removed or replaced: what is written to the old one is lost."""
        if self.file is not None and _identity(self.file) != self._opened:
            raise Permanent(
                f"{self.shown} was removed or replaced while it was open; "
                "put the file back, or make sure that a new one is meant, then start again"
            )

    @contextlib.contextmanager
    def _watched(self, connection: sqlalchemy.Connection) -> Iterator[None]:
        if self.file is not None:
            yield
            return
        number = connection.connection.driver_connection.fileno()  # type: ignore[union-attr]
        with socketwatch.shut_after(self._answer_seconds, number):
            yield

    @contextlib.contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except exc.DBAPIError as error:
            raise _translate(error, self.shown) from error
        except exc.TimeoutError as error:
            raise Temporary(
                f"{self.shown} has no free connection; ask again when a running question is done"
            ) from error


def _address(url: str) -> sqlalchemy.URL:
    try:
        address = sqlalchemy.make_url(url)
    except (exc.ArgumentError, ValueError) as error:
        # The text itself is not shown: what cannot be read may hold a password anywhere.
        raise Permanent(f"The database URL cannot be read; {_ADVICE}") from error
    kind = address.drivername.partition("+")[0]
    if kind == "sqlite":
        return address.set(drivername="sqlite+pysqlite")
    if kind in ("postgresql", "postgres"):
        return address.set(drivername="postgresql+psycopg")
    raise Permanent(f"{kind} databases are not supported; {_ADVICE}")


def _shown(address: sqlalchemy.URL) -> str:
    if address.get_backend_name() == "sqlite":
        return f"sqlite:///{address.database}" if address.database else "sqlite://"
    secret = [name for name in address.query if "password" in name.lower()]
    plain = address.set(drivername=address.get_backend_name()).difference_update_query(secret)
    return plain.render_as_string(hide_password=True)


def _sqlite_file(address: sqlalchemy.URL, shown: str) -> Path:
    if address.database in (None, "", ":memory:") or str(address.database).startswith("file:"):
        raise Permanent(f"{shown} names no file; write the path of one, as in sqlite:///podium.db")
    file = Path(str(address.database)).absolute()
    try:
        if file.is_dir():
            raise Permanent(f"{shown} is a directory; name a file in it, as in {shown.rstrip('/')}/podium.db")
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.close(os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Temporary(f"{shown} cannot be made, the disk is full; free space on the file system") from error
        raise Permanent(
            f"{shown} cannot be opened for writing ({error.strerror}: {error.filename}); "
            "give this user write access to the file and its directory, or name another file"
        ) from error
    return file


def _identity(file: Path | None) -> tuple[int, int] | None:
    """Which file has this name now; None: there is none."""
    try:
        found = file.stat() if file is not None else None
    except OSError:
        return None
    return None if found is None else (found.st_dev, found.st_ino)


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say so, not where the driver guesses
    connection.execute("PRAGMA journal_mode=WAL").fetchone()
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _begin_sqlite(connection: sqlalchemy.Connection) -> None:
    # A transaction that reads first and writes later can be refused in the middle; IMMEDIATE waits its turn before.
    write = connection.get_execution_options().get(_WRITE, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _prepare_postgresql(connection: Any, _record: object) -> None:
    # A server may be set to acknowledge before its log is on the disk; a ledger may not.
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('synchronous_commit', 'on', false) WHERE current_setting('synchronous_commit') = 'off'"
        )
    connection.commit()


def _translate(error: exc.DBAPIError, shown: str) -> Temporary | Permanent:
    said = " ".join(str(error.orig).split())
    if isinstance(error.orig, sqlite3.Error):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF  # the high bits only refine it
        if code in _SQLITE_TEMPORARY:
            return Temporary(f"{shown} {_SQLITE_TEMPORARY[code]} ({said})")
        return Permanent(f"{shown} {_SQLITE_PERMANENT.get(code, 'refused a statement')} ({said})")
    spoken = (code for words, code in _POSTGRESQL_WORDS.items() if words in said.partition("FATAL:")[2])
    state = getattr(error.orig, "sqlstate", None) or next(spoken, "")
    advice = next((advice for code, advice in _POSTGRESQL_ADVICE.items() if state.startswith(code)), "")
    if not state or state.startswith(_POSTGRESQL_TEMPORARY):
        return Temporary(f"{shown} did not answer ({said}); {advice or 'check that the server runs, then try again'}")
    return Permanent(f"{shown} refused ({said}); {advice or 'check the database and its rights'}")
