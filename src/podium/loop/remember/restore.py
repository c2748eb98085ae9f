"""The way back: from the ledger to the memory, the turn, and the policies of a moment."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from podium.ledger.entry import Entry
from podium.ledger.ledger import Ledger
from podium.loop.act.carry_out import Fate, Result
from podium.loop.decide import capacity
from podium.loop.decide.table import PolicyTable
from podium.loop.orders.order import ORDERS
from podium.loop.orders.orders import Orders, fold, given, read_orders
from podium.loop.remember import checkpoints, record
from podium.loop.remember.memory import Memory
from podium.loop.remember.record import Turn
from podium.loop.tabulate import Policies, tabulate
from podium.loop.verify import expectation
from podium.model import columns
from podium.model.arrays import UNKNOWN, Int64s
from podium.model.capacity import Learned
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.verdict import Expectation, Outcome, Verdict

KINDS = (record.TURN, record.RESULTS, record.VERDICTS)  # what is folded


KEPT = 8  # fleets, policies and tables at hand; older ones are read again


class Library:
    """Fleets and policies by digest, each read from the ledger once."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._fleets: dict[str, Fleet] = {}
        self._policies: dict[str, Policies] = {}
        self._orders: dict[str, Orders] = {"": Orders()}
        self._tables: dict[tuple[str, str, str], PolicyTable] = {}
        self._over: tuple[PolicyTable, Learned, PolicyTable] | None = None  # the newest with learned capacities

    def know(self, fleet: Fleet, policies: Policies, table: PolicyTable) -> None:
        """What is in force need not be read back: 30 s for the policies of 100,000 workloads."""
        self._fleets[fleet.digest] = fleet
        self._policies[table.digest] = policies
        self._tables[table.digest, fleet.digest, ""] = dataclasses.replace(table, ordered=None)
        for shelf in (self._fleets, self._policies, self._tables):
            _forget_oldest(shelf)

    def fleet(self, digest: str) -> Fleet:
        """The fleet of this digest. Raises KeyError when the ledger does not hold it."""
        if digest not in self._fleets:
            entry = self._ledger.latest(record.FLEET, subject=digest)
            if entry is None:
                raise KeyError(f"the ledger holds no fleet {digest[:12]}")
            self._fleets[digest] = record.read_fleet(entry)
        return self._fleets[digest]

    def policies(self, digest: str) -> Policies:
        """The policies of this digest. Raises KeyError when the ledger does not hold them."""
        if digest not in self._policies:
            entry = self._ledger.latest(record.POLICIES, subject=digest)
            if entry is None:
                raise KeyError(f"the ledger holds no policies {digest[:12]}")
            self._policies[digest] = record.read_policies(entry)
        return self._policies[digest]

    def orders(self, digest: str) -> Orders:
        """The orders of this digest. Raises KeyError when the ledger does not hold them."""
        if digest not in self._orders:
            entry = self._ledger.latest(ORDERS, subject=digest)
            if entry is None:
                raise KeyError(f"the ledger holds no orders {digest[:12]}")
            self._orders[digest] = read_orders(entry)
        return self._orders[digest]

    def table(self, turn: Turn) -> PolicyTable:
        """What decided in a turn, capacities learned by then included."""
        written = self._written(turn)
        if self._over is None or self._over[0] is not written or not _alike(self._over[1], turn.learned):
            self._over = (written, turn.learned, capacity.over(written, turn.learned))
        return self._over[2]

    def _written(self, turn: Turn) -> PolicyTable:
        key = (turn.policies, turn.fleet, turn.orders)
        if key not in self._tables:
            plain = (turn.policies, turn.fleet, "")
            if plain not in self._tables:
                self._tables[plain] = tabulate(self.policies(turn.policies), self.fleet(turn.fleet))
            self._tables[key] = self.orders(turn.orders).over(self._tables[plain], self.fleet(turn.fleet))
        return self._tables[key]


def _alike(one: Learned, other: Learned) -> bool:
    """Are they the same, bit for bit? Most turns have learned nothing new."""
    theirs = columns.flatten(other)
    return all(array.tobytes() == theirs[name].tobytes() for name, array in columns.flatten(one).items())


def _forget_oldest(shelf: dict[Any, Any]) -> None:
    """Documents change for as long as Podium runs."""
    while len(shelf) > KEPT:
        del shelf[next(iter(shelf))]


