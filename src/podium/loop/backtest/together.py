"""A back-test of an installation's own past: every workload under every policy, beside what really happened."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from podium.loop.backtest.answer import Answer, Rate, Row, answer, figures, row
from podium.loop.backtest.contender import Contender
from podium.loop.backtest.lived import Past
from podium.loop.backtest.replayed import history_minutes
from podium.loop.backtest.run import Field, Ran, Rules, backtest
from podium.loop.backtest.score import scores
from podium.loop.backtest.shadowed import added
from podium.loop.remember.memory import Memory
from podium.loop.simulate import Course

RECORDED = Contender("recorded", "recorded")


@dataclasses.dataclass(frozen=True, slots=True)
class Together:
    """The answer of each workload, and the sums of all."""

    answers: tuple[Answer, ...]
    rows: tuple[Row, ...]  # of all workloads together
    risk: float
    rate: Rate
    missing: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """`policies` of all workloads together, and the contract's answer of each."""
        return {
            "risk": self.risk,
            "policies": {one.name: figures(one, self.risk, self.rate) for one in self.rows},
            "workloads": {one.case.trace.name: one.as_json() for one in self.answers},
            "unseen": list(self.missing),
        }


def replay(
    past: Past,
    contenders: Sequence[Contender],
    new_memory: Callable[[], Memory],
    progress: Callable[[float], None] = lambda _: None,
) -> tuple[Field, list[Ran]]:
    """What every contender would have done over this past; what really happened comes first."""
    cases = [one.replayed for one in past.lived]
    field = Field([one.case for one in cases], Rules(history_minutes(cases)))
    ordered, ready = (
        np.column_stack([getattr(one.course, name)[:, 0] for one in cases]) for name in ("ordered", "ready")
    )
    course = Course(ordered, ready)
    recorded = Ran(RECORDED, course, scores(field.units, field.judged, course))
    return field, [recorded, *backtest(field, contenders, new_memory, progress)]


def together(past: Past, field: Field, ran: Sequence[Ran], risk: float, rate: Rate) -> Together:
    """The answers and their sums."""
    answers = tuple(answer(field, ran, risk, rate, one.replayed.notes, column) for column, one in enumerate(past.lived))
    rows = tuple(row(one.contender, added(one.scores)) for one in ran)
    return Together(answers, rows, risk, rate, past.missing)
