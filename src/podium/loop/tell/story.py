"""Telling what was decided and why: recorded turns as rows and sentences for people."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Mapping

import numpy as np

from podium.ledger.ledger import Ledger
from podium.loop.act.carry_out import Fate
from podium.loop.cycle import Turned
from podium.loop.decide.capacity import SAID
from podium.loop.orders.orders import NOTHING_ORDERED, Orders
from podium.loop.prices.price import Price
from podium.loop.remember import record
from podium.loop.remember.record import Turn
from podium.loop.remember.restore import Library
from podium.loop.tabulate import Policies
from podium.loop.tell import floors, standing, words
from podium.loop.tell.inputs import inputs
from podium.loop.tell.outcomes import Outcomes
from podium.loop.tell.view import DecisionRow, Explanation
from podium.model import clock
from podium.model.arrays import UNKNOWN, Bools, Int32s, Int64s
from podium.model.decision import Reason, Reasons
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

# Said only when nothing else is: every decision starts from what is there.
PLAIN = frozenset({Reason.OBSERVED})

# How the forecast and a learned capacity stand: it moves no number, so it is never the cause of one.
REMARKS = frozenset({Reason.FORECAST_ABSENT, Reason.FORECAST_UNTRUSTED, Reason.RISK_MISSED, *SAID.values()})
REMARKS |= {Reason.CAPACITY_UNKNOWN, Reason.ANNOUNCED, Reason.ANNOUNCED_UNKNOWN, Reason.HOLIDAY_BOUNDS}


@dataclasses.dataclass(frozen=True)
class Told:
    """What one turn decided for k slots, without its inputs: small enough to be kept for many turns."""

    number: int
    at: float
    fleet: Fleet
    policies: Policies
    digest: str  # of the policies
    epoch: int
    actor: str
    sources: tuple[str, ...]
    slots: Int64s  # [k] rising
    before: Int64s  # [k] replicas that were there
    wanted: Int64s  # [k]
    planned: Bools  # [k] a command was made
    reasons: Reasons  # of these slots, in their order
    orders: Orders = NOTHING_ORDERED  # in force then
    floors: Mapping[int, str] = dataclasses.field(
        default_factory=dict
    )  # slot -> what was to be written under its HPA, in words

    @classmethod
    def of(
        cls,
        turn: Turn,
        epoch: int,
        actor: str,
        fleet: Fleet,
        policies: Policies,
        slots: Int64s,
        orders: Orders = NOTHING_ORDERED,
    ) -> Told:
        """A turn's decisions on some `slots`, which rise."""
        reasons = turn.decisions.reasons
        if len(slots) < len(fleet):
            rows = _between(reasons.slot, slots)
            reasons = Reasons(*(getattr(reasons, field.name)[rows] for field in dataclasses.fields(reasons)))
        chosen = slots if len(slots) < len(fleet) else slice(None)  # all of them need no copy
        replicas, wanted = turn.snapshot.replicas[chosen], turn.decisions.replicas[chosen]
        return cls(
            turn.number, turn.snapshot.now, fleet, policies, turn.policies, epoch, actor, turn.snapshot.sources,
            slots, replicas, wanted, turn.planned[chosen] != UNKNOWN, reasons, orders, floors.told(turn.floors),
        )  # fmt: skip

    @functools.cached_property
    def starts(self) -> Int64s:
        """[k + 1] where the reasons of each slot begin."""
        return np.searchsorted(self.reasons.slot, np.append(self.slots, len(self.fleet))).astype(np.int64)

    @property
    def nbytes(self) -> int:
        """Memory it takes, in bytes."""
        return int(
            32 * len(self.slots) + sum(getattr(self.reasons, f.name).nbytes for f in dataclasses.fields(Reasons))
        )

    @property
    def changed(self) -> Bools:
        """[k] where the decision wanted something else than what was there."""
        changed: Bools = (np.minimum(self.wanted, self.before) != UNKNOWN) & (self.wanted != self.before)
        return changed

    def places(self, key: str | None) -> list[int]:
        """Which of the k decisions are those of a workload; of all, when no key is given."""
        if key is None:
            return list(range(len(self.slots)))
        slot = self.fleet.index.get(WorkloadKey.parse(key))
        place = None if slot is None else self.place(slot)
        return [] if place is None else [place]

    def place(self, slot: int) -> int | None:
        """Which of the k a slot is."""
        place = int(np.searchsorted(self.slots, slot))
        return place if place < len(self.slots) and self.slots[place] == slot else None


