"""Who may append: one row with a holder, an end, and an epoch that only grows.

The epoch is the fence: every append locks this row and compares, in the transaction that writes. Time only decides
when somebody else may take over, and it is the database's clock, which all contenders share.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from podium.clients.database import Database
from podium.ledger import process, schema
from podium.ledger.errors import Led, StaleLeader

_NAME = "leader"


class Leadership:
    """The right to append under one epoch. `deadline` is the moment (time.monotonic) from which another may lead."""

    def __init__(self, database: Database, epoch: int, ttl_seconds: float, deadline: float) -> None:
        self.epoch = epoch
        self.deadline = deadline
        self._database = database
        self._ttl_seconds = ttl_seconds

    def renew(self) -> None:
        """Lead for another term from now. Raises StaleLeader when it is lost, Temporary when nobody can tell."""
        asked = time.monotonic()  # before asking: a slow answer shortens the term, never lengthens it
        try:
            with self._database.write() as connection:
                fence(connection, self.epoch)
                expires = self._database.now_us(connection) + round(self._ttl_seconds * 1e6)
                connection.execute(
                    sa.update(schema.lease).where(schema.lease.c.name == _NAME).values(expires_us=expires)
                )
        except StaleLeader:
            self.deadline = float("-inf")
            raise
        self.deadline = asked + self._ttl_seconds

    def release(self) -> None:
        """Let another lead at once. Does nothing when it is lost already."""
        self.deadline = float("-inf")
        with self._database.write() as connection:
            mine = (schema.lease.c.name == _NAME) & (schema.lease.c.epoch == self.epoch)
            connection.execute(sa.update(schema.lease).where(mine).values(holder="", expires_us=0))

    def valid(self, now_monotonic: float) -> bool:
        """True while nobody else can have taken over, without asking the database."""
        return now_monotonic < self.deadline


def take(
    database: Database,
    holder: str,
    ttl_seconds: float,
    is_gone: Callable[[process.Process], bool] = process.is_gone,
    *,
    above: int = 0,
) -> Leadership:
    """Lead under a new epoch, higher than `above`, when nobody does, the holder's term is over, or its process is gone.

    Else raises Led. A holder of the same name in this very process, which lost track of its lead, takes it again.
    """
    if not holder or ttl_seconds <= 0:
        raise ValueError("a leader needs a name and a term of more than 0 seconds")
    asked = time.monotonic()
    mine = process.current()
    with database.write() as connection:
        row = _locked(connection)
        now_us = database.now_us(connection)
        theirs = process.Process(row.host, row.pid, row.started)
        own = bool(row.holder == holder and theirs == mine and mine.started)
        if row.holder and now_us < row.expires_us and not own and not is_gone(theirs):
            raise Led(row.holder, row.expires_us / 1e6)
        epoch = max(row.epoch, above) + 1
        connection.execute(
            sa.update(schema.lease)
            .where(schema.lease.c.name == _NAME)
            .values(
                epoch=epoch,
                holder=holder,
                host=mine.host,
                pid=mine.pid,
                started=mine.started,
                expires_us=now_us + round(ttl_seconds * 1e6),
            )
        )
    return Leadership(database, epoch, ttl_seconds, asked + ttl_seconds)


def fence(connection: sa.Connection, epoch: int) -> None:
    """Hold the lease's row until the transaction ends; raises StaleLeader unless `epoch` still leads.

    A term that is over while nobody took over does not count as lost: the row is ours until its epoch moves.
    """
    row = _locked(connection)
    if row.epoch != epoch or not row.holder:
        raise StaleLeader(epoch, row.epoch)


def epoch_now(connection: sa.Connection) -> int:
    """The newest epoch, with the lease's row held until the transaction ends."""
    return int(_locked(connection).epoch)


def _locked(connection: sa.Connection) -> sa.Row[tuple[object, ...]]:
    # SQLite's write transaction holds the whole database already, and its dialect leaves FOR UPDATE out.
    return connection.execute(sa.select(schema.lease).where(schema.lease.c.name == _NAME).with_for_update()).one()
