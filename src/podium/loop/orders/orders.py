"""The orders in force: a pure fold over the orders given. A pause ends by its time, or when it is taken back."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Iterable
from typing import Literal

import msgspec
import numpy as np

from podium.ledger.entry import Draft, Entry
from podium.ledger.ledger import Ledger
from podium.loop.decide.table import Ordered, PolicyTable
from podium.loop.orders.order import ORDER, ORDERS, Direction, Order, Target, read_order, stops
from podium.model import clock
from podium.model.arrays import UNKNOWN, Int32s
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey


@dataclasses.dataclass(frozen=True)
class Orders:
    """Pauses in the order they were given, and beliefs in sources that no turn has followed yet."""

    pauses: tuple[Order, ...] = ()
    beliefs: tuple[Order, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.pauses or self.beliefs)

    def after(self, order: Order) -> Orders:
        """With one more order. A pause takes the place of an earlier one of the same target and direction."""
        if order.what == "believe":
            return Orders(self.pauses, (*self.beliefs, order))
        kept = tuple(one for one in self.pauses if not _replaces(order, one))
        return Orders((*kept, order) if order.what == "pause" else kept, self.beliefs)

    def at(self, now: float, last: float) -> Orders:
        """Those in force in a turn at `now`, when the turn before was at `last` (NaN: there was none).

        A belief is followed by the first turn after it was given, and by no other.
        """
        pauses = tuple(one for one in self.pauses if one.until is None or one.until > now)
        beliefs = tuple(one for one in self.beliefs if not one.at <= last)
        if len(pauses) == len(self.pauses) and len(beliefs) == len(self.beliefs):
            return self
        return Orders(pauses, beliefs)

    def of(self, target: Target, direction: Direction = "both") -> tuple[Order, ...]:
        """The pauses that a resume of this target and direction takes back; none that is written on the object."""
        return tuple(
            one for one in self.pauses if one.target == target and not one.via and direction in (one.direction, "both")
        )

    def covering(self, key: WorkloadKey) -> tuple[Order, ...]:
        """The pauses that hold for one workload."""
        return tuple(one for one in self.pauses if one.target.covers(key))

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the canonical form; "" when nothing is ordered."""
        return hashlib.sha256(self.to_json()).hexdigest() if self else ""

    def to_json(self) -> bytes:
        """A canonical form: the same orders give the same bytes."""
        return msgspec.json.encode({"beliefs": self.beliefs, "pauses": self.pauses}, order="deterministic")

    @classmethod
    def from_json(cls, data: bytes) -> Orders:
        """The inverse of `to_json`."""
        plain = msgspec.json.decode(data, type=dict[str, tuple[Order, ...]])
        return cls(plain["pauses"], plain["beliefs"])

    def over(self, table: PolicyTable, fleet: Fleet) -> PolicyTable:
        """The policies of `fleet` with these orders among them."""
        if not self:
            return dataclasses.replace(table, ordered=None)
        ordered = Ordered(
            up=self._stopping("up", fleet),
            down=self._stopping("down", fleet),
            until=np.array([np.nan if one.until is None else one.until for one in self.pauses], np.float64),
            believed=tuple(sorted({one.target.name for one in self.beliefs})),
        )
        return dataclasses.replace(table, ordered=ordered)

    def _stopping(self, direction: Literal["up", "down"], fleet: Fleet) -> Int32s:
        """[n] which pause stops the direction: the one that lasts longest; UNKNOWN: none."""
        out = np.full(len(fleet), UNKNOWN, np.int32)
        lasting = sorted(enumerate(self.pauses), key=lambda pair: _end(pair[1]))
        for number, one in lasting:  # the longest last, so that it stands
            if not stops(one, direction):
                continue
            match one.target.of:
                case "workload":
                    slot = fleet.index.get(WorkloadKey.parse(one.target.name))
                    out[[] if slot is None else [slot]] = number
                case "fleet":
                    out[:] = number
                case _:
                    out[[i for i, slot in enumerate(fleet.slots) if slot.key and one.target.covers(slot.key)]] = number
        return out


NOTHING_ORDERED = Orders()


def _replaces(order: Order, earlier: Order) -> bool:
    if earlier.target != order.target or earlier.via != order.via:
        return False
    if order.what == "resume":
        return order.direction in (earlier.direction, "both")
    return order.direction == earlier.direction


def _end(order: Order) -> float:
    return np.inf if order.until is None else order.until


def fold(orders: Iterable[Order]) -> Orders:
    """What stands after all of these, given in this order."""
    return functools.reduce(Orders.after, orders, Orders())


def given(ledger: Ledger, *, until_us: int | None = None) -> tuple[Order, ...]:
    """Every order that was ever given, oldest first."""
    return tuple(read_order(entry) for entry in ledger.entries([ORDER], until_us=until_us) if not entry.purged)


def draft_orders(orders: Orders, now: float) -> Draft:
    """The entry of the orders in force, found again by their digest."""
    return Draft(
        kind=ORDERS,
        at_us=clock.microseconds(now),
        subject=orders.digest,
        actor="podium/loop",
        payload=orders.to_json(),
    )


def read_orders(entry: Entry) -> Orders:
    """The orders in an entry."""
    return Orders.from_json(entry.payload)
