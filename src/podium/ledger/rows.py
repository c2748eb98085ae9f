"""Entries as rows: choosing, reading in pages, emptying."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import operator
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa

from podium.clients.database import Database
from podium.ledger import schema
from podium.ledger.entry import GENESIS, Entry

_PAGE = 64  # rows: 6 MB of payloads of 100 kB, and 1,600 questions for 100,000 entries
_COLUMNS = tuple(field.name for field in dataclasses.fields(Entry))
_ENTRY = [schema.entry.c[name] for name in _COLUMNS]


@dataclasses.dataclass(frozen=True, slots=True)
class Choice:
    """Which rows: of one kind (None: of every), `since_us <= at_us < until_us`, `seq > after_seq`."""

    kind: str | None
    subject: str | None = None
    since_us: int | None = None
    until_us: int | None = None
    after_seq: int | None = None

    def clauses(self) -> list[sa.ColumnElement[bool]]:
        """The conditions of a statement. One kind each: an index then gives the rows in order of `seq`."""
        columns = schema.entry.c
        wanted: list[tuple[object, Callable[[Any], sa.ColumnElement[bool]]]] = [
            (self.kind, columns.kind.__eq__),
            (self.subject, columns.subject.__eq__),
            (self.since_us, columns.at_us.__ge__),
            (self.until_us, columns.at_us.__lt__),
            (self.after_seq, columns.seq.__gt__),
        ]
        return [compare(value) for value, compare in wanted if value is not None]


def values(entry: Entry) -> dict[str, Any]:
    """The columns of one row."""
    return {name: getattr(entry, name) for name in _COLUMNS}


def tail(connection: sa.Connection) -> tuple[int, bytes]:
    """`seq` and `hash` of the newest row; (0, GENESIS) when there is none."""
    columns = schema.entry.c
    row = connection.execute(sa.select(columns.seq, columns.hash).order_by(columns.seq.desc()).limit(1)).first()
    return (row.seq, row.hash) if row else (0, GENESIS)


def page(connection: sa.Connection, choice: Choice, *, beyond: int | None, descending: bool, size: int) -> list[Entry]:
    """The next `size` rows of `choice` behind the entry `beyond`."""
    seq = schema.entry.c.seq
    statement = sa.select(*_ENTRY).where(*choice.clauses()).limit(size)
    if beyond is not None:
        statement = statement.where(seq < beyond if descending else seq > beyond)
    statement = statement.order_by(seq.desc() if descending else seq)
    return [Entry(**row._mapping) for row in connection.execute(statement)]  # noqa: SLF001  SQLAlchemy's public name


def merged(database: Database, choices: Sequence[Choice], *, descending: bool, limit: int | None) -> Iterator[Entry]:
    """All rows of `choices` in one order, a page of each in memory at a time.

    One end for all of them: were each to look for its own, a row could be missing between two that were seen.
    """
    with database.read() as connection:
        end, _ = tail(connection)
    streams = [_stream(database, choice, end=end, descending=descending, limit=limit) for choice in choices]
    everything = heapq.merge(*streams, key=operator.attrgetter("seq"), reverse=descending)
    yield from itertools.islice(everything, limit)


def _stream(database: Database, choice: Choice, *, end: int, descending: bool, limit: int | None) -> Iterator[Entry]:
    """Rows of `choice` up to `end`."""
    size = _PAGE if limit is None else min(_PAGE, limit)
    beyond = end + 1 if descending else None
    while size > 0:
        with database.read() as connection:
            found = page(connection, choice, beyond=beyond, descending=descending, size=size)
        yield from (entry for entry in found if entry.seq <= end)
        if len(found) < size or (not descending and found[-1].seq >= end):
            return
        beyond = found[-1].seq


def unpurged(connection: sa.Connection, choice: Choice, *, size: int) -> list[int]:
    """The next `size` rows of `choice` that still have a payload."""
    columns = schema.entry.c
    statement = sa.select(columns.seq).where(*choice.clauses(), _full()).order_by(columns.seq).limit(size)
    return list(connection.execute(statement).scalars())


def count_unpurged(connection: sa.Connection, choice: Choice) -> int:
    """How many rows of `choice` still have a payload."""
    statement = sa.select(sa.func.count()).select_from(schema.entry).where(*choice.clauses(), _full())
    return int(connection.execute(statement).scalar_one())


def _full() -> sa.ColumnElement[bool]:
    return ~schema.entry.c.purged & (sa.func.length(schema.entry.c.payload) > 0)


def empty(connection: sa.Connection, seqs: Sequence[int]) -> None:
    """Remove the payloads of `seqs`; everything else of a row stays, and so does its hash."""
    statement = sa.update(schema.entry).where(schema.entry.c.seq.in_(seqs)).values(payload=b"", purged=True)
    connection.execute(statement)
