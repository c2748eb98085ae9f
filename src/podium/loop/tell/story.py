"""Telling what was decided and why: recorded turns as rows and sentences for people."""

from __future__ import annotations

import collections
import math

import numpy as np

from podium.ledger.entry import Entry
from podium.ledger.ledger import Ledger
from podium.loop import unbuilt
from podium.loop.act.carry_out import Fate, Result
from podium.loop.cycle import Assignment, Turned
from podium.loop.remember import record
from podium.loop.remember.record import Turn
from podium.loop.remember.restore import Library
from podium.loop.tabulate import Policies
from podium.loop.tell import standing, words
from podium.loop.tell.view import DecisionRow, Explanation
from podium.model import clock
from podium.model.arrays import UNKNOWN
from podium.model.decision import Reason
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.verdict import Outcome, Verdict

# Said only when nothing else is: every decision starts from what is there.
PLAIN = frozenset({Reason.OBSERVED})

# How the forecast stands: it moves no number, so it is never the cause of one.
REMARKS = frozenset({Reason.FORECAST_ABSENT, Reason.FORECAST_UNTRUSTED})


class Outcomes:
    """Fates and verdicts, gathered from ledger entries that follow the turns they belong to."""

    def __init__(self) -> None:
        self._results: dict[tuple[int, WorkloadKey], Result] = {}
        self._verdicts: dict[WorkloadKey, list[Verdict]] = collections.defaultdict(list)

    def add(self, entry: Entry) -> None:
        """Take in an entry of results or verdicts."""
        if entry.purged:
            return
        if entry.kind == record.RESULTS:
            for result in record.read_results(entry):
                self._results[int(entry.subject), result.command.key] = result
        else:
            for verdict in record.read_verdicts(entry):
                self._verdicts[verdict.expectation.key].append(verdict)

    def of(self, turn: Turn, key: WorkloadKey) -> str:
        """What became of a turn's command, in words; "" while nothing is known."""
        result = self._results.get((turn.number, key))
        if result is None:
            return ""
        if result.fate is not Fate.WRITTEN:
            return f"{result.fate}: {result.words}"
        for verdict in self._verdicts[key]:
            if verdict.expectation.since == turn.snapshot.now:
                took = clock.duration(round(verdict.at - verdict.expectation.since))
                if verdict.outcome is Outcome.REACHED:
                    return f"reached after {took}"
                return f"late: {verdict.ready} of {verdict.expectation.replicas} ready after {took}"
        return "written"


