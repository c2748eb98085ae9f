"""A back-test: many recorded loads under many policies, in one pass over time.

Traces of other times are laid side by side by whole weeks: each keeps its hours and weekdays. The first days of each
are history: they teach, and are not judged. The loop closes some hours before the judged days begin, so that nobody is
judged by the size it was given to start with.
"""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from podium.loop.backtest import fft
from podium.loop.backtest.contender import Ahead, Contender, Foretold, Kind, Limits, Reactive, document, table
from podium.loop.backtest.foresee import Foreseen, foresee
from podium.loop.backtest.score import Score, oracle_replicas, scores
from podium.loop.backtest.seams import long_course
from podium.loop.backtest.trace import DAY, MINUTE, Trace
from podium.loop.remember.memory import Memory
from podium.loop.reserve import reserve
from podium.loop.simulate import REPLICA, Course, Decide, Enough, simulate
from podium.loop.verify.leads import QUANTILE, STARTS
from podium.model.arrays import Bools, Float64s, Int32s, Int64s

WEEK = 7 * DAY
EARLIEST = DAY  # minutes before the judged days from which forecasts are kept: more than any day begins early
MOST_PIECES = 6_000  # days simulated side by side: some hundred thousand pods
PEAK_REPLICAS = 20_000  # above it a capacity is more likely in the wrong unit than true
SHARE = 0.999  # of the minutes that the usual capacity serves with fifty replicas
FIFTY = 50.0


class Unfit(ValueError):
    """A case that cannot be judged."""


class TooShort(Unfit):
    """A trace with nothing left to judge after its history."""


class WrongCapacity(Unfit):
    """A capacity that cannot be meant."""


@dataclasses.dataclass(frozen=True, slots=True)
class Case:
    """A trace, the load that one of its replicas serves, and how long a new one takes to serve."""

    trace: Trace
    capacity: float  # in the trace's unit
    startup_seconds: float
    limits: Limits = dataclasses.field(default_factory=Limits)
    starts: tuple[float, ...] = ()
    """Equally likely start-ups, of which every order has one, drawn by its minute; empty: all take `startup_seconds`,
    which else is the lead time that Podium plans with: their .95 quantile, as it would have been measured."""


def spread_case(trace: Trace, capacity: float, starts: Sequence[float], limits: Limits | None = None) -> Case:
    """A case whose start-ups are spread."""
    ranked = tuple(sorted(starts))
    lead = float(np.quantile(ranked, QUANTILE, method="inverted_cdf"))
    return Case(trace, capacity, lead, limits or Limits(), ranked if ranked[-1] > ranked[0] else ())


@dataclasses.dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all cases."""

    history_minutes: int = 7 * DAY


@dataclasses.dataclass(frozen=True, slots=True)
class Ran:
    """One contender on every case, m of them, over the t minutes of a time that all share."""

    contender: Contender
    course: Course  # [t, m]
    scores: list[Score]  # [m]


def usual_capacity(trace: Trace) -> float:
    """The 99.9th percentile over 50: fifty replicas serve all but one minute in a thousand. Raises WrongCapacity."""
    capacity = trace.quantile(SHARE) / FIFTY
    if not capacity > 0:
        raise WrongCapacity(f"{trace.name}: is zero nearly all the time; say how much load a replica serves")
    return capacity


def check(case: Case, rules: Rules) -> None:
    """Raise TooShort or WrongCapacity for a case that cannot be judged."""
    trace = case.trace
    if not (~np.isnan(trace.load[rules.history_minutes :])).any():
        days = rules.history_minutes / DAY
        raise TooShort(
            f"{trace.name}: has {len(trace) / DAY:.1f} days, of which {days:.1f} are history; "
            "expected more, or a shorter history"
        )
    if not 0 < case.capacity < math.inf:
        raise WrongCapacity(f"{trace.name}: a replica serves {case.capacity:g}; expected more than zero")
    highest = trace.quantile(1.0)
    if highest > PEAK_REPLICAS * case.capacity:
        raise WrongCapacity(
            f"{trace.name}: peaks at {highest:g}, which are {highest / case.capacity:,.0f} replicas of "
            f"{case.capacity:g} each; "
            f"expected at most {PEAK_REPLICAS:,} (is the capacity in the unit of the series?)"
        )


class Field:
    """All cases' loads side by side: columns of one time."""

    def __init__(self, cases: Sequence[Case], rules: Rules) -> None:
        for case in cases:
            check(case, rules)
        self.cases = tuple(cases)
        self.rules = rules
        self.first = min(case.trace.first for case in cases)
        offsets = [(case.trace.first - self.first) % WEEK for case in cases]
        length = max(offset + len(case.trace) for offset, case in zip(offsets, cases, strict=True))
        load = np.full((length, len(cases)), np.nan)
        for column, (offset, case) in enumerate(zip(offsets, cases, strict=True)):
            load[offset : offset + len(case.trace), column] = case.trace.load
        capacity = np.array([case.capacity for case in cases])
        # Rounded, so that 300 at 100 each are three replicas and not a breath more.
        self.units: Float64s = np.round(load / capacity * REPLICA, 6)
        self.begin: Int64s = np.array(offsets, np.int64) + rules.history_minutes
        self.startup: Float64s = np.array([case.startup_seconds for case in cases])
        self.drawn = np.column_stack([_drawn(case, length, column) for column, case in enumerate(cases)])
        self.judged: Bools = (np.arange(length)[:, None] >= self.begin) & ~np.isnan(load)

    def foresee(
        self, risks: Sequence[float], new_memory: Callable[[], Memory], progress: Callable[[float], None]
    ) -> Foreseen:
        """The forecasts of every case, for one risk after the other; what is costly about a back-test."""
        times = len(risks)
        since = np.tile(np.maximum(self.begin - EARLIEST, 0), times)
        risk = np.repeat(np.array(risks), len(self.cases))
        loads, startup = np.tile(self.units, times), np.tile(self.startup, times)
        return foresee(loads, self.first, startup, risk, since, new_memory, progress, self._starts(times))

    def _starts(self, times: int) -> Float64s | None:
        """[STARTS, m] what a memory that measured the starts would expect; None where none is spread."""
        if not any(case.starts for case in self.cases):
            return None
        middles = (2 * np.arange(STARTS) + 1) / (2 * STARTS)
        spread = [
            np.quantile(case.starts or (case.startup_seconds,), middles, method="inverted_cdf") for case in self.cases
        ]
        return np.tile(np.column_stack(spread), times)

    def waves(self) -> Float64s:
        """[t, m] the largest load within an hour that a Fourier transform expects."""
        begin = np.maximum(self.begin - EARLIEST, 0)
        columns = [fft.peaks(self.units[:, column], int(row)) for column, row in enumerate(begin)]
        return np.column_stack(columns)


