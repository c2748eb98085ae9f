"""Giving orders: checked, appended to the ledger, then followed from the next turn on. One at a time."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Protocol

import msgspec

from podium.ledger import errors
from podium.ledger.entry import Draft
from podium.ledger.lease import Leadership
from podium.ledger.ledger import Ledger
from podium.loop.orders.order import PAUSED, Direction, Order, Pause, Target, What, draft_order, shown
from podium.loop.orders.orders import Orders, given
from podium.loop.orders.tuning import Noted, Tuning, draft_tuning
from podium.model import clock, identity
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

LEAST_SECONDS = 1e-6  # between an order and whatever came before it: tables keep microseconds


class NotLeading(Exception):
    """This Podium cannot follow an order at the moment; try again, or ask the one that leads. The message says why."""


class Unknown(Exception):
    """The order speaks of something that Podium does not know."""


class Refused(Exception):
    """The order cannot be followed as things stand."""


class Repeated(Exception):
    """The Idempotency-Key belongs to another order."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody asks for."""

    what: What
    target: Target
    by: str
    reason: str
    direction: Direction = "both"
    for_seconds: float | None = None  # of a pause; None: until it is taken back
    key: str = ""  # Idempotency-Key; "": none


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What came of it."""

    order: Order
    taken_back: tuple[Pause, ...]  # the pauses that it ended
    standing: tuple[Pause, ...]  # every pause that then holds for the target
    repeated: bool  # the same order had been given before, under this Idempotency-Key
    dry_run: bool  # nothing was recorded and nothing will follow


class Follower(Protocol):
    """The loop, as far as orders concern it."""

    @property
    def fleet(self) -> Fleet:
        """The workloads it knows."""

    @property
    def standing(self) -> Orders:
        """What will be followed next."""

    @property
    def moment(self) -> float:
        """When its newest turn began."""

    def order(self, order: Order) -> None:
        """Follow one more from the next turn on."""


class OrderBook:
    """Takes orders while this process leads. `sources` are the names that may be believed."""

    def __init__(self, ledger: Ledger, now: clock.Clock, sources: Collection[str]) -> None:
        self._ledger = ledger
        self._now = now
        self._sources = sources
        self._loop: tuple[Follower, Leadership] | None = None
        self._lock = asyncio.Lock()

    def open(self, follower: Follower, leadership: Leadership) -> None:
        """This process leads, and `follower` is its loop."""
        self._loop = follower, leadership

    def close(self) -> None:
        """It leads no more."""
        self._loop = None

    @property
    def standing(self) -> tuple[Pause, ...]:
        """Every pause in force. Raises NotLeading."""
        follower, _ = self._leading()
        return tuple(shown(one) for one in self._in_force(follower).pauses)

    async def give(self, wanted: Wanted, *, dry_run: bool = False) -> Given:
        """Give one order. The same Idempotency-Key gives it once, also across a restart.

        Raises NotLeading, Unknown, Refused, Repeated.
        """
        async with self._lock:
            follower, leadership = self._leading()
            self._check(wanted, follower)
            if wanted.key and (before := await self._given_before(wanted)) is not None:
                return self._told(before, self._in_force(follower), repeated=True, dry_run=dry_run)
            standing = self._in_force(follower)
            if wanted.what == "resume" and not standing.of(wanted.target, wanted.direction):
                raise Refused(_nothing_to_resume(wanted, standing))
            order = self._order(wanted, follower)
            if not dry_run:
                order = await self._record(wanted, order, follower, leadership)
            return self._told(order, standing, repeated=False, dry_run=dry_run)

    async def note(self, noted: Noted) -> Tuning:
        """Record that a policy is about to be tuned, or its tuning taken back. Raises NotLeading, Unknown."""
        async with self._lock:
            follower, leadership = self._leading()
            if WorkloadKey.parse(noted.workload) not in follower.fleet.index:
                raise Unknown(f"no workload {noted.workload}")
            at = self._now()
            tuning = Tuning(id=identity.new_id(clock.microseconds(at)), at=at, **msgspec.structs.asdict(noted))
            await self._append(draft_tuning(tuning), leadership)
            return tuning

    async def _append(self, draft: Draft, leadership: Leadership) -> None:
        try:
            await asyncio.to_thread(self._ledger.append, [draft], leadership)
        except (errors.StaleLeader, errors.Temporary) as error:
            raise NotLeading(str(error)) from error

    async def _record(self, wanted: Wanted, order: Order, follower: Follower, leadership: Leadership) -> Order:
        while True:
            await self._append(draft_order(order), leadership)
            follower.order(order)
            # A belief is followed by the first turn after it: one that a turn has overtaken meanwhile is given again.
            if order.what != "believe" or not follower.moment >= order.at:
                return order
            order = self._order(wanted, follower)

    def _order(self, wanted: Wanted, follower: Follower) -> Order:
        newest = max((one.at for one in (*follower.standing.pauses, *follower.standing.beliefs)), default=0.0)
        begun = max(newest, follower.moment)  # NaN before the first turn
        at = max(self._now(), begun + LEAST_SECONDS)
        return Order(
            id=identity.new_id(clock.microseconds(at)),
            at=at,
            what=wanted.what,
            target=wanted.target,
            by=wanted.by,
            reason=wanted.reason,
            direction=wanted.direction,
            until=None if wanted.for_seconds is None else at + wanted.for_seconds,
            key=wanted.key,
        )

    def _in_force(self, follower: Follower) -> Orders:
        return follower.standing.at(self._now(), follower.moment)

    def _leading(self) -> tuple[Follower, Leadership]:
        if self._loop is None:
            raise NotLeading("this Podium does not lead at the moment, so it takes no orders; ask again, or the leader")
        return self._loop

    def _check(self, wanted: Wanted, follower: Follower) -> None:
        name, known = wanted.target.name, follower.fleet.index
        match wanted.target.of:
            case "workload" if WorkloadKey.parse(name) not in known:
                raise Unknown(f"no workload {name}")
            case "namespace" if not any(wanted.target.covers(key) for key in known):
                raise Unknown(f"no workload of a policy is in namespace {name}")
            case "source" if name not in self._sources:
                raise Unknown(f"no source {name}; there are {', '.join(sorted(self._sources))}")

    async def _given_before(self, wanted: Wanted) -> Order | None:
        every = await asyncio.to_thread(given, self._ledger)
        same = [one for one in every if one.key == wanted.key]
        if not same:
            return None
        lasting = None if same[0].until is None else round(same[0].until - same[0].at, 6)
        asked = (wanted.what, wanted.target, wanted.direction, wanted.reason, wanted.for_seconds)
        if (same[0].what, same[0].target, same[0].direction, same[0].reason, lasting) != asked:
            raise Repeated(f"the Idempotency-Key {wanted.key!r} belongs to another order")
        return same[0]

    def _told(self, order: Order, before: Orders, *, repeated: bool, dry_run: bool) -> Given:
        after = before if repeated else before.after(order)
        ended = () if repeated else tuple(one for one in before.pauses if one not in after.pauses)
        if order.target.of == "workload":
            standing = after.covering(WorkloadKey.parse(order.target.name))
        else:
            standing = tuple(one for one in after.pauses if one.target == order.target)
        return Given(
            order=order,
            taken_back=tuple(map(shown, ended)),
            standing=tuple(map(shown, standing)),
            repeated=repeated,
            dry_run=dry_run,
        )


def _nothing_to_resume(wanted: Wanted, standing: Orders) -> str:
    words = f"nothing is paused there: no pause of {wanted.target} stands"
    if wanted.target.of == "workload":
        others = standing.covering(WorkloadKey.parse(wanted.target.name))
        named = [f"{one.target} ({one.direction}, by {one.by})" for one in others if one.target != wanted.target]
        if named:
            return f"{words}; what pauses it is a pause of {', '.join(named)}"
    written = [one for one in standing.pauses if one.target == wanted.target and one.via]
    if written:
        return (
            f"{words}; what pauses it is the {written[0].by}: take it away there, as kubectl annotate … {PAUSED}- does"
        )
    if own := [one for one in standing.pauses if one.target == wanted.target]:
        return f"{words} in direction {wanted.direction}; there is one of {', '.join(one.direction for one in own)}"
    return words
