"""The append-only record of everything: one dense, hash-chained sequence of entries in one database.

It never changes an entry and never deletes one; retention (`purge`) empties payloads and leaves their digests. Calls
block; a loop calls them in a thread. One `Ledger` may be used from several threads.
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

import sqlalchemy as sa

from podium.clients.database import Database
from podium.ledger import entry, lease, migrate, rows, schema, summary, verification
from podium.ledger.entry import Draft, Entry
from podium.ledger.errors import Permanent, Temporary
from podium.ledger.heads import Head, Heads, NoKey
from podium.ledger.lease import Leadership
from podium.model import clock

RETENTION = "retention"  # the kind under which a purge records itself: subject = the kind, payload = {"before_us": …}
_PURGED_AT_ONCE = 500  # rows per transaction: a purge never keeps an append waiting for long
OnAppend = Callable[
    [Sequence[Draft], float, Exception | None], None
]  # what was appended, in how many seconds, or why not


class Ledger:
    """One open ledger. Every call may raise Temporary or Permanent (`podium.ledger.errors`).

    An entry whose payload is not the one recorded is Permanent for whoever reads it.
    """

    def __init__(self, database: Database, heads: Heads, now: clock.Clock, head_seconds: float) -> None:
        self.url = database.shown  # without its password
        self.heads = heads
        self.on_append: OnAppend | None = None  # told in the thread that appends; it must not raise
        self.trouble = ""  # why the newest head could not be signed; the entries themselves are safe. "": all is well
        self._database = database
        self._now = now
        self._head_seconds = head_seconds
        self._unsigned = (0, b"")  # the newest entry's seq and hash; seq 0: everything is signed
        self._signed_at = float("-inf")
        self._head_sequence = 0
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        url: str,
        *,
        heads: Path | None = None,
        state: Path | None = None,
        password: str | None = None,
        now: clock.Clock = clock.wall_clock,
        head_seconds: float = 1.0,
        busy_seconds: float = 5.0,
        connect_seconds: float = 5.0,
        answer_seconds: float = 30.0,
    ) -> Ledger:
        """Open the database at `url`, making or upgrading its tables. One of a newer version is refused.

        `heads`: the file of signed heads; default: beside SQLite's file with `.heads` at its end, else in the folder
        `state`, which is the user's own by default. `head_seconds`: how often it is signed at most. The other times:
        `Database.open`.
        """
        database = Database.open(
            url,
            password=password,
            busy_seconds=busy_seconds,
            connect_seconds=connect_seconds,
            answer_seconds=answer_seconds,
        )
        try:
            migrate.to_newest(database)
        except BaseException:
            database.close()
            raise
        return cls(database, Heads(heads or _default_heads(database, state)), now, head_seconds)

    def lead(self, holder: str, ttl_seconds: float, *, above: int = 0) -> Leadership:
        """Become the one who appends, for `ttl_seconds` or until renewed. Raises Led while another live holder leads.

        A holder whose process ended on this host is replaced at once; any other when its term is over. `above` is an
        epoch that the new one must exceed: what another ledger, now lost, had claimed.
        """
        try:
            self.heads.prepare()
        except NoKey as error:
            raise Permanent(f"The heads of {self.url} cannot be signed: {error}") from error
        except OSError as error:
            raise Permanent(
                f"The signed heads of {self.url} cannot be kept in {self.heads.path} ({error}); "
                "give this user write access to that file and its key"
            ) from error
        leadership = lease.take(self._database, holder, ttl_seconds, above=above)
        with self._database.read() as connection:
            tail = rows.tail(connection)
        self._sign_sometimes(*tail)
        return leadership

    def lost(self) -> str:
        """Why this cannot be the ledger that signed the newest head: it was rolled back or replaced. "" if it can be.

        A glance, made at every start; `verify` walks the whole chain.
        """
        heads, _ = self._read_heads()
        if not heads:
            return ""
        newest = max(heads, key=lambda head: head.seq)
        with self._database.read() as connection:
            found = rows.page(connection, rows.Choice(None), beyond=newest.seq - 1, descending=False, size=1)
        if [(one.seq, one.hash) for one in found] == [(newest.seq, newest.hash)]:
            return ""
        return (
            f"{self.url} lacks entry {newest.seq}, which was signed in {self.heads.path}: it was rolled back or "
            f"replaced; put the right one back, or, if this one is meant, move {self.heads.path} away"
        )

    def append(self, drafts: Sequence[Draft], leadership: Leadership) -> tuple[Entry, ...]:
        """Write all `drafts` in one transaction, or none; when this returns they are on the disk.

        Raises StaleLeader when a later epoch leads or `leadership` was released.
        """
        if not drafts:
            return ()
        with self._told(drafts), self._database.write() as connection:
            lease.fence(connection, leadership.epoch)
            entries = _chain(connection, drafts, leadership.epoch)
        self._sign_sometimes(entries[-1].seq, entries[-1].hash)
        return entries

    def latest(self, kind: str, *, subject: str | None = None, at_or_before_us: int | None = None) -> Entry | None:
        """The entry of `kind` that was appended last, of one subject or as of a moment when given; None: no such."""
        chosen = rows.Choice(kind, subject=subject, until_us=None if at_or_before_us is None else at_or_before_us + 1)
        with self._database.read() as connection:
            found = rows.page(connection, chosen, beyond=None, descending=True, size=1)
        return self._whole(found[0]) if found else None

    def entries(
        self,
        kinds: Sequence[str],
        *,
        since_us: int | None = None,
        until_us: int | None = None,
        after_seq: int | None = None,
        subject: str | None = None,
        descending: bool = False,
        limit: int | None = None,
    ) -> Iterator[Entry]:
        """Entries of `kinds` in the order they were appended (or reversed), `since_us <= at_us < until_us`.

        Streamed in pages of a few rows, each a short reading of its own: a slow reader blocks nobody. What is appended
        after the first entry was asked for is not seen.
        """
        if isinstance(kinds, str):
            raise TypeError("kinds is a sequence of names, not one name")
        choices = [
            rows.Choice(kind, subject=subject, since_us=since_us, until_us=until_us, after_seq=after_seq)
            for kind in dict.fromkeys(kinds)
        ]
        return map(self._whole, rows.merged(self._database, choices, descending=descending, limit=limit))

    def purge(self, kind: str, before_us: int) -> int:
        """Remove the payloads of all entries of `kind` older than `before_us`; returns how many there were.

        Records itself first, as an entry of kind `retention`, so that `verify` can tell it from a deletion.
        """
        if kind == RETENTION:
            raise ValueError("the record of purges is never purged")
        chosen = rows.Choice(kind, until_us=before_us)
        with self._database.write() as connection:
            epoch = lease.epoch_now(connection)
            if not rows.unpurged(connection, chosen, size=1):
                return 0
            payload = json.dumps({"before_us": before_us}).encode()
            at_us = self._database.now_us(connection)
            draft = Draft(kind=RETENTION, subject=kind, at_us=at_us, actor="retention", payload=payload)
            (recorded,) = _chain(connection, [draft], epoch)
        self._sign_sometimes(recorded.seq, recorded.hash)
        count = 0
        while True:
            with self._database.write() as connection:
                found = rows.unpurged(connection, chosen, size=_PURGED_AT_ONCE)
                rows.empty(connection, found)
            count += len(found)
            if len(found) < _PURGED_AT_ONCE:
                return count

    def purgeable(self, kind: str, before_us: int) -> int:
        """How many payloads `purge` would remove."""
        with self._database.read() as connection:
            return rows.count_unpurged(connection, rows.Choice(kind, until_us=before_us))

    def verify(self) -> verification.Verification:
        """Read every entry and every signed head, and name each row that is not what was written."""
        heads, troubles = self._read_heads()
        retention: dict[str, int] = {}
        for record in rows.merged(self._database, [rows.Choice(RETENTION)], descending=False, limit=None):
            before_us = _before_us(record)
            retention[record.subject] = max(before_us, retention.get(record.subject, before_us))
        everything = rows.merged(self._database, [rows.Choice(None)], descending=False, limit=None)
        return verification.walk(everything, heads, troubles, retention)

    def summary(self) -> summary.Summary:
        """What is in it, in numbers, and who leads."""
        return summary.summarise(self._database)

    def close(self) -> None:
        """Sign the newest head and close all connections. Raises Temporary when it could not be signed."""
        try:
            self._sign_now()
        finally:
            self._database.close()
        if self.trouble:
            raise Temporary(self.trouble)

    @property
    def database(self) -> Database:
        """The one database, for the tables of other packages. It is closed with the ledger."""
        return self._database

    @property
    def head_sequence(self) -> int:
        """The number of the newest entry that this process appended; 0: none yet."""
        return self._head_sequence

    @property
    def head_age_seconds(self) -> float:
        """Since this process signed a head last; NaN: never."""
        return time.monotonic() - self._signed_at if math.isfinite(self._signed_at) else math.nan

    def size_bytes(self) -> float:
        """Of SQLite's file with its log; NaN with PostgreSQL. Raises OSError as the file system does."""
        file = self._database.file
        if file is None:
            return math.nan
        parts = (file, file.with_name(file.name + "-wal"))
        return float(sum(part.stat().st_size for part in parts if part.exists()))

    @contextlib.contextmanager
    def _told(self, drafts: Sequence[Draft]) -> Iterator[None]:
        """Tell `on_append` how an append went."""
        began, failed = time.perf_counter(), None
        try:
            yield
        except Exception as error:
            failed = error
            raise
        finally:
            if self.on_append is not None:
                self.on_append(drafts, time.perf_counter() - began, failed)

    def _whole(self, found: Entry) -> Entry:
        """`found`, as it was recorded: what was edited, or rotted on the disk, is never read as if it were the record.

        The chain is `verify`'s to walk; this is the payload alone, 0.1 ms for 100 kB.
        """
        if found.purged or sha256(found.payload).digest() == found.payload_digest:
            return found
        raise Permanent(
            f"Entry {found.seq} ({found.kind}) of {self.url} is damaged: its payload is not the one recorded; "
            "`podium db verify` names every such entry; put a backup of the database in its place"
        )

    def _read_heads(self) -> tuple[list[Head], list[str]]:
        try:
            return self.heads.read()
        except NoKey as error:
            raise Permanent(f"The signed heads in {self.heads.path} cannot be checked: {error}") from error
        except (OSError, ValueError) as error:
            raise Permanent(f"The signed heads in {self.heads.path} cannot be read ({error})") from error

    def _sign_sometimes(self, seq: int, digest: bytes) -> None:
        with self._lock:
            self._unsigned = max(self._unsigned, (seq, digest))  # two threads may come here in either order
            self._head_sequence = max(self._head_sequence, seq)
            due = time.monotonic() - self._signed_at >= self._head_seconds
        if due:
            self._sign_now()

    def _sign_now(self) -> None:
        """Sign the newest entry. A failure is kept in `trouble`: the entries are committed, so append has succeeded."""
        with self._lock:
            seq, digest = self._unsigned
            if not seq:
                return
            head = Head(seq=seq, hash=digest, at_us=clock.microseconds(self._now()))
            try:
                self.heads.sign(head)
            except OSError as error:
                self.trouble = f"The newest head of {self.url} cannot be signed in {self.heads.path} ({error})"
                return
            self.trouble = ""
            self._signed_at = time.monotonic()
            self._unsigned = (0, b"")