def _drawn(case: Case, minutes: int, seed: int) -> Float64s:
    """[t] how long the start-up of what is ordered in each minute takes: the same for every contender."""
    starts = np.array(case.starts or (case.startup_seconds,))
    return starts[np.random.default_rng(seed).integers(len(starts), size=minutes)]


def backtest(
    field: Field,
    contenders: Sequence[Contender],
    new_memory: Callable[[], Memory],
    progress: Callable[[float], None] = lambda _: None,
) -> Iterator[Ran]:
    """Every contender's course and scores, in their order. `progress` hears the share of the forecasts that is made."""
    foreseen: Foreseen | None = None
    if risks := _risks(contenders):
        foreseen = field.foresee(risks, new_memory, progress)
    for kind, of_kind in itertools.groupby(contenders, key=lambda contender: contender.kind):
        days = int((len(field.units) - field.begin).sum()) // DAY + 1
        together, at_once = list(of_kind), max(1, MOST_PIECES // days)
        for start in range(0, len(together), at_once):
            yield from _ran(field, kind, together[start : start + at_once], risks, foreseen)


def _risks(contenders: Sequence[Contender]) -> list[float]:
    """The shares of unserved load that Podium is asked for."""
    return sorted({contender.number for contender in contenders if contender.kind == "podium"})


def _ran(
    field: Field, kind: Kind, contenders: Sequence[Contender], risks: Sequence[float], foreseen: Foreseen | None
) -> Iterator[Ran]:
    size = len(field.cases)
    if kind in ("static", "oracle"):
        courses = [_known(contender, field.units) for contender in contenders]
    else:
        both = _closed_loop(field, kind, contenders, risks, foreseen)
        cuts = [slice(number * size, (number + 1) * size) for number in range(len(contenders))]
        courses = [Course(both.ordered[:, cut], both.ready[:, cut]) for cut in cuts]
    for contender, course in zip(contenders, courses, strict=True):
        spare = None
        if kind == "podium" and foreseen is not None:
            own = risks.index(contender.number) * size
            told = foreseen.floor[:, own : own + size], foreseen.expected[:, own : own + size]
            spare = reserve(course.ordered, *told, field.units, np.full(size, REPLICA))
        yield Ran(contender, course, scores(field.units, field.judged, course, spare))


def _known(contender: Contender, units: Float64s) -> Course:
    """The replicas of a contender that does not look at what it does: they serve at once."""
    if contender.kind == "static":
        ordered = np.full(units.shape, int(contender.number), np.int32)
    else:
        ordered = oracle_replicas(units).astype(np.int32)
    return Course(ordered, ordered)


def _closed_loop(
    field: Field, kind: Kind, contenders: Sequence[Contender], risks: Sequence[float], foreseen: Foreseen | None
) -> Course:
    """Contenders that decide turn by turn, side by side: slots are contender by contender, case by case."""
    pairs = [(contender, case) for contender in contenders for case in field.cases]
    column = np.arange(len(pairs)) % len(field.cases)
    share = np.array([contender.share for contender, _ in pairs])
    expected = field.waves() if kind == "fft" else None
    # Forecasts lie risk by risk, case by case.
    foretold = column + len(field.cases) * np.array(
        [risks.index(contender.number) if kind == "podium" else 0 for contender, _ in pairs]
    )

    def run(loads: Float64s, row: Int64s, slot: Int64s, given: Int32s, enough: Enough) -> Course:
        documents = [
            document(contender, number, case.limits, case.startup_seconds)
            for number, (contender, case) in enumerate(pairs[one] for one in slot.tolist())
        ]
        decide: Decide
        if expected is not None:
            decide = Foretold(table(documents), expected, row, column[slot])
        elif foreseen is None or kind != "podium":
            decide = Reactive(table(documents), kind)
        else:
            decide = Ahead(table(documents), foreseen, row, foretold[slot])
        start = field.first * MINUTE
        minutes = np.clip(np.arange(len(loads))[:, None] + row, 0, len(field.drawn) - 1)
        startup = field.drawn[minutes, column[slot]]
        return simulate(
            loads, start, decide, startup, share=share[slot], given=given, enough=enough, pods=kind in ("podium", "kpa")
        )

    longest = math.ceil(field.drawn.max(initial=0.0) / MINUTE)
    return long_course(field.units, column, field.begin[column], longest, run)
