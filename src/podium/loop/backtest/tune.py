"""Settings that a workload's own history justifies: tried on the first part of it, judged on the rest.

Tried are, each with each: the risk that the forecast is asked for, how long a scale-down waits, and the fewest
replicas. Chosen is, on the first part, the cheapest that keeps to the asked risk; of those that cost about as much, the
one that changes least. It is proposed only when it is better on the rest, too: cheaper with 95 % confidence without
leaving more unserved than may be, or within the risk where the present settings are not.
"""

from __future__ import annotations

import copy
import dataclasses
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from podium.loop.backtest.contender import Contender, Limits
from podium.loop.backtest.likely import FEWEST_DAYS, Interval, draws, saved
from podium.loop.backtest.lived import Lived
from podium.loop.backtest.run import Field, Rules, Unfit, backtest
from podium.loop.backtest.score import Score, oracle_replicas
from podium.loop.backtest.trace import DAY
from podium.loop.remember.memory import Memory

RISKS = (0.25, 0.5, 1.0, 2.0, 4.0)  # times the asked one
WINDOWS = (60, 300, 600)  # seconds that a scale-down waits
PLATEAU = 0.005  # costs that differ by less are alike
SPARE = 1.25  # of the highest need: where the most replicas would have been too few
FEWEST_JUDGED = FEWEST_DAYS + 2
HISTORY = 7 * DAY


class TooShort(Unfit):
    """A history of which no two parts can be made."""


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """One candidate."""

    risk: float
    window: int
    minimum: int
    maximum: int

    def spec(self, behavior: Mapping[str, Any]) -> dict[str, Any]:
        """What of a policy it sets, over the present `behavior`."""
        whole = copy.deepcopy(dict(behavior))
        whole.setdefault("scaleDown", {})["stabilizationWindowSeconds"] = self.window
        return {
            "objective": {"unservedFraction": self.risk},
            "behavior": whole,
            "replicas": {"min": self.minimum, "max": self.maximum},
        }

    def apart(self, other: Setting) -> int:
        """How many settings differ."""
        return sum(one != two for one, two in zip(dataclasses.astuple(self), dataclasses.astuple(other), strict=True))


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """One field of the document that would change, and why."""

    path: str
    before: Any
    after: Any
    evidence: str


@dataclasses.dataclass(frozen=True, slots=True)
class Tuned:
    """What was found."""

    risk: float
    present: Setting
    chosen: Setting
    tried: int
    first_days: int
    first: tuple[Score, Score]  # present, chosen: where they were chosen
    rest: tuple[Score, Score]  # where they were judged
    saved: Interval | None  # replica-hours on the rest
    holds: bool
    changes: tuple[Change, ...]

    @property
    def words(self) -> str:
        """The outcome in a sentence."""
        days = len(self.rest[0].minutes)
        if self.chosen == self.present:
            return f"Of {self.tried} settings none is better than the present ones; nothing to change."
        if not self.holds:
            return (
                f"Of {self.tried} settings one was better on the first {self.first_days} days, but not on the "
                f"{days} days after: nothing to change."
            )
        before, after = self.rest
        hours, unserved = before.replica_hours - after.replica_hours, after.unserved_fraction
        cost = f"saves {hours / before.replica_hours:.1%} of the replica-hours"
        if hours < 0:
            cost = f"costs {-hours / before.replica_hours:.1%} more replica-hours"
        return (
            f"On the {days} days that did not choose it, this {cost} and leaves {unserved:.3%} unserved "
            f"(now {before.unserved_fraction:.3%}, asked {self.risk:.3%})."
        )


