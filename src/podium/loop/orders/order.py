"""One order of a person: an entry of the ledger, and what it speaks of."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec

from podium.ledger.entry import Draft, Entry
from podium.model import clock
from podium.model.identity import WorkloadKey

PAUSED = "podium.dev/paused"  # the annotation that pauses a workload or a namespace
ORDER = "order"  # the kind of an entry that holds one order, appended when it was given
ORDERS = "orders"  # the kind of an entry that holds all orders in force, found again by their digest

What: TypeAlias = Literal["pause", "resume", "believe"]
Of: TypeAlias = Literal["fleet", "namespace", "workload", "source"]
Direction: TypeAlias = Literal["up", "down", "both"]


class Target(msgspec.Struct, frozen=True, order=True):
    """What an order speaks of; `name`: "" (fleet), `cluster/namespace`, a workload's key, or a source's name."""

    of: Of
    name: str = ""

    def __str__(self) -> str:
        return {"fleet": "everything", "namespace": f"namespace {self.name}"}.get(self.of, self.name)

    def covers(self, key: WorkloadKey) -> bool:
        """Does what is ordered of this target hold for that workload?"""
        match self.of:
            case "fleet":
                return True
            case "namespace":
                return self.name == f"{key.cluster}/{key.namespace}"
            case "workload":
                return self.name == str(key)
            case "source":
                return False


class Order(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody ordered, once."""

    id: str  # UUIDv7
    at: float  # Unix seconds on the loop's clock
    what: What
    target: Target
    by: str  # who, as far as it is known
    reason: str
    direction: Direction = "both"  # of a pause, or of the pauses that a resume takes back
    until: float | None = None  # of a pause, Unix seconds on the loop's clock; None: until it is taken back
    key: str = ""  # the Idempotency-Key it came with
    via: str = ""  # "annotation": somebody wrote it on the object itself, and takes it back there


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A direction that a person ordered to stand still, as it is shown."""

    of: str  # a workload's key, `cluster/namespace`, or "" for everything
    direction: str  # up | down | both
    by: str  # who ordered it, as far as it is known
    reason: str
    since: float  # Unix seconds on the loop's clock
    until: float | None  # null: until somebody resumes it


def shown(order: Order) -> Pause:
    """One pause, as it is shown."""
    return Pause(
        of=order.target.name,
        direction=order.direction,
        by=order.by,
        reason=order.reason,
        since=order.at,
        until=order.until,
    )


def stops(order: Order, direction: Literal["up", "down"]) -> bool:
    """Does this pause stop that direction?"""
    return order.direction in (direction, "both")


def draft_order(order: Order) -> Draft:
    """The entry of one order."""
    return Draft(
        kind=ORDER,
        at_us=clock.microseconds(order.at),
        subject=str(order.target),
        actor=order.by,
        payload=msgspec.json.encode(order, order="deterministic"),
    )


def read_order(entry: Entry) -> Order:
    """The order in an entry."""
    return msgspec.json.decode(entry.payload, type=Order)
