"""The chain of entries, and the lease of the one who may append to it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the two tables. The lease starts at epoch 0 with nobody leading; rows are locked, never made, later."""
    op.create_table(
        "ledger_entry",
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
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("ledger_entry_kind", "ledger_entry", ["kind", "seq", "at_us"])
    op.create_index("ledger_entry_subject", "ledger_entry", ["kind", "subject", "seq", "at_us"])
    lease = op.create_table(
        "ledger_lease",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("host", sa.Text, nullable=False),
        sa.Column("pid", sa.BigInteger, nullable=False),
        sa.Column("started", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
    )
    op.bulk_insert(
        lease,
        [{"name": "leader", "epoch": 0, "holder": "", "host": "", "pid": 0, "started": 0, "expires_us": 0}],
    )


def downgrade() -> None:
    """There is no way back: a ledger is never thrown away by a command."""
    raise NotImplementedError("the first revision cannot be undone; move the database away instead")