def _between(sorted_slots: Int32s, slots: Int64s) -> Int64s:
    """The rows of some slots, in their order: [2, 5] of 0 0 2 2 4 5 is 2 3 5."""
    begin, end = np.searchsorted(sorted_slots, slots, "left"), np.searchsorted(sorted_slots, slots, "right")
    count = end - begin
    return np.repeat(begin - (np.cumsum(count) - count), count) + np.arange(count.sum())


class Teller:
    """One turn's decisions, told workload by workload."""

    def __init__(self, told: Told, outcomes: Outcomes) -> None:
        self._told = told
        self._outcomes = outcomes

    def row(self, place: int) -> DecisionRow:
        """One decision of them."""
        told = self._told
        key = told.fleet.slots[told.slots[place]].key
        before, wanted, planned = int(told.before[place]), int(told.wanted[place]), bool(told.planned[place])
        changed = min(before, wanted) != UNKNOWN and before != wanted
        outcome = self._outcomes.of(told.number, told.at, key) if key is not None and planned else ""
        return DecisionRow(
            tick=told.number,
            at=told.at,
            key=str(key),
            before=_count(told.before[place]),
            wanted=_count(told.wanted[place]),
            changed=changed,
            actor=told.actor,
            epoch=told.epoch,
            policy_digest=told.digest,
            reasons=self.reasons(place),
            outcome=self._unwritten(place, wanted, changed=changed) if not planned else outcome,
        )

    def _unwritten(self, place: int, wanted: int, *, changed: bool) -> str:
        """What became of a decision that Podium does not write into the workload itself."""
        told, slot = self._told, int(self._told.slots[place])
        rows = slice(int(told.starts[place]), int(told.starts[place + 1]))
        key = told.fleet.slots[slot].key
        policy = told.policies.documents.get(key) if key else None
        if slot in told.floors:
            return told.floors[slot]
        if not changed:
            return ""
        if policy is None or policy.spec.mode == "own" or Reason.RECOMMEND_ONLY in told.reasons.code[rows]:
            return "recommended"
        if policy.spec.mode == "metric":
            return f"told to whoever asks for its metric: podium-replicas {wanted}"
        return "left to its HPA" if policy.spec.mode == "floor" else "recommended"

    def reasons(self, place: int) -> tuple[str, ...]:
        """Why, in the order the policies spoke."""
        return self._said(place, PLAIN) or self._said(place, frozenset())

    def cause(self, place: int) -> str:
        """The last reason that had a say in the number."""
        said = self._said(place, PLAIN | REMARKS) or self.reasons(place)
        return said[-1] if said else "nothing asks for another number"

    def _said(self, place: int, left_out: frozenset[Reason]) -> tuple[str, ...]:
        told, reasons = self._told, self._told.reasons
        key = told.fleet.slots[told.slots[place]].key
        policy = told.policies.documents.get(key) if key else None
        rows = range(int(told.starts[place]), int(told.starts[place + 1]))
        return tuple(
            words.sentence(
                int(reasons.code[row]),
                int(reasons.metric[row]),
                (float(reasons.a[row]), float(reasons.b[row]), float(reasons.c[row])),
                policy.spec if policy else None,
                told.sources,
                told.orders,
                told.policies.events,
            )
            for row in rows
            if reasons.code[row] not in left_out
        )


