"""Chunks as rows: named, written, merged, read and purged, in transactions that never keep a turn waiting."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from podium.clients.database import Database, Permanent
from podium.signals.history import schema
from podium.signals.history.chunk import Chunk, unpacked

_CHUNKS_AT_ONCE = 32  # in a transaction: about 700 kB, some milliseconds
_KEYS_AT_ONCE = 500  # in a statement
_MANY_KEYS = 5_000  # from here on all are read
_PURGED_AT_ONCE = 200


@dataclasses.dataclass(frozen=True, slots=True)
class Summary:
    """What is stored."""

    chunks: int
    samples: int
    bytes: int
    first_us: int | None  # of the oldest window; None: nothing is stored
    last_us: int | None  # of the newest sample


def ids(connection: sa.Connection, keys: Sequence[str]) -> dict[str, int]:
    """The ids of those workloads that have one."""
    columns, found = schema.series.c, dict[str, int]()
    if len(keys) > _MANY_KEYS:
        wanted = set(keys)
        rows = connection.execute(sa.select(columns.key, columns.id))
        return {key: number for key, number in rows if key in wanted}
    for start in range(0, len(keys), _KEYS_AT_ONCE):
        some = keys[start : start + _KEYS_AT_ONCE]
        rows = connection.execute(sa.select(columns.key, columns.id).where(columns.key.in_(some)))
        found |= {row.key: row.id for row in rows}
    return found


def named(database: Database, keys: Iterable[str]) -> dict[str, int]:
    """The ids of all `keys`; those that have none get one. Another process may give them at the same time."""
    wanted = list(dict.fromkeys(keys))
    with database.read() as connection:
        found = ids(connection, wanted)
    missing = [key for key in wanted if key not in found]
    for start in range(0, len(missing), _MANY_KEYS):
        some = missing[start : start + _MANY_KEYS]
        with database.write() as connection:
            insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
            statement = insert(schema.series).on_conflict_do_nothing(index_elements=["key"])
            connection.execute(statement, [{"key": key} for key in some])
            found |= ids(connection, some)
    return found


def write(database: Database, signal: str, begin_us: int, chunks: Iterable[tuple[int, Chunk]]) -> int:
    """Write (block, chunk) of one window of one signal, merged with what is there. Returns how many there were."""
    count, rest = 0, iter(chunks)
    while some := list(islice(rest, _CHUNKS_AT_ONCE)):
        packed = _packed(database, signal, begin_us, some)
        with database.write() as connection:
            blocks = [row["block"] for row in packed]
            connection.execute(sa.delete(schema.chunk).where(*_of(signal, begin_us), schema.chunk.c.block.in_(blocks)))
            connection.execute(sa.insert(schema.chunk), packed)
        count += len(some)
    return count


def _packed(
    database: Database, signal: str, begin_us: int, chunks: Sequence[tuple[int, Chunk]]
) -> list[dict[str, object]]:
    """The rows, compressed before the transaction begins."""
    columns = schema.chunk.c
    statement = sa.select(columns.block, columns.payload).where(
        *_of(signal, begin_us), columns.block.in_([block for block, _ in chunks])
    )
    with database.read() as connection:
        there = {row.block: row.payload for row in connection.execute(statement)}
    out: list[dict[str, object]] = []
    for block, new in chunks:
        try:
            chunk = unpacked(there[block]).merged(new) if block in there else new
        except ValueError:
            chunk = new  # what was there is damaged; this is sound
        row = {"signal": signal, "block": block, "begin_us": begin_us, "end_us": int(chunk.at_us[-1])}
        out.append(row | {"samples": chunk.samples, "payload": chunk.packed()})
    return out


def chunks(database: Database, signal: str, block: int, since_us: int, until_us: int) -> Iterator[Chunk]:
    """The chunks of one block that reach into `since_us <= at < until_us`, in order of time.

    Raises Permanent that names a damaged one.
    """
    columns = schema.chunk.c
    statement = (
        sa.select(columns.begin_us, columns.payload)
        .where(
            columns.signal == signal, columns.block == block, columns.begin_us < until_us, columns.end_us >= since_us
        )
        .order_by(columns.begin_us)
    )
    with database.read() as connection:
        rows = connection.execute(statement).all()
    for begin_us, payload in rows:
        try:
            yield unpacked(payload)
        except ValueError as error:
            where = f"chunk {signal!r}, block {block}, {begin_us} of kept samples in {database.shown}"
            raise Permanent(f"{where}: {error}; a purge of that time removes it") from error


def purge(database: Database, before_us: int, *, dry_run: bool) -> int:
    """Remove the chunks whose newest sample is older than `before_us`; returns how many there are."""
    old, columns = schema.chunk.c.end_us < before_us, schema.chunk.c
    if dry_run:
        with database.read() as connection:
            return int(connection.execute(sa.select(sa.func.count()).where(old)).scalar_one())
    count = 0
    while True:
        with database.write() as connection:
            name = sa.select(columns.signal, columns.block, columns.begin_us).where(old).limit(_PURGED_AT_ONCE)
            found = connection.execute(name).all()
            for signal, block, begin_us in found:
                connection.execute(sa.delete(schema.chunk).where(*_of(signal, begin_us), columns.block == block))
        count += len(found)
        if len(found) < _PURGED_AT_ONCE:
            return count


def summary(database: Database) -> Summary:
    """What is stored, in numbers."""
    columns = schema.chunk.c
    statement = sa.select(
        sa.func.count(),
        sa.func.coalesce(sa.func.sum(columns.samples), 0),
        sa.func.coalesce(sa.func.sum(sa.func.length(columns.payload)), 0),
        sa.func.min(columns.begin_us),
        sa.func.max(columns.end_us),
    )
    with database.read() as connection:
        number, samples, size, first, last = connection.execute(statement).one()
    return Summary(int(number), int(samples), int(size), first, last)


def _of(signal: str, begin_us: int) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return schema.chunk.c.signal == signal, schema.chunk.c.begin_us == begin_us
