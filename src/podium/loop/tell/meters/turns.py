"""What turns did, counted and timed: steps, decisions with their reasons, commands, verdicts, events, unserved load."""

from __future__ import annotations

import itertools
import math

import numpy as np
from prometheus_client import CollectorRegistry, Counter, Histogram

from podium.loop.act.carry_out import Fate
from podium.loop.cycle import Turned
from podium.loop.decide.ahead import loads
from podium.loop.decide.table import PolicyTable
from podium.loop.modes.neighbours import Rival
from podium.loop.tell.meters.tenants import Tenants
from podium.model.arrays import UNKNOWN, Float64s, Int64s
from podium.model.decision import Reason
from podium.model.verdict import Outcome

STEPS = ("observe", "forecast", "decide", "verify", "record", "act")
DIRECTIONS = ("hold", "up", "down", "unknown")  # hold = 0, so that "of no direction" is what most slots are
CONDITIONS = (  # of podium.loop.tell.watch: what begins and ends
    "signal.lost", "cluster.lost", "workload.unread", "workload.unclaimed", "source.suspect", "source.frozen",
    "reduction.frozen", "dependency.failing", *map(str, Rival),
)  # fmt: skip
STEP_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
READY_SECONDS = (5, 10, 20, 30, 45, 60, 90, 120, 180, 300, 600, 1200, 1800)
ANSWER_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
LONGEST_SECONDS = 120.0  # between turns: what was not looked at for longer is unknown, and adds nothing