class Teller:
    """One recorded turn, told workload by workload."""

    def __init__(
        self, turn: Turn, epoch: int, actor: str, fleet: Fleet, policies: Policies, outcomes: Outcomes
    ) -> None:
        self._turn = turn
        self._epoch = epoch
        self._actor = actor
        self._fleet = fleet
        self._policies = policies
        self._outcomes = outcomes

    def changed(self, slot: int) -> bool:
        """Did the decision want something else than what was there?"""
        wanted, now = self._turn.decisions.replicas[slot], self._turn.snapshot.replicas[slot]
        return bool(min(wanted, now) != UNKNOWN and wanted != now)

    def row(self, slot: int) -> DecisionRow:
        """The decision of one slot."""
        turn = self._turn
        key = self._fleet.slots[slot].key
        planned = turn.planned[slot] != UNKNOWN
        outcome = self._outcomes.of(turn, key) if key is not None and planned else ""
        if self.changed(slot) and not planned:
            outcome = "recommended"
        return DecisionRow(
            tick=turn.number,
            at=turn.snapshot.now,
            key=str(key),
            before=_count(turn.snapshot.replicas[slot]),
            wanted=_count(turn.decisions.replicas[slot]),
            changed=self.changed(slot),
            actor=self._actor,
            epoch=self._epoch,
            policy_digest=turn.policies,
            reasons=self.reasons(slot),
            outcome=outcome,
        )

    def reasons(self, slot: int) -> tuple[str, ...]:
        """Why, in the order the policies spoke."""
        return self._said(slot, PLAIN) or self._said(slot, frozenset())

    def cause(self, slot: int) -> str:
        """The last reason that had a say in the number."""
        said = self._said(slot, PLAIN | REMARKS) or self.reasons(slot)
        return said[-1] if said else "nothing asks for another number"

    def _said(self, slot: int, left_out: frozenset[Reason]) -> tuple[str, ...]:
        reasons = self._turn.decisions.reasons
        key = self._fleet.slots[slot].key
        policy = self._policies.documents.get(key) if key else None
        rows = np.flatnonzero(reasons.slot == slot).tolist()
        said = [row for row in rows if reasons.code[row] not in left_out]
        return tuple(
            words.sentence(
                int(reasons.code[row]),
                int(reasons.metric[row]),
                (float(reasons.a[row]), float(reasons.b[row]), float(reasons.c[row])),
                policy.spec if policy else None,
                self._turn.snapshot.sources,
            )
            for row in said
        )

    def _unit(self, slot: int, signal: str) -> str:
        key = self._fleet.slots[slot].key
        return "" if key is None else self._policies.unit(key, signal)

    def inputs(self, slot: int) -> dict[str, str]:
        """What the decision saw: replicas, pods, each signal with its age, the lead time, the forecast's standing."""
        turn, snapshot = self._turn, self._turn.snapshot
        seen = {
            "replicas": "unknown"
            if snapshot.replicas[slot] == UNKNOWN
            else f"{snapshot.replicas[slot]} asked for, {max(turn.ready[slot], 0)} ready",
            "lead time": clock.duration(round(float(turn.lead[slot]))),
        }
        for name, level in snapshot.signals.items():
            if level.source[slot] == UNKNOWN:
                continue
            source = snapshot.sources[level.source[slot]]
            if math.isnan(level.value[slot]):
                seen[name] = f"unknown (source {source})"
            else:
                age = clock.duration(round(max(snapshot.now - float(level.at[slot]), 0.0)))
                value = words.measured(float(level.value[slot]), self._unit(slot, name))
                seen[name] = f"{value} from {source}, {age} old"
        coverage = float(turn.forecast.coverage[slot])
        standing = "trusted" if turn.forecast.trusted[slot] else "not trusted"
        seen["forecast"] = standing + ("" if math.isnan(coverage) else f", held in {100 * coverage:.1f} % of cases")
        seen["policy"] = turn.policies[:12]
        return seen


def explain(ledger: Ledger, library: Library, key: str, at: float | None) -> Explanation:
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
    teller = Teller(turn, entry.epoch, entry.actor, fleet, library.policies(turn.policies), outcomes)
    row = teller.row(slot)
    return Explanation(decision=row, sentence=_sentence(row, teller.cause(slot)), inputs=teller.inputs(slot))


def _sentence(row: DecisionRow, why: str) -> str:
    name = row.key.rsplit("/", 1)[-1]
    if row.wanted is None or row.before is None:
        return f"Nothing was decided for {name}: {why}."
    if not row.changed:
        return f"{name} keeps {row.before} replicas: {why}."
    return f"{name} goes from {row.before} to {row.wanted} replicas: {why}."


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


def troubles(turned: Turned, assignment: Assignment, slot: int) -> tuple[str, ...]:
    """Why a workload is not led as its policy asks, in words."""
    key = assignment.fleet.slots[slot].key
    said = []
    if key is not None and key in turned.sight.observation.troubles:
        said.append(turned.sight.observation.troubles[key])
    if key is not None and key in turned.unclaimed:
        said.append(f"not led: {turned.unclaimed[key]}")
    policy = assignment.policies.documents.get(key) if key else None
    if policy is not None and (unserved := unbuilt.not_yet(policy.spec)):
        said.append(f"this version does not act on {', '.join(unserved)} yet")
    results = [result for result in turned.results if result.command.key == key and result.fate is not Fate.WRITTEN]
    return (*said, *(f"{result.fate}: {result.words}" for result in results))


def _count(value: np.int64) -> int | None:
    return None if value == UNKNOWN else int(value)
