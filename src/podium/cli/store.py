"""The ledger as commands read it: one that is there already. Looking never makes a database."""

from __future__ import annotations

import contextlib
import os
import pathlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from podium.cli.outcome import BadInput

if TYPE_CHECKING:
    from podium.ledger.ledger import Ledger
    from podium.settings import Loaded


def file_of(loaded: Loaded) -> pathlib.Path | None:
    """SQLite's file; None for a server."""
    url = loaded.value.database.url
    if not url.startswith("sqlite") or "///" not in url:
        return None
    return pathlib.Path(url.split("///", 1)[1].partition("?")[0])


def folder(loaded: Loaded) -> pathlib.Path:
    """Where the installation keeps what is not in the database: beside SQLite's file, else the user's state folder."""
    from podium.documents import places

    file = file_of(loaded)
    return places.state_folder(os.environ) if file is None else file.parent


@contextlib.contextmanager
def ledger(loaded: Loaded) -> Iterator[Ledger]:
    """The ledger of the settings. Raises BadInput when nobody has written one yet."""
    from podium.clients.database import Database
    from podium.ledger import migrate
    from podium.ledger.ledger import Ledger

    database, file = loaded.value.database, file_of(loaded)
    other = "`podium run` makes it. Another one: --config FILE, or --set database.url=sqlite:///PATH"
    if file is not None and not file.exists():
        raise BadInput(f"{file}: there is no database yet; {other}")
    password = loaded.reveal(database.password) if database.password else None
    with contextlib.closing(Database.open(database.url, password=password)) as there:
        if migrate.revision(there) is None:
            raise BadInput(f"{there.shown}: there is no ledger in this database yet; {other}")
    opening = Ledger.open(database.url, password=password, state=folder(loaded))
    with contextlib.closing(opening) as opened:
        yield opened
