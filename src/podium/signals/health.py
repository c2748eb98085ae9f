"""How each source is, judged from one round of questions. Whether it lies or froze is judged later, from the arrays."""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Sequence

from podium.signals.ask import Answer
from podium.signals.source import Garbage, Late, Permanent, Reading, Temporary


class State(enum.StrEnum):
    """What a source did when it was asked."""

    OK = "ok"  # it answered; an empty answer is one
    SILENT = "silent"  # it did not answer, or nothing new for longer than allowed
    BROKEN = "broken"  # it answered what cannot be used, or refuses the question


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """What became of the series of one round."""

    questions: int = 0  # distinct queries
    answered: int = 0  # of them
    late: int = 0  # more of them: there was no answer in time, and what came later was dropped
    series: int = 0  # in the answers
    unplaced: int = 0  # more of them, with labels of neither a pod nor a workload
    matched: int = 0  # belong to the fleet and to the namespace that asked
    stale: int = 0  # of the matched: too old
    garbage: int = 0  # of the matched: not finite, negative, or from the future
    unmeasured: int = 0  # pods that should have had a series

    def __add__(self, other: Counts) -> Counts:
        names = [field.name for field in dataclasses.fields(Counts)]
        return Counts(**{name: getattr(self, name) + getattr(other, name) for name in names})


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """One source after one round."""

    name: str
    state: State
    since: float  # when it entered that state, Unix seconds
    words: str  # one plain sentence, with the URL; "" when all is well
    counts: Counts
    seconds: float = float("nan")  # how long all its questions of the round took; NaN: it was not asked

    @property
    def answered(self) -> bool:
        """Whether every question of this round was answered."""
        return self.counts.answered == self.counts.questions


def counted(answers: Sequence[Answer]) -> Counts:
    """The part of the counts that needs no fleet."""
    readings = [answer for answer in answers if isinstance(answer, Reading)]
    return Counts(
        questions=len(answers),
        answered=len(readings),
        late=sum(isinstance(answer, Late) for answer in answers),
        series=sum(len(reading.subjects) for reading in readings),
        unplaced=sum(reading.unplaced for reading in readings),
    )


def judged(
    name: str,
    before: Health | None,
    answers: Sequence[Answer],
    counts: Counts,
    now: float,
    seconds: float = float("nan"),
) -> Health:
    """The health of one source after a round; `before` is the round before."""
    state, words = _state(answers, counts)
    since = before.since if before is not None and before.state is state else now
    told = words and f"{name}: {words}"
    return Health(name=name, state=state, since=since, words=told, counts=counts, seconds=seconds)


def _state(answers: Sequence[Answer], counts: Counts) -> tuple[State, str]:
    errors = [answer for answer in answers if isinstance(answer, Exception)]
    # What cannot be used says more than silence, and is told first.
    for error in sorted(errors, key=lambda error: not _is_broken(error)):
        share = f" ({len(errors)} of {len(answers)} queries failed)" if len(answers) > 1 else ""
        return State.BROKEN if _is_broken(error) else State.SILENT, _said(error) + share
    bad = counts.stale + counts.garbage
    if counts.matched and counts.garbage == counts.matched:
        return State.BROKEN, f"all {counts.matched} values are not finite, negative, or from the future"
    if counts.matched and bad == counts.matched:
        return State.SILENT, f"nothing new: all {counts.matched} values are older than allowed"
    notes = dict.fromkeys(note for answer in answers if isinstance(answer, Reading) for note in answer.notes)
    return State.OK, "; ".join([*_remarks(counts), *notes])


def _is_broken(error: Exception) -> bool:
    return isinstance(error, Garbage) or not isinstance(error, Temporary)


def _said(error: Exception) -> str:
    if isinstance(error, Temporary | Permanent):
        return str(error)
    return f"a fault in the source's own program: {type(error).__name__}: {error}"


def _remarks(counts: Counts) -> list[str]:
    """What is odd about answers that are fine on the whole."""
    if counts.questions and not counts.series + counts.unplaced:
        return ["answered, with no series at all"]
    out = [
        f"{number} {what}"
        for number, what in (
            (counts.unplaced, "series name neither a namespace nor a pod or workload in their labels"),
            (counts.garbage, "values are not finite, negative, or from the future"),
            (counts.stale, "values are older than allowed"),
            (counts.unmeasured, "ready pods are not measured, so the values of their workloads are unknown"),
        )
        if number
    ]
    if counts.series and not counts.matched:
        out.append(f"none of {counts.series} series belongs to a workload that asked")
    return out
