"""A workload's recorded history made a case: its load, the capacity of a replica, and what was really ordered."""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.backtest.contender import Contender, Limits
from podium.loop.backtest.recorded import Recorded
from podium.loop.backtest.run import Case, Field, Ran, Unfit
from podium.loop.backtest.score import scores
from podium.loop.backtest.trace import DAY, Trace
from podium.loop.simulate import Course
from podium.model.arrays import Float64s
from podium.model.clock import duration

HISTORY = 7 * DAY
FEWEST_DAYS = 2.0
HELD_MINUTES = 5  # a recorded number of replicas holds so long without a sample
SHORTEST, LONGEST = 5.0, 7200.0  # seconds that a start-up may take to be believed


class TooLittle(Unfit):
    """A workload of which too little is recorded; the message says what is missing."""


@dataclasses.dataclass(frozen=True, slots=True)
class Replayed:
    """A case with what was recorded of it, and sentences about how it was understood."""

    recorded: Recorded
    case: Case
    course: Course  # [t, 1] what was really ordered and ready
    notes: tuple[str, ...]

    def ran(self, field: Field, column: int) -> Ran:
        """The recorded course as one more contender of a field, in which it is case `column`."""
        course = scores(field.units[:, [column]], field.judged[:, [column]], self.course)
        return Ran(Contender("recorded", "recorded"), self.course, course)


def replayed(
    recorded: Recorded, first: int, *, capacity: float | None, startup_seconds: float, by_query: bool = False
) -> Replayed:
    """Make a case of a workload whose minutes begin with `first`. Raises TooLittle."""
    notes: list[str] = []
    ordered, ready = _held(recorded.ordered), _held(recorded.ready)
    load = np.where(np.isnan(ordered) | np.isnan(ready), np.nan, np.maximum(_bridged(recorded.load), 0.0))
    name = f"{recorded.subject.namespace}/{recorded.subject.name}"
    days = float((~np.isnan(load)).sum()) / DAY
    if days < FEWEST_DAYS:
        raise TooLittle(f"{name}: load and replicas together are recorded for {days:.1f} days; expected two at least")
    served, words = _capacity(recorded, load, ready, capacity, by_query=by_query)
    notes.append(words)
    wait = recorded.startup_seconds
    if wait is not None and SHORTEST <= wait <= LONGEST:
        notes.append(f"start-up: 95 in 100 pods were ready within {duration(round(wait))}")
    else:
        wait = startup_seconds
        notes.append(f"start-up: {duration(wait)}, assumed (kube_pod_status_ready_time does not tell)")
    hpa = recorded.hpa
    if hpa is not None and hpa.others:
        notes.append(f"the HPA follows {', '.join(hpa.others)} too, which the simulated one does not")
    if not by_query:
        notes.append("the load is the CPU that was used: demand beyond what the pods could give does not show in it")
    limits = Limits(hpa.minimum, hpa.maximum) if hpa is not None else Limits()
    known = np.flatnonzero(~np.isnan(load))
    trace = Trace(name, first, load[: known[-1] + 1])
    course = Course(_whole(ordered), _whole(ready))
    return Replayed(recorded, Case(trace, served, float(np.ceil(wait)), limits), course, tuple(notes))


def history_minutes(cases: list[Replayed]) -> int:
    """Seven days that only teach, or half of what there is."""
    longest = max((len(one.case.trace) for one in cases), default=0)
    return HISTORY if longest >= HISTORY + 2 * DAY else longest // 2


def _capacity(
    recorded: Recorded, load: Float64s, ready: Float64s, given: float | None, *, by_query: bool
) -> tuple[float, str]:
    """The load that one replica serves, and where that comes from."""
    if given is not None:
        return given, f"capacity: {given:g} a replica, as said"
    if not by_query and recorded.request_cpu:
        return recorded.request_cpu, f"capacity: {recorded.request_cpu:g} cores, what a replica requests"
    with np.errstate(divide="ignore", invalid="ignore"):
        each = (load / ready)[(ready > 0) & ~np.isnan(load)]
    shown = float(np.quantile(each, 0.99)) if len(each) else 0.0
    if not shown > 0:
        raise TooLittle(f"{recorded.subject.namespace}/{recorded.subject.name}: had no load in that time")
    return shown, f"capacity: {shown:.4g} a replica, the most that one served in 99 of 100 minutes"


def _held(values: Float64s) -> Float64s:
    """The last known value holds for some minutes."""
    out = values.copy()
    for _ in range(HELD_MINUTES):
        missing = np.isnan(out[1:])
        out[1:] = np.where(missing, out[:-1], out[1:])
    return out


def _bridged(load: Float64s) -> Float64s:
    """Gaps of up to five minutes on the line between their ends."""
    known = np.flatnonzero(~np.isnan(load))
    if len(known) < 2:
        return load
    rows = np.arange(len(load))
    right = np.clip(np.searchsorted(known, rows), 1, len(known) - 1)
    near = known[right] - known[right - 1] <= HELD_MINUTES + 1
    inside = (rows >= known[0]) & (rows <= known[-1])
    return np.where(np.isnan(load) & near & inside, np.interp(rows, known, load[known]), load)


def _whole(values: Float64s) -> np.ndarray[tuple[int, int], np.dtype[np.int32]]:
    return np.nan_to_num(values).astype(np.int32)[:, None]
