"""The world's own file: a state now and then, every write since, and how far time had come.

One SQLite file in WAL mode. A write is recorded before it takes effect and loading replays what came after the saved
state, so that a kill at any instant loses nothing that was answered. Several programs may open the same world: each
turn takes the file's write lock, and first takes in what the others wrote. Without a path the file is memory.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from podium.loop.clusters.port import Permanent, Temporary
from podium.model.arrays import Columns

_FORMAT = 1
_KEPT = 100_000  # recorded writes: about a day of one write per second
_LOCK_WAIT = 5.0  # seconds
_SCHEMA = """
create table clock (one integer primary key check (one = 1), position real not null);
create table state (one integer primary key check (one = 1), seq integer not null, body blob not null);
create table write (seq integer primary key, at real not null, action text not null, workload text not null,
                    epoch integer not null, before integer not null, after integer not null, refusal text not null);
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """One line of the world's record. `epoch` is 0 for a person's hand; `refusal` is "" when it was accepted.

    `before` and `after` are replicas for `scale` and `edit`, epochs for `claim`; UNKNOWN where there was nothing.
    """

    at: float
    action: str  # claim | scale | edit
    workload: str
    epoch: int
    before: int
    after: int
    refusal: str = ""


class WorldFile:
    """The file behind one simulated cluster. Raises Permanent or Temporary that name it."""

    def __init__(self, path: Path | None) -> None:
        self._where = str(path) if path else "the simulated cluster in memory"
        try:
            if path is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database = sqlite3.connect(
                path or ":memory:", timeout=_LOCK_WAIT, isolation_level=None, check_same_thread=False
            )
        except (sqlite3.Error, OSError) as error:
            raise self._unusable(error) from error
        try:
            self._prepare()
        except sqlite3.Error as error:
            self._database.close()
            raise self._unusable(error) from error
        except Permanent:
            self._database.close()
            raise

    def _unusable(self, error: sqlite3.Error | OSError) -> Permanent:
        return Permanent(f"{self._where}: cannot be opened as a simulated cluster: {error}")

    def _prepare(self) -> None:
        self._database.execute("pragma journal_mode = wal")
        self._database.execute("pragma synchronous = normal")
        with self._locked():
            (found,) = self._database.execute("pragma user_version").fetchone()
            if found > _FORMAT:
                raise Permanent(f"{self._where}: was written by a newer version (format {found}, known {_FORMAT})")
            if found == 0:
                for statement in _SCHEMA.split(";"):
                    self._database.execute(statement)
                self._database.execute(f"pragma user_version = {_FORMAT}")

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        self._database.execute("begin immediate")
        try:
            yield
        except BaseException:
            self._database.execute("rollback")
            raise
        self._database.execute("commit")

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Hold the file alone; all of it is kept at the end, or nothing when it raises."""
        try:
            with self._locked():
                yield
        except sqlite3.Error as error:
            raise Temporary(f"{self._where}: {error}") from error

    def position(self) -> float | None:
        """How far time has come, in Unix seconds; None in a world that has not begun."""
        row = self._database.execute("select position from clock").fetchone()
        return None if row is None else float(row[0])

    def move(self, position: float) -> None:
        """Time has come this far."""
        self._database.execute("insert or replace into clock values (1, ?)", (position,))

    def record(self, write: Write) -> int:
        """Append a write; returns its number."""
        cursor = self._database.execute(
            "insert into write (at, action, workload, epoch, before, after, refusal) values (?, ?, ?, ?, ?, ?, ?)",
            dataclasses.astuple(write),
        )
        return int(cursor.lastrowid or 0)

    def writes(self, after: int = 0) -> list[tuple[int, Write]]:
        """Numbered writes after the given number, oldest first."""
        rows = self._database.execute(
            "select seq, at, action, workload, epoch, before, after, refusal from write where seq > ? order by seq",
            (after,),
        )
        return [
            (
                seq,
                Write(at=at, action=action, workload=workload, epoch=epoch, before=before, after=then, refusal=refusal),
            )
            for seq, at, action, workload, epoch, before, then, refusal in rows
        ]

    def save(self, seq: int, columns: Columns) -> None:
        """Keep a whole state that includes the writes up to `seq`, and drop the oldest writes beyond what is kept."""
        body = io.BytesIO()
        np.savez(body, allow_pickle=False, **columns)
        self._database.execute("insert or replace into state values (1, ?, ?)", (seq, body.getvalue()))
        self._database.execute("delete from write where seq <= ?", (seq - _KEPT,))

    def load(self) -> tuple[int, Columns] | None:
        """The saved state and the number of the last write in it."""
        row = self._database.execute("select seq, body from state").fetchone()
        if row is None:
            return None
        seq, body = row
        with np.load(io.BytesIO(body), allow_pickle=False) as columns:
            return int(seq), {name: columns[name] for name in columns.files}

    def close(self) -> None:
        """Let the file go."""
        self._database.close()


def saved_position(path: Path) -> float | None:
    """Where a saved world's time stopped, in Unix seconds; None when there is no such world yet."""
    if not path.exists():
        return None
    file = WorldFile(path)
    try:
        return file.position()
    finally:
        file.close()
