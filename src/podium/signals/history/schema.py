"""The tables of kept samples as statements see them. The ledger's migrations make them; a test compares."""

from __future__ import annotations

import sqlalchemy as sa

metadata = sa.MetaData()

series = sa.Table(
    "signals_series",
    metadata,
    sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
    sa.Column("key", sa.Text, nullable=False, unique=True),  # a workload's key: it has all its signals under one id
)

chunk = sa.Table(
    "signals_chunk",
    metadata,
    sa.Column("signal", sa.Text, primary_key=True),
    sa.Column("block", sa.BigInteger, primary_key=True),  # of so many ids in a row
    sa.Column("begin_us", sa.BigInteger, primary_key=True),  # of the window
    sa.Column("end_us", sa.BigInteger, nullable=False),  # of the last sample
    sa.Column("samples", sa.BigInteger, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),  # last: SQLite reads the columns before it without it
    sa.Index("signals_chunk_end", "end_us"),
)
