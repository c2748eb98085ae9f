"""Kept samples: names of workloads, and chunks of what their signals were. `podium.signals.history` uses them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Make the two tables."""
    op.create_table(
        "signals_series",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), primary_key=True, autoincrement=True),
        sa.Column("key", sa.Text, nullable=False, unique=True),
    )
    op.create_table(
        "signals_chunk",
        sa.Column("signal", sa.Text, primary_key=True),
        sa.Column("block", sa.BigInteger, primary_key=True),
        sa.Column("begin_us", sa.BigInteger, primary_key=True),
        sa.Column("end_us", sa.BigInteger, nullable=False),
        sa.Column("samples", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("signals_chunk_end", "signals_chunk", ["end_us"])


def downgrade() -> None:
    """There is no way back: what was kept is never thrown away by a command."""
    raise NotImplementedError("kept samples are not thrown away; move the database away instead")