@dataclasses.dataclass
class Restored:
    """The loop as its last recorded turn left it, and what it goes on from."""

    memory: Memory
    number: int = 0  # of the last turn; 0 before the first
    expectations: dict[WorkloadKey, Expectation] = dataclasses.field(default_factory=dict)
    last: Turn | None = None
    results: tuple[Result, ...] | None = None  # of the last turn's commands; None: it ended before they were recorded
    orders: Orders = dataclasses.field(default_factory=Orders)  # all that were given and may still be in force

    def set_back(self, now: float) -> None:
        """When a turn at `now` shows that the clock was set back: what was expected since later measures nothing."""
        if now <= self.memory.state.at:
            self.expectations = {key: one for key, one in self.expectations.items() if one.since <= now}

    def fold(self, turn: Turn, library: Library) -> bool:
        """Take one recorded turn in. True when deciding it again left the recorded state, bit for bit."""
        self.take(turn, library)
        return self.memory.left(turn.state)

    def take(self, turn: Turn, library: Library) -> None:
        """Take one recorded turn in."""
        memory, table = self.memory, library.table(turn)
        if memory.fleet.digest != turn.fleet:
            memory.adopt(library.fleet(turn.fleet))
        self.set_back(turn.snapshot.now)
        memory.score(turn.snapshot, table)  # to learn from its readings: the scores are recorded
        memory.learn(turn.snapshot, table, turn.lead)
        memory.decide(turn.snapshot, turn.forecast, table, turn.lead)
        memory.shadow.follow(turn.snapshot, turn.ready, turn.forecast, table, turn.lead)
        self.number, self.last, self.results = turn.number, turn, None

    def follow(self, entry: Entry, first: int) -> None:
        """Take in what a turn said after itself: verdicts, or the fates of its commands.

        The verdicts of turn `first` are in the checkpoint that was begun with, the fates of its commands are not.
        """
        if entry.kind == record.RESULTS:
            self.expect(record.read_results(entry))
        elif entry.subject != str(first):
            self.settle(record.read_verdicts(entry))

    def settle(self, verdicts: Sequence[Verdict]) -> None:
        """Expectations ended; on the way up they are measurements of the lead time.

        One that is late took at least as long as was waited for it. One that was found reached after its deadline says
        nothing: nobody looked in between, because Podium was down.
        """
        measured: dict[int, float] = {}
        for verdict in verdicts:
            done = verdict.expectation
            self.expectations.pop(done.key, None)
            slot = self.memory.fleet.index.get(done.key)
            if done.replicas <= done.before or slot is None:
                continue
            if verdict.outcome is Outcome.LATE:
                measured[slot] = done.deadline - done.since
            elif verdict.at <= done.deadline:
                measured[slot] = verdict.at - done.since
        if measured:
            slots = np.fromiter(measured, np.int64, len(measured))
            self.memory.leads = self.memory.leads.measured(slots, np.array([*measured.values()], np.float64))

    def expect(self, results: Sequence[Result]) -> None:
        """The last turn's commands were carried out with these results: expect what was written."""
        self.results = tuple(results)
        if self.last is None:
            return
        for result in results:
            if result.fate is Fate.WRITTEN:
                lead = float(self.last.lead[result.command.slot])
                self.expectations[result.command.key] = expectation.expect(result.command, self.last.snapshot.now, lead)

    def written(self, fleet: Fleet, replicas: Int64s) -> tuple[Int64s, Int64s]:
        """[n] replicas that the last turn wrote, and [n] what they replaced; UNKNOWN where it wrote nothing.

        A process that died between writing and recording left no results: then what was planned and is there was ours.
        So was a write that failed and is there all the same: only its answer was lost.
        """
        after, before = np.full(len(fleet), UNKNOWN, np.int64), np.full(len(fleet), UNKNOWN, np.int64)
        if self.last is None:
            return after, before
        if self.results is None:
            shared = min(len(fleet), len(self.last.planned))
            planned = self.last.planned[:shared]
            ours = (planned != UNKNOWN) & (planned == replicas[:shared])
            after[:shared] = np.where(ours, planned, UNKNOWN)
            before[:shared] = np.where(ours, self.last.snapshot.replicas[:shared], UNKNOWN)
        for result in self.results or ():
            command = result.command
            if fleet.index.get(command.key) != command.slot:
                continue
            landed = result.fate is Fate.FAILED and replicas[command.slot] == command.replicas
            if result.fate is Fate.WRITTEN or landed:
                after[command.slot], before[command.slot] = command.replicas, command.current
        return after, before


def restore(ledger: Ledger, memory: Memory, *, until_us: int | None = None) -> Restored:
    """Fold everything recorded (up to and at `until_us`, if given) into an empty `memory`."""
    library = Library(ledger)
    start = ledger.latest(record.CHECKPOINT, at_or_before_us=until_us)
    restored, after_seq = (Restored(memory), None) if start is None else begin(ledger, start, memory, library)
    first, before_us = restored.number, None if until_us is None else until_us + 1
    for entry in ledger.entries(KINDS, after_seq=after_seq, until_us=before_us):
        if entry.purged:
            continue  # older than the retention, behind a checkpoint that was the last: nothing newer is known
        if entry.kind == record.TURN:
            restored.take(record.read_turn(entry), library)
        else:
            restored.follow(entry, first)
    restored.orders = fold(given(ledger, until_us=before_us))
    return restored


def begin(ledger: Ledger, start: Entry, memory: Memory, library: Library) -> tuple[Restored, int]:
    """The loop as a checkpoint left it, and the `seq` behind which the entries since then lie.

    The checkpoint of a large fleet is recorded after its turn, maybe after the next one: what follows begins right
    behind the turn it speaks of.
    """
    checkpoint = checkpoints.read(ledger, start)
    memory.restore(checkpoint.memory, library.fleet(checkpoint.fleet))
    turn = ledger.latest(record.TURN, subject=str(checkpoint.number))
    restored = Restored(
        memory,
        number=checkpoint.number,
        expectations={item.key: item for item in checkpoint.expectations},
        last=None if turn is None or turn.purged else record.read_turn(turn),
    )
    return restored, start.seq if turn is None or not checkpoint.parts else turn.seq


def turns(ledger: Ledger, *, since_us: int | None = None, until_us: int | None = None) -> Iterator[Turn]:
    """Recorded turns in order; those whose inputs were dropped are left out."""
    for entry in ledger.entries([record.TURN], since_us=since_us, until_us=until_us):
        if not entry.purged:
            yield record.read_turn(entry)
