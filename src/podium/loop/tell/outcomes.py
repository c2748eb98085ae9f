"""What became of commands: their fates and the verdicts on them, in words."""

from __future__ import annotations

import collections
from collections.abc import Iterable

from podium.ledger.entry import Entry
from podium.loop.act.carry_out import Fate, Result
from podium.loop.remember import record
from podium.model import clock
from podium.model.identity import WorkloadKey
from podium.model.verdict import Outcome, Verdict


class Outcomes:
    """Fates and verdicts, gathered from ledger entries that follow the turns they belong to."""

    def __init__(self, newer: Outcomes | None = None) -> None:
        """`newer` knows what the entries at hand do not reach."""
        self._newer = newer
        self._results: dict[tuple[int, WorkloadKey], Result] = {}
        self._verdicts: dict[WorkloadKey, list[Verdict]] = collections.defaultdict(list)

    def add(self, entry: Entry) -> None:
        """Take in an entry of results or verdicts."""
        if entry.purged:
            return
        if entry.kind == record.RESULTS:
            self.learn(int(entry.subject), record.read_results(entry), ())
        else:
            self.learn(0, (), record.read_verdicts(entry))

    def learn(self, number: int, results: Iterable[Result], verdicts: Iterable[Verdict]) -> None:
        """Take in the fates of the commands of turn `number`, and verdicts on any."""
        for result in results:
            self._results[number, result.command.key] = result
        for verdict in verdicts:
            self._verdicts[verdict.expectation.key].append(verdict)

    def forget(self, before: int, at: float) -> None:
        """Drop what belongs to turns before number `before`, which was at `at`."""
        self._results = {one: result for one, result in self._results.items() if one[0] >= before}
        recent = {key: [one for one in told if one.expectation.since >= at] for key, told in self._verdicts.items()}
        self._verdicts = collections.defaultdict(list, {key: told for key, told in recent.items() if told})

    def of(self, number: int, at: float, key: WorkloadKey) -> str:
        """What became of the command of turn `number` at `at`, in words; "" while nothing is known."""
        result, verdict = self.known(number, at, key)
        if self._newer is not None:
            newer = self._newer.known(number, at, key)
            result, verdict = result or newer[0], verdict or newer[1]
        if result is None:
            return ""
        if result.fate is not Fate.WRITTEN:
            return f"{result.fate}: {result.words}"
        if verdict is None:
            return "written"
        took = clock.duration(round(verdict.at - verdict.expectation.since))
        if verdict.outcome is Outcome.REACHED:
            return f"reached after {took}"
        return f"late: {verdict.ready} of {verdict.expectation.replicas} ready after {took}"

    def known(self, number: int, at: float, key: WorkloadKey) -> tuple[Result | None, Verdict | None]:
        """The fate of that command, and the verdict on it."""
        verdicts = [one for one in self._verdicts.get(key, ()) if one.expectation.since == at]
        return self._results.get((number, key)), verdicts[0] if verdicts else None
