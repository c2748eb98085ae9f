"""The ledger's tables as statements see them. `migrations/` makes them; a test holds the two together."""

from __future__ import annotations

import sqlalchemy as sa

REVISION = "0002"  # the newest one in `migrations/versions`; a test compares
VERSION_TABLE = "podium_version"  # not Alembic's default name: a shared PostgreSQL database may hold another's history

metadata = sa.MetaData()

entry = sa.Table(
    "ledger_entry",
    metadata,
    sa.Column("seq", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=False),
    sa.Column("id", sa.String(36), nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("at_us", sa.BigInteger, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("tenant", sa.Text, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("epoch", sa.BigInteger, nullable=False),
    sa.Column("payload_digest", sa.LargeBinary(32), nullable=False),
    sa.Column("previous", sa.LargeBinary(32), nullable=False),
    sa.Column("hash", sa.LargeBinary(32), nullable=False),
    sa.Column("purged", sa.Boolean, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),  # last: SQLite reads the columns before it without it
    # Both answer in order of `seq` and hold the time, so that a search by time never touches the rows themselves.
    sa.Index("ledger_entry_kind", "kind", "seq", "at_us"),
    sa.Index("ledger_entry_subject", "kind", "subject", "seq", "at_us"),
)

lease = sa.Table(
    "ledger_lease",
    metadata,
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("epoch", sa.BigInteger, nullable=False),  # only grows
    sa.Column("holder", sa.Text, nullable=False),  # "" when nobody leads
    sa.Column("host", sa.Text, nullable=False),
    sa.Column("pid", sa.BigInteger, nullable=False),
    sa.Column("started", sa.BigInteger, nullable=False),  # of the process, in ticks since boot
    sa.Column("expires_us", sa.BigInteger, nullable=False),  # by the database's clock
)
