"""The rules of policies, as the last recorded turn found them: which took too long to be answered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from podium.cli import store
from podium.cli.checks.row import Row
from podium.cli.outcome import BadInput
from podium.clients.database import Permanent, Temporary
from podium.documents.secret import Unreadable
from podium.ledger import errors
from podium.ledger.ledger import Ledger
from podium.loop.remember import record
from podium.loop.remember.restore import Library
from podium.model.snapshot import Holds
from podium.settings import Loaded

_REMEDY = "shorten it: lists inside lists are what takes long"


def slow(loaded: Loaded) -> list[Row]:
    """A row for every expression that was stopped in the last recorded turn; none where nothing is recorded."""
    try:
        with store.ledger(loaded) as ledger:
            return list(_slow(ledger))
    except (BadInput, Unreadable, errors.Temporary, errors.Permanent, Temporary, Permanent):
        return []  # the row of the database says what is wrong with it


def _slow(ledger: Ledger) -> Iterator[Row]:
    try:
        entry = ledger.latest(record.TURN)
        if entry is None or entry.purged:
            return
        turn = record.read_turn(entry)
        late = np.flatnonzero(turn.snapshot.held.rules == Holds.TOO_LONG)
        if not len(late):
            return
        library = Library(ledger)
        rules, fleet = library.table(turn).rules, library.fleet(turn.fleet)
    except (KeyError, ValueError):
        return  # of another version, or older than the retention
    for number in np.unique(rules.expression[late]).tolist():
        slots = np.unique(rules.slots[late[rules.expression[late] == number]])
        key = fleet.slots[int(slots[0])].key
        more = f" and {len(slots) - 1} more" if len(slots) > 1 else ""
        named = f"{key.namespace}/{key.name}{more}" if key is not None else ""
        text = " ".join(rules.expressions[number].split())
        words = f"took too long to be answered and was stopped; nothing goes down on its account ({named})"
        yield Row(f"rule `{text:.60}`", "wrong", words, _REMEDY)
