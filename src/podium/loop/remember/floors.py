"""What the ledger holds of floors: the fates of their commands, with the minimum that each HPA had of its own."""

from __future__ import annotations

import json
from collections.abc import Sequence

import msgspec

from podium.ledger.entry import Draft, Entry
from podium.ledger.ledger import Ledger
from podium.loop.modes.neighbours import FloorResult
from podium.loop.remember.record import ACTOR
from podium.model import clock

FLOORS = "floors"  # the kind of an entry


def draft_floors(number: int, results: Sequence[FloorResult], now: float) -> Draft:
    """The entry of the fates of a turn's floors."""
    payload = json.dumps([msgspec.to_builtins(one) for one in results]).encode()
    return Draft(kind=FLOORS, at_us=clock.microseconds(now), subject=str(number), actor=ACTOR, payload=payload)


def read_floors(entry: Entry) -> tuple[FloorResult, ...]:
    """The results in an entry."""
    return tuple(msgspec.convert(one, FloorResult) for one in json.loads(entry.payload))


def namespaces(ledger: Ledger) -> set[str]:
    """Where floors were raised, as far back as the ledger remembers: each is looked at once more."""
    entries = [entry for entry in ledger.entries([FLOORS]) if not entry.purged]
    return {one.command.key.namespace for entry in entries for one in read_floors(entry)}
