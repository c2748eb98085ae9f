"""One turn of the control loop: observe, forecast, decide, act, verify. This file is its table of contents."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Iterator, Sequence

from podium.ledger.entry import Draft
from podium.ledger.lease import Leadership
from podium.ledger.ledger import Ledger
from podium.loop import observe
from podium.loop.act.carry_out import Result, carry_out
from podium.loop.act.claims import Claims
from podium.loop.act.plan import plan
from podium.loop.clusters.port import Cluster
from podium.loop.decide.state import Trust
from podium.loop.decide.table import PolicyTable
from podium.loop.modes.neighbours import FloorResult, Neighbours, Rival
from podium.loop.modes.settings import ContestSettings, FloorSettings
from podium.loop.observe import ClusterSignal, Sight
from podium.loop.orders.order import Order, draft_order
from podium.loop.orders.orders import Orders, draft_orders
from podium.loop.remember import checkpoints, record
from podium.loop.remember.checkpoints import Keeper
from podium.loop.remember.floors import draft_floors
from podium.loop.remember.record import Turn
from podium.loop.remember.restore import Restored
from podium.loop.rules.evaluate import Evaluator
from podium.loop.schedule import Schedule
from podium.loop.settings import Rules as LoopRules
from podium.loop.shadow import Course
from podium.loop.tabulate import Policies, tabulate
from podium.loop.tell.watch import Watch
from podium.loop.tracing import UNTOLD, Tracer
from podium.loop.verify import expectation
from podium.model.arrays import UNKNOWN, Columns, Float64s
from podium.model.command import Scale
from podium.model.decision import Decisions
from podium.model.events import Event
from podium.model.fleet import Fleet
from podium.model.forecast import Forecast
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Held
from podium.model.verdict import Verdict
from podium.signals.bound import BoundSignal
from podium.signals.observe import Observer


@dataclasses.dataclass(frozen=True, slots=True)
class Assignment:
    """What the loop is asked to do: policies, the fleet they name, and the signals they need."""

    policies: Policies
    fleet: Fleet
    signals: tuple[BoundSignal, ...]
    cluster_signals: tuple[ClusterSignal, ...] = ()


@dataclasses.dataclass(frozen=True, slots=True)
class Turned:
    """All that one turn saw, decided and did."""

    turn: Turn
    epoch: int  # of the leadership that decided
    sight: Sight
    results: tuple[Result, ...]
    verdicts: tuple[Verdict, ...]
    trust: dict[str, Trust]  # what is known of each source
    unclaimed: dict[WorkloadKey, str]  # workloads that could not be claimed, and why
    events: tuple[Event, ...]  # what began or ended
    step_seconds: dict[str, float]  # how long each of the six steps took
    reduced: int  # replicas taken away within the window of the reduction guard
    shadow: Course  # what a plain HPA would have had
    orders: Orders  # what people had ordered, as it was followed
    table: PolicyTable  # what decided: policies, orders, and the capacities learned so far
    rivals: dict[tuple[Rival, WorkloadKey], str] = dataclasses.field(default_factory=dict)  # what is wrong around them
    floors: tuple[FloorResult, ...] = ()  # what became of the floors under HPAs


class Cycle:
    """The loop of one cluster under one leadership. `assign` says what is asked of it, at first and later."""

    def __init__(
        self,
        cluster: Cluster,
        observer: Observer,
        ledger: Ledger,
        leadership: Leadership,
        restored: Restored,
        *,
        default_lead_seconds: float,
        deadline_seconds: float,
        rules: Evaluator | None = None,
        tracer: Tracer = UNTOLD,
        neighbours: Neighbours | None = None,
    ) -> None:
        self._cluster = cluster
        self._observer = observer
        self._ledger = ledger
        self._leadership = leadership
        self._restored = restored
        self._memory = restored.memory
        self._default_lead = default_lead_seconds
        self._deadline = deadline_seconds
        self._assignment = Assignment(Policies({}), restored.memory.fleet, ())
        self._table: PolicyTable = tabulate(self._assignment.policies, self._assignment.fleet)
        self._plain = self._table  # the policies alone, without what people ordered
        self._next: Assignment | None = None
        self._given: Orders = restored.orders  # all that may still be in force
        self._followed = self._given  # what had been given when the newest turn began
        self._orders = Orders()  # the same, as it was last recorded
        self._moment = restored.memory.state.at  # of the newest turn that began
        self._schedule = Schedule()
        self._rules = rules or Evaluator(LoopRules().limit)
        self._claims = Claims(cluster, leadership.epoch, deadline_seconds)
        self._around = neighbours or Neighbours(
            None, leadership.epoch, deadline_seconds, FloorSettings(), ContestSettings()
        )
        self._watch = Watch()
        self._keeper = Keeper(ledger, leadership)
        self._tracer = tracer
        self._steps: dict[str, float] = {}

    @property
    def fleet(self) -> Fleet:
        """The fleet as the memory knows it: a new assignment continues from here."""
        return self._memory.fleet

    @property
    def assignment(self) -> Assignment:
        """What the last turn followed."""
        return self._assignment

    @property
    def last_at(self) -> float:
        """When the last turn was (Unix seconds); NaN before the first."""
        return self._memory.state.at

    @property
    def table(self) -> PolicyTable:
        """The policies in force, as arrays; without what was learned of them (see `Turned.table`)."""
        return self._table

    @property
    def orders(self) -> Orders:
        """What people ordered, as the last turn followed it."""
        return self._orders

    @property
    def standing(self) -> Orders:
        """What people ordered, as the next turn will follow it unless a pause ends before."""
        return self._given

    @property
    def moment(self) -> float:
        """When the newest turn began (Unix seconds); an order given now comes after it. NaN before the first."""
        return self._moment

    def order(self, order: Order) -> None:
        """Follow one more order from the next turn on; it is in the ledger already. Writes under way are withheld."""
        self._given = self._given.after(order)

    def assign(self, assignment: Assignment) -> None:
        """Follow this from the next turn on. Its policies are recorded with that turn."""
        self._next = assignment

    async def close(self) -> None:
        """Leave nothing running: a checkpoint that is being written is given up."""
        await self._keeper.end()

    async def turn(self, now: float) -> Turned:
        """One turn at `now`, which lies after the last unless the clock was set back.

        Raises StaleLeader when another leads meanwhile, and what the ledger raises: what is not recorded is not done.
        """
        await self._keeper.ready()
        drafts = self._adopt(now)
        with self._step("observe"):
            sight = await self._observe(now)
            drafts += self._written_pauses(now)
        with self._step("forecast"):
            lead, forecast = self._forecast(sight)
        with self._step("decide"):
            table = self._memory.table(self._table)
            decisions = self._memory.decide(sight.snapshot, forecast, table, lead)
            turn, commands = self._plan(sight, forecast, lead, decisions)
        with self._step("verify"):
            verdicts = self._verify(sight)
            self._memory.shadow.follow(sight.snapshot, turn.ready, forecast, table, lead)
        fleet, trust, reduced = self._assignment.fleet, self._memory.state.trust, int(self._memory.state.reduced.sum())
        rivals = self._around.troubles(self._table, fleet, now)
        events = tuple(self._watch.events(turn, sight, self._claims.refused, self._memory, fleet, rivals))
        with self._step("record"):
            await asyncio.to_thread(self._record, drafts, turn, verdicts, events)
        beside = self._beside(turn)
        with self._step("act"):
            results, floors = await self._act(commands, turn)
        if beside is not None:
            self._keeper.begin(beside, self._memory.outlook, now, self._memory.scores)
        steps = dict(self._steps)
        return Turned(
            turn, self._leadership.epoch, sight, results, verdicts, trust, self._claims.refused, events, steps, reduced,
            self._memory.shadow.course, self._orders, table, rivals, floors,
        )  # fmt: skip

    def _adopt(self, now: float) -> list[Draft]:
        """Take over the next assignment and the orders given since the last turn; what is new is said in the ledger."""
        self._given, self._moment = self._given.at(now, self._memory.state.at), now
        self._followed = self._given
        assigned, ordered = self._adopt_assignment(now), self._given.digest != self._orders.digest
        if assigned or ordered:
            self._orders = self._given
            self._table = self._orders.over(self._plain, self._assignment.fleet)
        return [*assigned, *([draft_orders(self._orders, now)] if ordered and self._orders else [])]

    def _adopt_assignment(self, now: float) -> list[Draft]:
        if self._next is None:
            return []
        assignment, self._next = self._next, None
        self._assignment = assignment
        self._memory.adopt(assignment.fleet)
        self._plain = tabulate(assignment.policies, assignment.fleet)
        return [
            record.draft_fleet(assignment.fleet, now),
            record.draft_policies(assignment.policies, self._plain.digest, now),
        ]

    async def _observe(self, now: float) -> Sight:
        await asyncio.to_thread(self._leadership.renew)
        assignment = self._assignment
        await self._claims.make(self._table, assignment.fleet)
        looking = observe.look(
            self._cluster,
            self._observer,
            assignment.signals,
            assignment.cluster_signals,
            assignment.fleet,
            now,
            self._deadline,
        )
        sight, _ = await asyncio.gather(looking, self._around.read(self._table, assignment.fleet))
        await self._around.see(sight.observation, assignment.fleet, now)
        seen = self._memory.score(sight.snapshot, self._table)
        written, replaced = self._restored.written(assignment.fleet, seen.replicas)
        rules = await self._rules.outcomes(self._table.rules, seen, sight.observation.ready)
        announced = self._memory.announced(self._table, now, self._memory.lead(self._table, self._default_lead))
        held = Held(self._schedule.held(self._table.windows, now), rules, announced)
        snapshot = dataclasses.replace(seen, written=written, written_from=replaced, held=held)
        return dataclasses.replace(sight, snapshot=snapshot)

    def _written_pauses(self, now: float) -> list[Draft]:
        """The kill switch in the cluster: what is written on workloads and namespaces, as orders for the next turn.

        This turn decides as it was told, and writes nothing: an order has come after its decision.
        """
        orders = self._around.orders(self._given, self._cluster.name, now)
        for one in orders:
            self.order(one)
        return [draft_order(one) for one in orders]

    def _forecast(self, sight: Sight) -> tuple[Float64s, Forecast]:
        lead = self._memory.lead(self._table, self._default_lead)
        self._restored.set_back(sight.snapshot.now)
        self._memory.learn(sight.snapshot, self._table, lead)
        return lead, self._memory.forecast(sight.snapshot.now)

    def _plan(
        self, sight: Sight, forecast: Forecast, lead: Float64s, decisions: Decisions
    ) -> tuple[Turn, tuple[Scale, ...]]:
        fleet = self._assignment.fleet
        versions = sight.observation.resource_versions
        commands = plan(decisions, sight.snapshot, fleet, self._table, versions, self._leadership.epoch)
        turn = Turn(
            number=self._restored.number + 1,
            fleet=fleet.digest,
            policies=self._table.digest,
            snapshot=sight.snapshot,
            forecast=forecast,
            lead=lead,
            ready=sight.observation.ready,
            decisions=decisions,
            planned=record.planned(commands, len(fleet)),
            state=self._memory.digest(),
            orders=self._orders.digest,
            learned=self._memory.capacities.learned(self._table.learning),
            floors=self._around.plan(decisions, sight.snapshot, fleet, self._table),
        )
        self._restored.number, self._restored.last = turn.number, turn
        return turn, commands

    def _verify(self, sight: Sight) -> tuple[Verdict, ...]:
        ready = sight.observation.ready
        index = self._assignment.fleet.index
        seen = {
            key: int(ready[index[key]])
            for key in self._restored.expectations
            if key in index and ready[index[key]] != UNKNOWN
        }
        verdicts = expectation.judge(self._restored.expectations, seen, sight.snapshot.now)
        self._restored.settle(verdicts)
        return verdicts

    def _record(
        self, drafts: Sequence[Draft], turn: Turn, verdicts: Sequence[Verdict], events: Sequence[Event]
    ) -> None:
        self._ledger.append([*drafts, *self._drafts(turn, verdicts, events)], self._leadership)

    def _drafts(self, turn: Turn, verdicts: Sequence[Verdict], events: Sequence[Event]) -> list[Draft]:
        now = turn.snapshot.now
        drafts = [record.draft_turn(turn, self._table.level[self._table.forecast])]
        if verdicts:
            drafts.append(record.draft_verdicts(turn.number, verdicts, now))
        drafts += [record.draft_event(event) for event in events]
        if len(turn.planned) <= checkpoints.WHOLE and checkpoints.due(turn.number, len(turn.planned)):
            drafts.append(record.draft_checkpoint(self._checkpoint(turn, self._memory.checkpoint()), now))
        return drafts

    def _beside(self, turn: Turn) -> record.Checkpoint | None:
        """The checkpoint of a large fleet, when one is due: written beside the turns that follow."""
        size = len(turn.planned)
        asked = size > checkpoints.WHOLE and checkpoints.due(turn.number, size)
        return self._checkpoint(turn, self._memory.decided()) if asked else None

    def _checkpoint(self, turn: Turn, memory: Columns) -> record.Checkpoint:
        return record.Checkpoint(turn.number, turn.fleet, tuple(self._restored.expectations.values()), memory)

    async def _act(self, commands: Sequence[Scale], turn: Turn) -> tuple[tuple[Result, ...], tuple[FloorResult, ...]]:
        assignment, sent_by, now = self._assignment, time.monotonic() + self._deadline, turn.snapshot.now
        paused = await self._around.paused_since(commands)

        def outdated(key: WorkloadKey) -> str:
            if not self._leadership.valid(time.monotonic()):
                return "the lease ran out before the write was sent"
            if self._next is not None or self._assignment is not assignment:
                return "the policies changed after the decision"
            if self._given is not self._followed:
                return "a person ordered something after the decision"
            if time.monotonic() > sent_by:
                return f"the decision is older than {self._deadline:g} s"
            return paused or self._around.withheld(key, now)

        def recheck(command: Scale) -> str:
            unclaimed = "" if command.key in self._claims else "the workload could not be claimed yet"
            return outdated(command.key) or unclaimed

        results, floors = await asyncio.gather(carry_out(self._cluster, commands, recheck), self._around.act(outdated))
        self._restored.expect(results)
        self._around.wrote(results, floors, now)
        drafts = [record.draft_results(turn.number, results, now)] if results else []
        drafts += [draft_floors(turn.number, floors, now)] if floors else []
        if drafts:
            await asyncio.to_thread(self._ledger.append, drafts, self._leadership)
        return results, floors

    @contextlib.contextmanager
    def _step(self, name: str) -> Iterator[None]:
        start = time.perf_counter()
        try:
            with self._tracer.span(name):
                yield
        finally:
            self._steps[name] = time.perf_counter() - start