class TurnMeters:
    """Adds up one process's turns."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(name, words, labels, registry=registry)

        self._turns = counter("podium_turns", "Turns of the loop that were recorded.")
        self._skipped = counter("podium_turns_skipped", "Moments of the grid without a turn: missed ticks.")
        self._seconds = Histogram(
            "podium_turn_seconds", "How long a turn took, all its steps.", buckets=STEP_SECONDS, registry=registry
        )
        self._steps = Histogram(
            "podium_step_seconds",
            f"How long a step of a turn took (step: {', '.join(STEPS)}).",
            ["step"],
            buckets=STEP_SECONDS,
            registry=registry,
        )
        self._decisions = counter(
            "podium_decisions",
            "Decisions, one per workload and turn (direction: up, down, hold, unknown: nothing could be decided).",
            "direction",
        )
        self._reasons = counter(
            "podium_decision_reasons",
            "Reasons given, by the direction of the decision they belong to (reason: those of `podium explain`).",
            "direction",
            "reason",
        )
        self._commands = counter(
            "podium_commands",
            f"Commands by what became of them (direction: up, down; fate: {', '.join(Fate)}).",
            "direction",
            "fate",
        )
        self._verdicts = counter(
            "podium_verdicts",
            f"Ended expectations (direction: up, down; outcome: {', '.join(Outcome)}).",
            "direction",
            "outcome",
        )
        self._ready = Histogram(
            "podium_ready_seconds",
            "From the decision to enough ready pods, of scale-ups that were reached; on the loop's clock.",
            buckets=READY_SECONDS,
            registry=registry,
        )
        self._events = counter("podium_events", "Events, by type: what began and ended.", "type")
        self._questions = counter("podium_source_questions", "Distinct queries asked of a source.", "source")
        self._unanswered = counter("podium_source_errors", "Queries that were not answered or unusably.", "source")
        self._answers = Histogram(
            "podium_source_answer_seconds",
            "How long a source took for all queries of a turn.",
            ["source"],
            buckets=ANSWER_SECONDS,
            registry=registry,
        )
        self._served = _Balance(registry)
        for direction, fate in itertools.product(("up", "down"), Fate):
            self._commands.labels(direction, fate.value)
        for direction, outcome in itertools.product(("up", "down"), Outcome):
            self._verdicts.labels(direction, outcome.value)
        for condition, turn in itertools.product(CONDITIONS, ("began", "ended")):
            self._events.labels(f"{condition}.{turn}")
        for step in STEPS:
            self._steps.labels(step)
        for direction in DIRECTIONS:
            self._decisions.labels(direction)

    def take(self, turned: Turned, skipped: int, table: PolicyTable, tenants: Tenants) -> None:
        """Count one turn; `skipped` moments went by without one since the last."""
        self._turns.inc()
        self._skipped.inc(skipped)
        self._seconds.observe(sum(turned.step_seconds.values()))
        for step, seconds in turned.step_seconds.items():
            self._steps.labels(step).observe(seconds)
        self._take_decisions(turned, tenants)
        self._take_commands(turned)
        for event in turned.events:
            self._events.labels(event.type).inc()
        for health in turned.sight.health:
            self._questions.labels(health.name).inc(health.counts.questions)
            self._unanswered.labels(health.name).inc(health.counts.questions - health.counts.answered)
            if not math.isnan(health.seconds):
                self._answers.labels(health.name).observe(health.seconds)
        self._served.take(turned, table, tenants)

    def _take_decisions(self, turned: Turned, tenants: Tenants) -> None:
        direction = directions(turned.turn.decisions.replicas, turned.turn.snapshot.replicas)
        for number, count in enumerate(np.bincount(direction[tenants.occupied], minlength=len(DIRECTIONS)).tolist()):
            self._decisions.labels(DIRECTIONS[number]).inc(count)
        reasons, codes = turned.turn.decisions.reasons, int(max(Reason)) + 1
        counts = np.bincount(direction[reasons.slot] * codes + reasons.code)
        for cell in np.flatnonzero(counts).tolist():
            number, code = divmod(cell, codes)
            self._reasons.labels(DIRECTIONS[number], Reason(code).name.lower()).inc(int(counts[cell]))

    def _take_commands(self, turned: Turned) -> None:
        for result in turned.results:
            command = result.command
            self._commands.labels(_way(command.current, command.replicas), result.fate.value).inc()
        for verdict in turned.verdicts:
            expected = verdict.expectation
            way = _way(expected.before, expected.replicas)
            self._verdicts.labels(way, verdict.outcome.value).inc()
            if way == "up" and verdict.outcome is Outcome.REACHED:
                self._ready.observe(verdict.at - expected.since)


def directions(wanted: Int64s, current: Int64s) -> Int64s:
    """[n] which of DIRECTIONS each decision goes; unknown where there is none, or nothing to compare it with."""
    way = np.where(wanted > current, 1, np.where(wanted < current, 2, 0))
    return np.where((wanted == UNKNOWN) | (current == UNKNOWN), 3, way).astype(np.int64)


def _way(before: int, after: int) -> str:
    return "up" if after > before else "down"


class _Balance:
    """Replicas needed, there, and lacking, over time: whatever the unit of a load, it is so many replicas' worth."""

    def __init__(self, registry: CollectorRegistry) -> None:
        def counter(name: str, words: str) -> Counter:
            return Counter(name, words, ["tenant"], registry=registry)

        self._needed = counter(
            "podium_needed_replica_seconds", "Load over the capacity of a replica, added up over the loop's time."
        )
        self._unserved = counter(
            "podium_unserved_replica_seconds", "The part of the needed replica-seconds that no ready pod was there for."
        )
        self._ready = counter(
            "podium_ready_replica_seconds", "Ready pods of the same workloads, added up over the loop's time."
        )
        self._at = math.nan

    def take(self, turned: Turned, table: PolicyTable, tenants: Tenants) -> None:
        """The time since the last turn, at what this turn saw; a load or a capacity that is unknown adds nothing."""
        now = turned.turn.snapshot.now
        since, self._at = now - self._at, now
        if not 0 < since <= LONGEST_SECONDS:  # NaN at the first turn
            return
        ready = turned.turn.ready
        needed = _needed(turned, table)
        known = ~np.isnan(needed) & (ready != UNKNOWN)
        there = np.where(known, ready, np.nan)
        for counter, values in (
            (self._needed, np.where(known, needed, np.nan)),
            (self._unserved, np.where(known, np.maximum(needed - ready, 0.0), np.nan)),
            (self._ready, there),
        ):
            for tenant, total in zip(tenants.names, tenants.summed(values).tolist(), strict=True):
                counter.labels(tenant).inc(total * since)


def _needed(turned: Turned, table: PolicyTable) -> Float64s:
    """[n] the load in replicas' worth; NaN where the load or the capacity is unknown."""
    with np.errstate(divide="ignore", invalid="ignore"):
        needed = loads(turned.turn.snapshot, table) / table.capacity
    return np.where(np.isfinite(needed), needed, np.nan)
