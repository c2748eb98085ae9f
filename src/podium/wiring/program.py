"""The loop with everything around it: leads, remembers, turns, follows its documents, forgets what is old."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

import structlog
from prometheus_client import CollectorRegistry

from podium.documents.collection import Documents
from podium.documents.problem import Invalid
from podium.ledger.errors import Permanent, StaleLeader, Temporary
from podium.ledger.lease import Leadership
from podium.ledger.ledger import Ledger
from podium.loop import shards
from podium.loop.binding import bind
from podium.loop.clusters.port import Containers
from podium.loop.cycle import Assignment, Cycle, Turned
from podium.loop.decide.table import Guards, Reactive
from podium.loop.drive import drive, lead
from podium.loop.early import Early
from podium.loop.modes.board import Board
from podium.loop.modes.neighbours import Neighbours
from podium.loop.orders.book import OrderBook
from podium.loop.policy import ScalingPolicy
from podium.loop.remember import backfill, checkpoints, record, samples
from podium.loop.remember.anew import new_memory
from podium.loop.remember.floors import namespaces
from podium.loop.remember.restore import Restored, restore
from podium.loop.rules.evaluate import Evaluator
from podium.loop.tabulate import Limits, tabulate
from podium.loop.tell import happened
from podium.loop.tell.live import Live
from podium.loop.tell.meters.meters import Meters
from podium.loop.tell.scene import Setting
from podium.loop.tell.tally import Tally
from podium.loop.tracing import UNTOLD
from podium.model import clock
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.settings import Loaded
from podium.signals.history.history import History
from podium.signals.observe import Observer
from podium.telemetry import traces
from podium.wiring import authority, installation
from podium.wiring.outside import World, metrics_source, pushed

PURGE_SECONDS = 3600.0
SAID_TURNS = 3.0  # without a turn in so many intervals, what was said to HPAs is nobody's word any more
SAID_SECONDS = 5.0  # and no sooner: the interval may be a second
UNREAD_SECONDS = 600.0  # without a question for a workload's metric: no HPA asks so seldom
KEEP_SECONDS = 5.0  # between two looks whether samples wait to be stored
log = structlog.get_logger()


def measured_containers(documents: Documents) -> frozenset[str]:
    """The containers whose own use some policy asks for, as in `cpu@app`."""
    return frozenset(
        f"{metric.container_resource.name}@{metric.container_resource.container}"
        for policy in documents.of(ScalingPolicy)
        for metric in policy.spec.metrics
        if metric.container_resource is not None
    )


def tenant_of(key: WorkloadKey) -> str:
    """A namespace is its own tenant until Tenant documents say otherwise."""
    return key.namespace


def assignment(loaded: Loaded, documents: Documents, cycle: Cycle, cluster: str) -> Assignment:
    """What a set of documents asks of the loop."""
    settings = loaded.value.loop
    return bind(
        documents,
        cluster,
        cycle.fleet,
        source_of=lambda kind, name: loaded.value.source(kind, name).name,
        tenant_of=tenant_of,
        guards=Guards(
            reduction_fraction=settings.max_reduction.fraction,
            reduction_window=settings.max_reduction.window,
            fall=settings.suspect.fall,
            share=settings.suspect.share,
            believe_after=settings.suspect.believe_after,
            level_memory=settings.suspect.window / 2,  # what was lost within the window stands out against it
        ),
        reactive=Reactive(
            tolerance=settings.reactive.tolerance,
            cpu_initialization_period=settings.reactive.cpu_initialization_period,
            initial_readiness_delay=settings.reactive.initial_readiness_delay,
        ),
        metrics_source=next(map(metrics_source, loaded.value.clusters)),
        owned=shards.owned(loaded.value.part),
        limits=Limits(settings.replicas.min, settings.replicas.max or Limits().maximum, settings.mode),
    )


class Program:
    """The loop with everything around it. `run` until cancelled; `live` is what the doors look at."""

    def __init__(
        self, loaded: Loaded, ledger: Ledger, documents: Documents, outside: World, *, take_over: bool = False
    ) -> None:
        self._take_over = take_over
        self._loaded = loaded
        self._ledger = ledger
        self.history = History(ledger.database, step_seconds=loaded.value.database.retention.metrics_step)
        self._documents = documents
        self._outside = outside
        self._cycle: Cycle | None = None
        self._assigned: Assignment | None = None
        self.registry = CollectorRegistry()
        self._tally = Tally()
        interval = loaded.value.loop.interval
        price, each = loaded.value.prices.price(), interval / outside.pace.speed
        self._meters = Meters(self.registry, loaded.value.telemetry.metrics, each, price=price)
        self._meters.ledger.of(ledger)
        self._spans = traces.SpanMeters(self.registry)
        self._tracer: traces.Traces | None = None
        setting = Setting(interval, outside.simulated, lambda: outside.pace.speed, outside.where, price)
        self.live = Live(ledger, setting, outside.pace)
        self.book = OrderBook(ledger, outside.pace, outside.sources)
        self.board = Board(max(SAID_TURNS * each, SAID_SECONDS))
        self._rules = Evaluator(loaded.value.loop.rules.limit)

    async def run(self) -> None:
        """Lead, remember, turn after turn. Lost leadership or a silent ledger: from the ledger again."""
        self._tracer = self._traces()
        try:
            await self._run()
        finally:
            await self._rules.close()
            if self._tracer is not None:
                await asyncio.to_thread(self._tracer.close)

    def _traces(self) -> traces.Traces | None:
        settings = self._loaded.value.telemetry.traces
        headers = self._loaded.reveal(settings.headers) if settings.headers and settings.endpoint else ""
        return traces.start(settings, headers, installation.holder(), self._spans)

    async def _run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._follow_documents())
            tasks.create_task(self._forget_old())
            tasks.create_task(self._keep_samples())
            if self._outside.events is not None:
                tasks.create_task(self._outside.events.run())
            while True:
                ended = ""
                try:
                    await self._led()
                except StaleLeader as error:
                    ended = "leadership"
                    log.warning("another leads", reason=str(error))
                except Temporary as error:
                    ended = "ledger"
                    # What cannot be recorded is not done; the memory may be ahead of the ledger by one turn.
                    log.warning("the ledger does not answer", reason=str(error))
                    self.live.note(f"the ledger does not answer, so nothing is decided: {error}")
                self._cycle = None
                self._meters.lost(ended)
                await asyncio.sleep(1.0)

    async def _led(self) -> None:
        settings = self._loaded.value.loop
        above = await self._highest_claim() if self._take_over else 0
        leadership = await lead(self._ledger, installation.holder(), settings.lease, self.live, above=above)
        self._meters.lead.gained(leadership)
        refilling = asyncio.create_task(self._refill())
        try:
            self.live.waiting("reading what was recorded")
            restored = await asyncio.to_thread(restore, self._ledger, new_memory())
            observer = Observer(self._outside.sources.values())
            cycle = Cycle(
                self._outside.cluster,
                observer,
                self._ledger,
                leadership,
                restored,
                default_lead_seconds=settings.lead_time,
                deadline_seconds=min(settings.interval, 10.0),
                tracer=self._tracer or UNTOLD,
                rules=self._rules,
                neighbours=await self._neighbours(leadership),
            )
            self._cycle = cycle
            self.book.open(cycle, leadership)
            self._assign(self._documents)
            if restored.number == 0 or restored.memory.untaught:
                await self._learn_past(restored, leadership)
            if restored.number:
                await asyncio.to_thread(self.live.recall, self._outside.pace())
            self.live.note(None)
            tracer = self._tracer or UNTOLD
            with self._early(observer, cycle) as early:
                await drive(cycle, self._outside.pace, settings.interval, self.live, self._after, tracer, early)
        finally:
            refilling.cancel()
            self.book.close()
            self.board.clear()
            with contextlib.suppress(Temporary, StaleLeader):
                if self._cycle is not None:
                    await self._cycle.close()
            with contextlib.suppress(Temporary, StaleLeader):
                leadership.release()

    @contextlib.contextmanager
    def _early(self, observer: Observer, cycle: Cycle) -> Iterator[Early | None]:
        """What brings turns forward; None where nothing is pushed, or the settings say that nothing does."""
        sources = pushed(self._outside.sources)
        if not sources or not self._loaded.value.loop.early:
            yield None
            return
        early = Early(observer, sources, cycle.fleet)
        with contextlib.ExitStack() as listening:
            for source in sources.values():
                listening.callback(source.listen(early.pushed))
            yield early

    async def _neighbours(self, leadership: Leadership) -> Neighbours:
        settings = self._loaded.value.loop
        return Neighbours(
            self._outside.surroundings,
            leadership.epoch,
            min(settings.interval, 10.0),
            settings.floor,
            settings.contest,
            remembered=await asyncio.to_thread(namespaces, self._ledger),
            unread=lambda key: self.board.unread(key, UNREAD_SECONDS),
        )

    async def _highest_claim(self) -> int:
        """The highest epoch that any workload of the documents carries: of a ledger that is gone."""
        (cluster,) = self._loaded.value.clusters
        keys = [policy.workload(cluster.name) for policy in self._documents.of(ScalingPolicy)]
        seen = await self._outside.cluster.observe(Fleet().revised({key: tenant_of(key) for key in keys}))
        return int(seen.epochs.max(initial=0))

    def _assign(self, documents: Documents) -> None:
        self._documents = documents
        if self._cycle is not None:
            (cluster,) = self._loaded.value.clusters
            self._assigned = assignment(self._loaded, documents, self._cycle, cluster.name)
            if isinstance(self._outside.cluster, Containers):
                self._outside.cluster.containers = measured_containers(documents)
            self._cycle.assign(self._assigned)

    async def _learn_past(self, restored: Restored, leadership: Leadership) -> None:
        """Learn what the sources remember, and record the memory that this gives.

        Before the very first turn, and after an earlier version whose forecasts remembered otherwise.
        """
        assigned, until = self._assigned, self._outside.pace()
        since = until - self._outside.history_seconds
        if assigned is None or not self._outside.history_seconds:
            return
        self.live.waiting("learning from recorded history")
        table = tabulate(assigned.policies, assigned.fleet)
        restored.memory.adopt(assigned.fleet)
        restored.memory.begin_anew(since)
        default = restored.memory.lead(table, self._loaded.value.loop.lead_time)
        learned = await backfill.backfill(
            restored.memory, table, self._outside.sources, assigned.signals, default, since, until
        )
        log.info("learned from history", days=round(learned / 86400, 1))
        memory = restored.memory
        pending, fleet = tuple(restored.expectations.values()), assigned.fleet
        checkpoint = record.Checkpoint(restored.number, fleet.digest, pending, memory.decided())
        known = memory.outlook.state(), until, None, memory.scores.checkpoint()
        await asyncio.to_thread(self._ledger.append, [record.draft_fleet(fleet, until)], leadership)
        await asyncio.to_thread(checkpoints.write, self._ledger, leadership, checkpoint, *known)

    def _after(self, turned: Turned, skipped: int) -> None:
        cycle, assigned = self._cycle, self._assigned
        if cycle is None or assigned is None:
            return
        self._meters.take(turned, skipped, cycle.assignment, turned.table)
        for event in turned.events:
            say = log.warning if event.type.endswith(".began") else log.info
            say(event.type, of=event.subject, **_words(str(event.data.get("words", ""))))
        if line := self._tally.add(turned):
            log.info("running", **line)
        self.board.put(turned, cycle.assignment.fleet)
        self.live.publish(turned, cycle.assignment, cycle.table)
        samples.keep(self.history, turned.turn, cycle.assignment.fleet)
        if self._outside.events is not None:
            self._outside.events.tell(happened.of(turned, cycle.assignment.fleet), self._outside.pace())
        for result in turned.results:
            command = result.command
            say = log.warning if result.fate == "failed" else log.debug  # a missing right is nobody's secret
            say("scaled" if result.fate == "written" else str(result.fate), workload=str(command.key),
                replicas=f"{command.current} -> {command.replicas}", **_words(result.words))  # fmt: skip

        for one in turned.floors:
            say = log.warning if one.fate == "failed" else log.debug
            say("floor " + ("set" if one.fate == "written" else str(one.fate)), workload=str(one.command.key),
                what=one.command.words, **_words(one.words))  # fmt: skip

    async def _forget_old(self) -> None:
        """Drop what is older than the settings keep. The chain stays provable."""
        kept = self._loaded.value.database.retention
        ages = installation.retained(kept)
        while True:
            await asyncio.sleep(PURGE_SECONDS)
            for kind, age in ages.items():
                before_us = clock.microseconds(self._outside.pace() - age)
                with contextlib.suppress(Temporary):  # next time
                    await asyncio.to_thread(self._ledger.purge, kind, before_us)
            with contextlib.suppress(Temporary):
                await asyncio.to_thread(self.history.purge, self._outside.pace() - kept.metrics)

    async def _refill(self) -> None:
        """Beside the first turns: what a leader before had not stored is taken from the ledger."""
        try:
            await asyncio.to_thread(samples.refill, self.history, self._ledger, self._outside.pace())
        except (Temporary, Permanent, KeyError, ValueError) as error:
            log.warning("samples of the last hour are lost to the history", reason=str(error))

    async def _keep_samples(self) -> None:
        """Store samples a window at a time. What cannot be stored now waits in memory, and the ledger holds it too."""
        while True:
            await asyncio.sleep(KEEP_SECONDS)
            if self.history.due:
                try:
                    await asyncio.to_thread(self.history.store)
                except Temporary as error:
                    log.warning("samples cannot be kept yet", reason=str(error))

    async def _follow_documents(self) -> None:
        followed = authority.followed(self._loaded, self._outside.events)
        async with contextlib.aclosing(followed.changes(self._documents)) as changes:
            async for change in changes:
                self._meters.documents(wrong=isinstance(change, Invalid))
                if isinstance(change, Invalid):
                    log.error("documents are wrong; the ones before stay in force", problems=str(change))
                    self.live.note(f"documents are wrong, the ones before stay in force: {change.problems[0]}")
                else:
                    log.info("documents changed", count=len(change))
                    self.live.note(None)
                    self._assign(change)


def _words(text: str) -> dict[str, Any]:
    return {"why": text} if text else {}
