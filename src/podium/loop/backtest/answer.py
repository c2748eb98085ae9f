"""The answer of a back-test as it is printed and sent: figures by policy, in replica-hours and in money."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from podium.loop.backtest.chart import Point, draw, percent
from podium.loop.backtest.contender import Contender
from podium.loop.backtest.likely import Likely, draws, likely
from podium.loop.backtest.run import Case, Field, Ran
from podium.loop.backtest.score import Score
from podium.loop.backtest.trace import DAY, MINUTE
from podium.loop.prices.price import total
from podium.model.arrays import UNKNOWN
from podium.model.clock import duration, rfc3339


@dataclasses.dataclass(frozen=True, slots=True)
class Rate:
    """What a replica costs an hour, in micro-units of a currency; UNKNOWN without prices."""

    micro: int = UNKNOWN
    currency: str = ""
    source: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One policy's figures."""

    name: str
    kind: str
    score: Score
    likely: Likely | None  # None: too few days were judged


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """A back-test of one case."""

    case: Case
    risk: float
    judged: tuple[float, float]  # Unix seconds: from, until
    rows: tuple[Row, ...]
    rate: Rate
    notes: tuple[str, ...]

    def as_json(self) -> dict[str, Any]:
        """The contract's fields, and what they rest on."""
        trace = self.case.trace
        return {
            "series": trace.name,
            "capacity": self.case.capacity,
            "startup_seconds": self.case.startup_seconds,
            "risk": self.risk,
            "judged": {
                "from": rfc3339(self.judged[0]),
                "until": rfc3339(self.judged[1]),
                "minutes": int(self.rows[0].score.minutes.sum()) if self.rows else 0,
            },
            "cut_minutes": trace.cut_minutes,
            "currency": self.rate.currency or None,
            "prices": self.rate.source or None,
            "policies": {row.name: figures(row, self.risk, self.rate) for row in self.rows},
            "notes": list(self.notes),
        }

    def verdict(self) -> str:
        """One sentence: which policy keeps to the risk at the least cost."""
        return verdict(self.rows, self.risk)

    def chart(self) -> str:
        """Cost against unserved load, as SVG."""
        days = duration(round((self.judged[1] - self.judged[0]) / 3600) * 3600)
        return draw(
            f"{self.case.trace.name}: what each policy would have cost",
            f"{days} judged, a new replica serves after {duration(self.case.startup_seconds)}; "
            "left is cheaper, down is safer",
            [Point(row.name, row.kind, row.score.cost, row.score.unserved_fraction) for row in self.rows],
            self.risk,
        )


def verdict(rows: Sequence[Row], risk: float) -> str:
    """One sentence: which policy keeps to the risk at the least cost."""
    able = [row for row in rows if row.score.unserved_fraction <= risk and row.kind != "oracle"]
    if not any(row.kind != "oracle" for row in rows):
        return "The oracle knows the future; name a policy to compare with it."
    if not able:
        return f"No policy keeps the unserved load to {percent(risk)}."
    best = min(able, key=lambda row: row.score.replica_hours)
    return f"Of those that keep the unserved load to {percent(risk)}, {best.name} costs least."


def figures(row: Row, risk: float, rate: Rate) -> dict[str, Any]:
    """The contract's fields of one policy."""
    score = row.score
    return {
        "unserved_fraction": score.unserved_fraction,
        "violation_minutes": score.violation_minutes,
        "replica_hours": score.replica_hours,
        "oracle_replica_hours": score.oracle_replica_hours,
        "reserve_replica_hours": score.reserve_hours,
        "changes": int(score.changes.sum()),
        "cost_ratio": score.cost,
        "within_risk": score.unserved_fraction <= risk,
        "cost_micro": total(rate.micro, score.replica_hours),
        "reserve_cost_micro": None if score.reserve_hours is None else total(rate.micro, score.reserve_hours),
        "likely": None if row.likely is None else row.likely.as_json(),
    }


def answer(field: Field, ran: Sequence[Ran], risk: float, rate: Rate, notes: Sequence[str], column: int = 0) -> Answer:
    """The answer of one case of a back-test, the first unless said otherwise."""
    last = int(field.judged[:, column].nonzero()[0][-1])
    first = int(field.judged[:, column].nonzero()[0][0])
    begin = field.first * MINUTE
    return Answer(
        field.cases[column],
        risk,
        (begin + first * MINUTE, begin + (last + 1) * MINUTE),
        tuple(row(one.contender, one.scores[column]) for one in ran),
        rate,
        tuple(notes),
    )


def row(contender: Contender, score: Score) -> Row:
    """One policy's figures, with how far they hang on the days."""
    return Row(contender.name, contender.kind, score, likely(score, draws(_whole_days(score))))


def _whole_days(score: Score) -> int:
    """Days to draw from: the last one counts unless it is but a part, which would weigh as much as a whole one."""
    days = len(score.minutes)
    return days if not days or score.minutes[-1] >= DAY // 2 else days - 1
