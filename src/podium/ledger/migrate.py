"""Brings a database to this version's tables, or says why not."""

from __future__ import annotations

import sqlalchemy as sa

from podium.clients.database import Database
from podium.ledger import schema
from podium.ledger.errors import Permanent

_LOCK = 0x706F6469756D  # "podium": PostgreSQL's advisory lock for those that start at the same moment


def to_newest(database: Database) -> None:
    """Make or upgrade the tables; a database of this version is only read.

    Raises Permanent for a database that a newer Podium wrote, and Temporary or Permanent as the database does.
    """
    with database.read() as connection:
        if _revision(connection) == schema.REVISION:
            return
    with database.write() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_LOCK)))
        run(connection, database.shown, "head")


def revision(database: Database) -> str | None:
    """The revision of a database's tables; None: there are none yet. Changes nothing."""
    with database.read() as connection:
        return _revision(connection)


def run(connection: sa.Connection, shown: str, target: str) -> None:
    """Upgrade to revision `target` inside the open transaction of `connection`."""
    from alembic import command, config, script  # 80 ms that a database of this version does not need

    settings = config.Config()
    settings.set_main_option("script_location", "podium:ledger/migrations")
    known = {revision.revision for revision in script.ScriptDirectory.from_config(settings).walk_revisions()}
    found = _revision(connection)
    if found is not None and found not in known:
        raise Permanent(
            f"{shown} was written by a newer Podium (revision {found}; this one knows up to {schema.REVISION}); "
            "upgrade Podium, or name another database"
        )
    settings.attributes["connection"] = connection
    command.upgrade(settings, target)


def _revision(connection: sa.Connection) -> str | None:
    """The revision of the tables; None: there are none yet."""
    if not sa.inspect(connection).has_table(schema.VERSION_TABLE):
        return None
    return connection.execute(sa.text(f"SELECT version_num FROM {schema.VERSION_TABLE}")).scalar_one_or_none()  # noqa: S608