def tune(
    lived: Lived,
    risk: float | None,
    new_memory: Callable[[], Memory],
    progress: Callable[[float], None] = lambda _: None,
) -> Tuned:
    """Try and judge. Raises Unfit where the history is too short or the policy is not led by its load."""
    case = lived.replayed.case
    spec = lived.document.spec
    asked = risk if risk is not None else spec.objective.unserved_fraction
    if asked is None:
        raise Unfit(f"{lived.key}: its objective is a latency; say with --risk how much load may go unserved")
    field = Field([case], Rules(min(HISTORY, len(case.trace) // 3)))
    rows = np.flatnonzero(field.judged[:, 0])
    per_day = np.bincount((rows - rows[0]) // DAY) if len(rows) else np.empty(0, np.int64)
    days = int((per_day > 0).sum()) - bool(len(per_day) and per_day[-1] < DAY // 2)  # a piece of a day is none
    if days < FEWEST_JUDGED:
        raise TooShort(f"{lived.key}: {days} days can be judged; expected {FEWEST_JUDGED} at least")
    needed = oracle_replicas(field.units[rows, 0])
    present = Setting(
        spec.objective.unserved_fraction or asked,
        spec.behavior.down.stabilization_window_seconds or 0,
        spec.replicas.min,
        spec.replicas.max,
    )
    # A policy that is led by its latency names no share of the load; the other settings are tried at the asked one.
    settings = candidates(present, asked, needed, RISKS if spec.objective.unserved_fraction else (1.0,))
    # The limits are tried themselves, so the case's own do not bind.
    field = Field([dataclasses.replace(case, limits=Limits())], field.rules)
    behavior = spec.behavior.model_dump(mode="json", by_alias=True, exclude_unset=True)
    contenders = [
        Contender(f"setting {number}", "podium", one.risk, one.spec(behavior)) for number, one in enumerate(settings)
    ]
    scores = [ran.scores[0] for ran in backtest(field, contenders, new_memory, progress)]
    first_days = max(days // 2 - 1, 2)
    first, rest = ([score.part(part) for score in scores] for part in (slice(0, first_days), slice(first_days, days)))
    best = choose(settings, first, asked)
    interval = saved(rest[best], rest[0], draws(len(rest[0].minutes)))
    holds = best != 0 and _holds(rest[0], rest[best], interval, asked)
    return Tuned(
        risk=asked,
        present=present,
        chosen=settings[best],
        tried=len(settings),
        first_days=first_days,
        first=(first[0], first[best]),
        rest=(rest[0], rest[best]),
        saved=interval,
        holds=holds,
        changes=_changes(present, settings[best], needed, rest[best]) if holds else (),
    )


def candidates(
    present: Setting, asked: float, needed: np.ndarray[Any, np.dtype[np.int64]], times: Sequence[float] = RISKS
) -> list[Setting]:
    """The present settings, then every other combination. `needed` [t] replicas would have served each minute."""
    lowest = max(int(np.quantile(needed, 0.01)), 1)
    most = int(np.ceil(needed.max() * SPARE)) if needed.max() > present.maximum else present.maximum
    minimums = sorted({present.minimum, min(lowest, present.maximum)})
    windows = sorted({present.window, *WINDOWS})
    risks = sorted({present.risk, *(min(asked * each, 0.5) for each in times)})
    every = [Setting(*one, most) for one in itertools.product(risks, windows, minimums)]
    return [present, *(one for one in every if one != present)]


def choose(settings: Sequence[Setting], scores: Sequence[Score], asked: float) -> int:
    """The cheapest that keeps to the risk; of those about as cheap the one that changes least. Else the safest."""
    able = [number for number, score in enumerate(scores) if score.unserved_fraction <= asked]
    if not able:
        return min(range(len(scores)), key=lambda number: scores[number].unserved_fraction)
    cheapest = min(scores[number].replica_hours for number in able)
    alike = [number for number in able if scores[number].replica_hours <= cheapest * (1 + PLATEAU)]
    return min(alike, key=lambda number: (settings[number].apart(settings[0]), scores[number].replica_hours))


def _holds(present: Score, chosen: Score, interval: Interval | None, asked: float) -> bool:
    may = max(asked, present.unserved_fraction)
    cheaper = interval is not None and interval[0] > 0 and chosen.unserved_fraction <= may
    safer = present.unserved_fraction > asked and chosen.unserved_fraction <= asked
    return cheaper or safer


def _changes(
    present: Setting, chosen: Setting, needed: np.ndarray[Any, np.dtype[np.int64]], rest: Score
) -> tuple[Change, ...]:
    named = (
        (
            "spec.objective.unservedFraction",
            "risk",
            f"asked for it, {rest.unserved_fraction:.3%} went unserved on the rest",
        ),
        (
            "spec.behavior.scaleDown.stabilizationWindowSeconds",
            "window",
            "the cheapest of those tried that keeps to the risk",
        ),
        ("spec.replicas.min", "minimum", f"99 in 100 minutes needed {int(np.quantile(needed, 0.01))} or more"),
        ("spec.replicas.max", "maximum", f"{int(needed.max())} would have been needed at most, and a quarter to spare"),
    )
    return tuple(
        Change(path, getattr(present, name), getattr(chosen, name), evidence)
        for path, name, evidence in named
        if getattr(present, name) != getattr(chosen, name)
    )