def explain(ledger: Ledger, library: Library, key: str, at: float | None, price: Price | None = None) -> Explanation:
    """Why a workload had as many replicas as it had at `at` (default: now). Raises KeyError when nothing says."""
    until_us = None if at is None else clock.microseconds(at)
    entry = ledger.latest(record.TURN, at_or_before_us=until_us)
    if entry is None:
        when = "yet" if at is None else f"at or before {clock.rfc3339(at)}"
        raise KeyError(f"nothing is recorded {when}")
    turn = record.read_turn(entry)
    fleet = library.fleet(turn.fleet)
    slot = fleet.index.get(WorkloadKey.parse(key))
    if slot is None:
        known = ", ".join(str(one) for one in sorted(fleet.index)) or "none"
        raise KeyError(f"no workload {key} at {clock.rfc3339(turn.snapshot.now)}; there were {known}")
    outcomes = Outcomes()
    for later in ledger.entries([record.RESULTS, record.VERDICTS], after_seq=entry.seq, limit=1000):
        outcomes.add(later)
    policies, orders = library.policies(turn.policies), library.orders(turn.orders)
    return explained(turn, entry.epoch, entry.actor, fleet, policies, slot, outcomes, orders, price)


def explained(
    turn: Turn,
    epoch: int,
    actor: str,
    fleet: Fleet,
    policies: Policies,
    slot: int,
    outcomes: Outcomes,
    orders: Orders = NOTHING_ORDERED,
    price: Price | None = None,
) -> Explanation:
    """Why one workload has as many replicas as it has after `turn`."""
    teller = Teller(Told.of(turn, epoch, actor, fleet, policies, np.array([slot]), orders), outcomes)
    row = teller.row(0)
    seen = inputs(turn, fleet, policies, slot, price)
    key = fleet.slots[slot].key
    for one in orders.covering(key) if key is not None else ():
        name = {"up": "paused up", "down": "paused down", "both": "paused"}[one.direction]
        seen[name] = words.ordered(one)
    policy = policies.documents.get(key) if key is not None else None
    others = policy is not None and policy.spec.mode in ("metric", "floor")
    return Explanation(decision=row, sentence=_sentence(row, teller.cause(0), others=others), inputs=seen)


def _sentence(row: DecisionRow, why: str, *, others: bool) -> str:
    """`others`: an HPA writes its replicas, and Podium only says or holds a number."""
    name = row.key.rsplit("/", 1)[-1]
    if row.wanted is None or row.before is None:
        return f"Nothing was decided for {name}: {why}."
    if others:
        return f"{name} has {words.replicas(row.before)}, and {row.wanted} are wanted: {why}."
    if not row.changed:
        return f"{name} keeps {words.replicas(row.before)}: {why}."
    return f"{name} goes from {row.before} to {words.replicas(row.wanted)}: {why}."


def guards(turned: Turned) -> tuple[str, ...]:
    """What holds the whole fleet back, in words."""
    reasons = turned.turn.decisions.reasons
    said = [f"source {name} is {state}: {text}" for name, (state, text) in standing.doubts(turned).items()]
    held = reasons.code == Reason.REDUCTION_GUARD
    if held.any():
        share, allowed = float(reasons.b[held][0]), float(reasons.c[held][0])
        count = len(np.unique(reasons.slot[held]))
        said.append(
            f"reduction guard: {count} workload{'' if count == 1 else 's'} wait before going down; "
            f"{100 * share:.0f} % of the fleet went lately, {100 * allowed:.0f} % are allowed"
        )
    return tuple(said)


def troubles(turned: Turned, fleet: Fleet) -> dict[int, tuple[str, ...]]:
    """Slot -> why its workload is not led as its policy asks, in words; only those with such a trouble."""
    found = list(turned.sight.observation.troubles.items())
    found += [(key, f"not led: {words}") for key, words in turned.unclaimed.items()]
    found += [(key, words) for (_, key), words in turned.rivals.items()]
    found += [
        (one.command.key, f"{one.command.words}: {one.fate}: {one.words}")
        for one in turned.floors
        if one.fate is not Fate.WRITTEN
    ]
    found += [
        (result.command.key, f"{result.fate}: {result.words}")
        for result in turned.results
        if result.fate is not Fate.WRITTEN
    ]
    said: dict[int, tuple[str, ...]] = {}
    for key, why in found:
        slot = fleet.index.get(key)
        if slot is not None:
            said[slot] = (*said.get(slot, ()), why)
    return said


def _count(value: np.int64) -> int | None:
    return None if value == UNKNOWN else int(value)
