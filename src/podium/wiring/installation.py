"""Where the settings say that an installation keeps what is its own: ledger, state, age of records."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path

from podium.documents import places
from podium.documents.problem import Invalid, Problem
from podium.ledger.ledger import Ledger
from podium.ledger.settings import Retention
from podium.loop.remember import record
from podium.loop.remember.floors import FLOORS
from podium.settings import Loaded


def open_ledger(loaded: Loaded) -> Ledger:
    """The ledger of the settings. Raises Invalid where it is a shard's and nobody says whose."""
    database = loaded.value.database
    if "{shard}" in database.url:
        expected = f"a number below {loaded.value.part.shards}: each shard has a ledger of its own"
        raise Invalid([Problem("settings", 0, 0, "part.shard", expected, "nothing")])
    password = loaded.reveal(database.password) if database.password else None
    return Ledger.open(database.url, password=password, state=state_folder(loaded))


def retained(kept: Retention) -> dict[str, float]:
    """{kind of entry: age at which its payload is dropped} (seconds)."""
    ages = dict.fromkeys((record.TURN, record.CHECKPOINT, record.MEMORY), kept.inputs)
    return ages | dict.fromkeys((record.RESULTS, record.VERDICTS, record.EVENT, FLOORS), kept.changes)


def state_folder(loaded: Loaded) -> Path:
    """Where this installation keeps what is not in the database: beside SQLite's file, else the user's state folder."""
    url = loaded.value.database.url
    if url.startswith("sqlite") and "///" in url:
        return Path(url.split("///", 1)[1].partition("?")[0]).parent
    return places.state_folder(os.environ)


def holder() -> str:
    """Who leads, for people: host and process."""
    return f"{socket.gethostname()}/{os.getpid()}"


def new_token() -> str:
    """A token for the doors, made at start when the settings name none."""
    return secrets.token_urlsafe(24)