def _chain(connection: sa.Connection, drafts: Sequence[Draft], epoch: int) -> tuple[Entry, ...]:
    """Write `drafts` behind the last entry; the caller holds the lease's row, so nobody else writes there."""
    seq, previous = rows.tail(connection)
    entries: list[Entry] = []
    for draft in drafts:
        seq += 1
        entries.append(entry.chained(draft, seq=seq, epoch=epoch, previous=previous))
        previous = entries[-1].hash
    connection.execute(sa.insert(schema.entry), [rows.values(one) for one in entries])
    return tuple(entries)


def _before_us(record: Entry) -> int:
    """What a purge recorded; a record that was edited covers nothing, and the walk names it anyway."""
    try:
        return int(json.loads(record.payload)["before_us"])
    except (ValueError, KeyError, TypeError):
        return -(1 << 63)


def _default_heads(database: Database, state: Path | None) -> Path:
    if database.file is not None:
        return database.file.with_name(database.file.name + ".heads")
    name = sha256(database.shown.encode()).hexdigest()[:12]  # one user's machine may lead several databases
    usual = Path.home() / ".local" / "state" / "podium" / f"{name}.heads"
    if state is None or usual.exists():  # kept there by an earlier version, wherever state belongs: it must not be lost
        return usual
    return state / usual.name
