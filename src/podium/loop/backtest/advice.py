"""What would change for every workload of a cluster, and why: its history replayed under Podium, beside what it did."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from podium.loop.backtest.answer import Rate
from podium.loop.backtest.chart import percent
from podium.loop.backtest.contender import parse
from podium.loop.backtest.replayed import Replayed, history_minutes
from podium.loop.backtest.run import Field, Ran, Rules, backtest
from podium.loop.backtest.score import Score
from podium.loop.prices.price import total
from podium.loop.remember.memory import Memory

MONTH_HOURS = 730.0  # a twelfth of a year
SMALL = 0.02  # a change of cost below it is none


@dataclasses.dataclass(frozen=True, slots=True)
class Advice:
    """One workload: what was, what would be, and why."""

    replayed: Replayed
    was: Score
    would: Score
    replicas: tuple[int, int, int, int]  # least and most: recorded, then Podium's
    rate: Rate
    risk: float

    @property
    def name(self) -> str:
        """`shop/deployment/web`."""
        subject = self.replayed.recorded.subject
        return f"{subject.namespace}/{subject.kind}/{subject.name}"

    @property
    def saved_hours(self) -> float:
        """Replica-hours that a month would cost less; negative: more."""
        judged = float(self.was.minutes.sum()) / 60
        return (self.was.replica_hours - self.would.replica_hours) * MONTH_HOURS / judged

    @property
    def saved_micro(self) -> int | None:
        """The same in money; None without prices and requests."""
        return total(self.rate.micro, self.saved_hours)

    @property
    def at_risk(self) -> float:
        """Share of the load that found no capacity, beyond what may."""
        return max(self.was.unserved_fraction - self.risk, 0.0)

    def reasons(self) -> list[str]:
        """Why, in sentences."""
        return list(_reasons(self))

    def as_json(self) -> dict[str, Any]:
        """Everything, with both sides' figures."""
        hpa = self.replayed.recorded.hpa
        return {
            "workload": self.name,
            "hpa": hpa.name if hpa else None,
            "was": _figures(self.was, self.replicas[:2]),
            "would": _figures(self.would, self.replicas[2:]),
            "saved_replica_hours_a_month": self.saved_hours,
            "saved_micro_a_month": self.saved_micro,
            "currency": self.rate.currency or None,
            "reasons": self.reasons(),
            "notes": list(self.replayed.notes),
        }


def _figures(score: Score, replicas: Sequence[int]) -> dict[str, Any]:
    return {
        "replicas": {"least": replicas[0], "most": replicas[1]},
        "replica_hours": score.replica_hours,
        "unserved_fraction": score.unserved_fraction,
        "changes": int(score.changes.sum()),
    }


def _reasons(one: Advice) -> list[str]:
    was, would = one.was, one.would
    out = []
    use = float(was.load.sum()) / max(float(was.paid.sum()), 1.0)
    change = would.replica_hours / max(was.replica_hours, 1e-9) - 1
    if change < -SMALL:
        out.append(f"its replicas were used to {use:.0%}; {-change:.0%} fewer replica-hours would have served the load")
    elif change > SMALL:
        out.append(f"{change:.0%} more replica-hours are needed")
    else:
        out.append("about as many replica-hours as now")
    if was.unserved_fraction > one.risk:
        out.append(
            f"{percent(was.unserved_fraction)} of the load found no capacity in {was.violation_minutes} minutes; "
            f"{percent(would.unserved_fraction)} would have"
        )
    elif would.unserved_fraction > max(was.unserved_fraction, one.risk / 10):
        missed, may = percent(would.unserved_fraction), percent(one.risk)
        out.append(f"{missed} of the load would have found no capacity, of {may} that may")
    if would.unserved_fraction > one.risk:
        out.append(f"the asked {percent(one.risk)} would have been missed: bursts came faster than a replica starts")
    low, high = one.replicas[:2]
    if low == high:
        out.append(f"it always had {low} replicas")
    return out


def advise(
    found: Sequence[Replayed],
    risk: float,
    rate_of: Callable[[Replayed], Rate],
    new_memory: Callable[[], Memory],
    progress: Callable[[float], None] = lambda _: None,
) -> list[Advice]:
    """Replay every workload under Podium, all in one pass; those that save most come first."""
    if not found:
        return []
    field = Field([one.case for one in found], Rules(history_minutes(list(found))))
    (podium,) = backtest(field, [parse("podium", risk)], new_memory, progress)
    out = []
    for column, one in enumerate(found):
        was = one.ran(field, column)
        (score,) = was.scores
        rows = np.flatnonzero(field.judged[:, column])
        replicas = (*_least_and_most(was, rows, 0), *_least_and_most(podium, rows, column))
        out.append(Advice(one, score, podium.scores[column], replicas, rate_of(one), risk))
    return sorted(out, key=lambda advice: (-(advice.saved_micro or 0), -advice.saved_hours))


def _least_and_most(ran: Ran, rows: np.ndarray[tuple[int], np.dtype[np.int64]], column: int) -> tuple[int, int]:
    replicas = ran.course.ordered[rows, column]
    return int(replicas.min()), int(replicas.max())
