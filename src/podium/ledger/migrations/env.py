"""Runs the history on the connection, and inside the transaction, that `podium.ledger.migrate` hands over."""

from __future__ import annotations

from alembic import context

from podium.ledger import schema

context.configure(connection=context.config.attributes["connection"], version_table=schema.VERSION_TABLE)
context.run_migrations()
