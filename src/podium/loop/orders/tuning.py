"""That somebody applied the settings of `podium tune`, or took them back: an entry of the ledger, and no order.

The loop follows the documents, whoever changed them. This says who did, and what for.
"""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from podium.ledger.entry import Draft, Entry
from podium.model import clock

TUNING = "tuning"  # the kind of the entry

Did: TypeAlias = Literal["applied", "withdrawn"]
Value: TypeAlias = bool | int | float | str | None


class Noted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody says they are about to do."""

    did: Did
    workload: str  # its key
    by: str
    reason: str  # what the history showed, or what was promised and not kept
    before: dict[str, Value]  # path in the document -> what stood there; null: nothing
    after: dict[str, Value]


class Tuning(Noted, frozen=True, kw_only=True):
    """The same, recorded."""

    id: str  # UUIDv7
    at: float  # Unix seconds on the loop's clock


def draft_tuning(tuning: Tuning) -> Draft:
    """The entry of one."""
    return Draft(
        kind=TUNING,
        at_us=clock.microseconds(tuning.at),
        subject=tuning.workload,
        actor=tuning.by,
        payload=msgspec.json.encode(tuning, order="deterministic"),
    )


def read_tuning(entry: Entry) -> Tuning:
    """The one in an entry."""
    return msgspec.json.decode(entry.payload, type=Tuning)
