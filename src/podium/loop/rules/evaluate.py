"""Every rule of the fleet in one turn: which hold, which do not, which nobody can say, and which took too long."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

import numpy as np

from podium.documents import cel
from podium.loop.conditions import KNOWN
from podium.loop.decide.table import Rules
from podium.loop.rules.asked import Job, Worker
from podium.loop.rules.plain import condition
from podium.model.arrays import UNKNOWN, Float64s, Int32s, Int64s
from podium.model.snapshot import Holds, Int8s, Snapshot

LONGEST_REST = 40  # turns until an expression that took too long is tried again, at most: ten minutes


class Evaluator:
    """Asks all rules once a turn, within `limit_seconds` together. What is unknown to a rule makes it unknown."""

    def __init__(self, limit_seconds: float, worker: Worker | None = None) -> None:
        self._limit = limit_seconds
        self._worker = worker or Worker()
        self._slow: dict[str, tuple[int, int]] = {}  # text -> (turns it rests at a time, turns left)

    async def outcomes(self, rules: Rules, snapshot: Snapshot, ready: Int64s) -> Int8s:
        """[r] what became of each row's condition, as `Holds`. `ready` [n] are the pods that serve."""
        out = np.full(len(rules.slots), Holds.UNKNOWN, np.int8)
        jobs: list[tuple[Int64s, Job]] = []
        by_expression = np.argsort(rules.expression, kind="stable")
        ends = np.searchsorted(rules.expression[by_expression], np.arange(len(rules.expressions) + 1))
        for number, text in enumerate(rules.expressions):
            rows = by_expression[ends[number] : ends[number + 1]]
            names, columns = _values(text, rules.names[number], rules.slots[rows], snapshot, ready)
            known = ~np.isnan(columns).any(axis=0)
            rows, columns = rows[known], columns[:, known]
            plain = condition(text)
            if not len(rows) or (plain is not None and not set(names).issuperset(cel.words(text))):
                continue  # without a value, or of a name that nobody knows
            if plain is not None:
                with np.errstate(over="ignore", invalid="ignore"):
                    answer = np.broadcast_to(plain(dict(zip(names, columns, strict=True))), (len(rows),))
                out[rows] = np.where(answer, Holds.YES, Holds.NO)
            elif self._rests(text):
                out[rows] = Holds.TOO_LONG
            else:
                jobs.append((rows, Job(text, names, columns, len(rows))))
        await self._ask(jobs, out)
        return out

    async def close(self) -> None:
        """End the worker."""
        await self._worker.close()

    def _rests(self, text: str) -> bool:
        rest, left = self._slow.get(text, (0, 0))
        if left > 0:
            self._slow[text] = rest, left - 1
        return left > 0

    async def _ask(self, jobs: Sequence[tuple[Int64s, Job]], out: Int8s) -> None:
        # Those that took too long before come last: they may keep nobody else from an answer.
        ordered = sorted(jobs, key=lambda pair: self._slow.get(pair[1].text, (0, 0))[0])
        answers = await self._worker.ask([job for _, job in ordered], self._limit)
        late = False
        for (rows, job), answer in zip(ordered, answers, strict=True):
            if answer is not None:
                out[rows] = answer
                self._slow.pop(job.text, None)
            elif not late:
                late = True
                out[rows] = Holds.TOO_LONG
                rest = min(2 * self._slow.get(job.text, (1, 0))[0], LONGEST_REST)
                self._slow[job.text] = rest, rest
            # Those behind it were not asked: they stay unknown, and have their turn in the next one.


def _values(
    text: str, signals: Sequence[str], slots: Int32s, snapshot: Snapshot, ready: Int64s
) -> tuple[tuple[str, ...], Float64s]:
    """(names as the expression writes them, [names, rows] their values); NaN where one is unknown."""
    words = set(cel.words(text))
    names: list[str] = []
    columns: list[Float64s] = []
    for spoken, name in cel.spoken(signals).items():
        level = snapshot.signals.get(name)
        names.append(spoken)
        columns.append(np.full(len(slots), np.nan) if level is None else level.value[slots])
    for name, value in zip(KNOWN, (snapshot.replicas, ready, *parts(snapshot.now)), strict=True):
        if name in words:
            names.append(name)
            columns.append(_count(value[slots]) if isinstance(value, np.ndarray) else np.full(len(slots), value))
    return tuple(names), np.array(columns, np.float64).reshape(len(names), len(slots))


def _count(value: Int64s) -> Float64s:
    return np.where(value == UNKNOWN, np.nan, value)


def parts(now: float) -> tuple[float, float, float, float, float]:
    """Minute, hour, weekday (0 is Sunday), day and month of a moment, in UTC."""
    moment = datetime.datetime.fromtimestamp(now, datetime.UTC)
    whole = moment.minute, moment.hour, moment.isoweekday() % 7, moment.day, moment.month
    return tuple(float(one) for one in whole)  # type: ignore[return-value]
