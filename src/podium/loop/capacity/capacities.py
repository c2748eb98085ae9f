"""What a replica serves, learned while the loop turns: a fold over the recorded turns, for the slots that ask for it.

Minute by minute the load per ready replica is compared with what tells that a replica is full: CPU of the request (the
policy's own target, else 80 %, HPA's default), the latency of the objective, a saturation signal. Two things are kept:

- which loads were served well (`bins`): no more than that, times `MARGIN` where nothing worse was met, is ever claimed;
- how CPU grows with the load (`line`): the load at the target, with its uncertainty, of which the lower end counts.

Nothing is claimed before an hour was measured and half of the limit was reached: a workload that was only seen idling
says nothing of its capacity, and its policy acts on its metrics alone, without a forecast.

A minute counts while the replicas are steady: few of them start, and their number is near its recent mean. A change
of the cost of a request, as a deploy brings, shows as errors of one sign (a two-sided CUSUM of the log ratio of CPU to
what the line says: Page, Continuous Inspection Schemes, 1954): the line goes on from its newest minutes, what was
served well before is forgotten, and until an hour was seen anew the claim shrinks by as much as the cost grew.

189 bytes a slot, and nothing for slots that do not ask.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.foresight.memory import Field
from podium.loop.capacity import bins, line
from podium.loop.capacity.seen import Seen, seen
from podium.loop.decide.table import Learning
from podium.loop.rows import Arrays, Rows
from podium.model.arrays import Bools, Columns, Float64s, Int64s
from podium.model.capacity import Basis, Learned, nothing_learned
from podium.model.snapshot import Snapshot

MINUTE = 60.0
TELL_MINUTES = 5  # what is used changes no more often
DAY_MINUTES, HOUR_MINUTES = 1440, 60
MARGIN = 1.05  # over the largest load served well, where none was seen that was too much
SURE = 2.0  # standard errors: 97.7 % of a normal distribution lie above the lower end
ENOUGH_MINUTES = 60
REACHED = 0.5  # of the limit: below that, too little was seen to say where it lies
STILL_REACHED = 0.25  # once it is known
DOUBTFUL = 0.5  # of the estimate: a wider margin is no knowledge
STICKY = 0.05  # of what is used: less is no reason to change it
CPU_OVER = 1.1  # of the target, HPA's tolerance: up to there CPU is as the policy wants it
CPU_FAR = 1.5  # of the target: beyond, CPU may be throttled, and follows the load no more
STEADY = 0.1  # of the replicas: so many may be starting, or off their recent mean
STEADY_SECONDS = 90.0  # over which that mean follows
HALF_LIFE = 3 * 1440.0  # minutes of the line
BRIEF_HALF_LIFE = 5.0  # minutes of the one that is ready when the cost changes
BINS_DAY = 0.5 ** (1 / 7)  # what is kept of the bins each day: half in a week
DRIFT = 0.1  # log ratio of CPU to the line that is nobody's concern
ALARM = 5.0  # in so many such minutes: twice the cost is told after 9 minutes, a quarter more after 41
CLIP = 0.7  # of one minute's log ratio
FAR = 4.0  # times the load of the newest minutes
IDLE_CPU = 0.05  # of the request: under it ratios say nothing

FIELDS = {
    "count": Field((), 0.0),  # turns of the open minute, and their sums
    "x": Field((), 0.0),
    "y": Field((), 0.0),
    "z": Field((), 0.0),
    "worst": Field((), -np.inf),
    "mean_ready": Field(),
    "cusum": Field((2,), 0.0),
    "sums": Field((line.SUMS,), 0.0),
    "brief": Field((line.BRIEF,), 0.0),
    "minutes": Field((), 0, np.int32),
    "near": Field(),  # how much of its bound the largest loads bring about
    "top": Field((), bins.NOWHERE, np.int32),
    "tally": Field((2, bins.BINS), 0, np.uint16),
    "used": Field((), np.nan, np.float64),  # what is told: see `Learned`
    "estimate": Field(),
    "margin": Field(),
    "reached": Field(),
    "basis": Field((), 0, np.int8),
}
TOLD = ("used", "estimate", "margin", "reached", "basis")


class Capacities:
    """What is learned of the slots that ask for it."""

    def __init__(self) -> None:
        self._rows = Rows(FIELDS)
        self._open: int | None = None  # the minute being filled
        self._told: int | None = None  # when it was last said what is used
        self._day: int | None = None
        self._at: float = np.nan
        self._asked: tuple[Learning, Int64s] | None = None  # who learns now, and their rows
        self._learned: Learned | None = None

    def forget(self, slots: Int64s) -> None:
        """These slots belong to other workloads now."""
        self._rows.forget(slots)
        self._asked = self._learned = None

    def set_back(self) -> None:
        """The clock was set back: the open minute is given up, what was learned stays."""
        self._open = self._told = self._day = None
        self._at = np.nan
        self._begin()

    def follow(self, snapshot: Snapshot, learning: Learning | None, load: Float64s, doubted: Sequence[int]) -> None:
        """Take in one turn; `load` [n] is what each policy forecasts, NaN where it is unknown."""
        if learning is None:
            return
        rows = self._places(learning)
        minute = int(snapshot.now // MINUTE)
        if self._open is not None and minute > self._open:
            self._close(learning, rows)
            self._grow_old(minute)
            if self._told is None or minute // TELL_MINUTES > self._told:
                self._tell(learning, rows)
                self._told = minute // TELL_MINUTES
        self._open = minute
        self._add(rows, seen(snapshot, learning, load, doubted), snapshot.now)

    def learned(self, learning: Learning | None) -> Learned:
        """What is known of the slots that ask for it; the same object until that changes."""
        if learning is None or not len(learning.slots):
            return nothing_learned()
        rows = self._places(learning)
        if self._learned is None:
            told = {name: self._rows[name][rows] for name in TOLD}
            seconds = (self._rows["minutes"][rows] * MINUTE).astype(np.float32)
            self._learned = Learned(slots=learning.slots, seconds=seconds, **told)
        return self._learned

    def checkpoint(self) -> Columns:
        """Everything, as columns; copies."""
        clock = [-1 if one is None else one for one in (self._open, self._told, self._day)]
        return {"clock": np.array(clock, np.int64), "at": np.array(self._at)} | self._rows.checkpoint()

    def restore(self, stored: Columns) -> None:
        """Take over what `checkpoint` returned; a Podium that learned no capacities left nothing."""
        self._rows.restore(stored)
        self._asked = self._learned = None
        clock = stored.get("clock", np.full(3, -1)).tolist()
        self._open, self._told, self._day = (None if one < 0 else one for one in clock)
        self._at = float(stored.get("at", np.array(np.nan)).item())

    def _places(self, learning: Learning) -> Int64s:
        """[m] the rows of who learns now; who is new gets one."""
        if self._asked is None or self._asked[0] is not learning:
            self._asked, self._learned = (learning, self._rows.places(learning.slots)), None
        return self._asked[1]

    def _add(self, rows: Int64s, now: Seen, at: float) -> None:
        """One more turn of the open minute; a turn in which the replicas are not steady spoils it."""
        mine = self._rows
        elapsed = 0.0 if np.isnan(self._at) else max(at - self._at, 0.0)
        self._at = at
        gain = elapsed / (elapsed + STEADY_SECONDS)
        before = mine["mean_ready"][rows].astype(np.float64)
        followed = np.where(np.isnan(before), now.ready, before + gain * (now.ready - before))
        mine["mean_ready"][rows] = np.where(np.isnan(now.ready), before, followed)
        some = now.ready > 0
        steady = some & (now.starting <= STEADY * now.ready) & (np.abs(now.ready - followed) <= STEADY * now.ready)
        with np.errstate(over="ignore", invalid="ignore"):
            mine["count"][rows] += 1
            mine["x"][rows] += np.where(steady & (now.load >= 0), now.load / np.where(some, now.ready, 1.0), np.nan)
            mine["y"][rows] += now.cpu
            mine["z"][rows] += now.load
            mine["worst"][rows] = np.maximum(mine["worst"][rows], now.bound)

    def _close(self, learning: Learning, rows: Int64s) -> None:
        """The minute is over: learn from it what it tells, and begin another."""
        mine = self._rows.copied(rows)
        count = np.maximum(mine["count"].astype(np.float64), 1.0)
        x, y, z = (mine[name] / count for name in "xyz")
        worst, by_cpu, bounded = mine["worst"].astype(np.float64), ~np.isnan(learning.cpu), learning.bounded
        told = (mine["count"] > 0) & np.isfinite(x) & np.isfinite(z)
        whole = told & (~by_cpu | np.isfinite(y)) & (~bounded | np.isfinite(worst))
        held = ~(by_cpu & (y > CPU_OVER * learning.cpu)) & ~(bounded & (worst > 1.0))
        # The CPU tells of a change of cost also where something else tells that a replica is full.
        self._follow_cpu(mine, learning.cpu, np.where(whole, np.stack([x, y, z]), np.nan))
        mine["tally"], mine["top"] = bins.note(mine["tally"], mine["top"], x, held, whole)
        mine["minutes"] += whole
        highest = whole & bounded & (x >= np.exp(bins.STEP * (mine["top"] - 1.0)))
        known = ~np.isnan(mine["near"])
        mine["near"] = np.where(
            highest, np.where(known, mine["near"] + 0.1 * (worst - mine["near"]), worst), mine["near"]
        ).astype(np.float32)
        self._rows.put(rows, mine)
        self._begin()

    def _begin(self) -> None:
        self._rows.clear("count", "x", "y", "z", "worst")

    def _follow_cpu(self, mine: Arrays, limit: Float64s, minute: Float64s) -> None:
        """Learn the line from a minute (x, y, z; NaN where it tells nothing), and see whether the cost has changed."""
        told = np.asarray(np.isfinite(minute).all(axis=0))
        minute = np.where(told, minute, 0.0)
        x, y, _ = minute
        before = line.fit(mine["sums"])
        changed, ratio = _cost_changed(mine, before, x, y, told)
        fits = told & ~(y > CPU_FAR * limit)
        begun, usual = mine["brief"][0] > 0, FAR * mine["brief"][1].astype(np.float64)
        weight = line.trust(mine["sums"], before, x, y, fits & ~(begun & (x > usual)))
        mine["sums"] = line.learn(mine["sums"], minute, weight, 0.5 ** (1 / HALF_LIFE))
        near = np.stack([np.where(begun, np.minimum(x, usual), x), y])  # one absurd minute moves it little
        mine["brief"] = line.learn(mine["brief"], near, fits.astype(np.float64), 0.5 ** (1 / BRIEF_HALF_LIFE))
        if not changed.any():
            return
        mine["sums"][:, changed] = line.begun_again(mine["brief"][:, changed])
        mine["cusum"][:, changed] = 0
        mine["tally"][:, :, changed] = 0
        mine["top"][changed] = bins.NOWHERE
        mine["minutes"][changed] = 0
        mine["near"][changed] = np.nan
        mine["used"] = np.where(changed, mine["used"] / np.fmax(ratio, 1.0), mine["used"])
        self._learned = None

    def _grow_old(self, minute: int) -> None:
        """Once a day the bins forget a little, half of an hour at some load in a week; each hour empty ones go."""
        day = minute // DAY_MINUTES
        if self._day is not None and day > self._day:
            tally = self._rows["tally"]
            tally[...] = np.rint(tally * BINS_DAY ** min(day - self._day, 365))
        self._day = day
        if minute // HOUR_MINUTES > (self._open or 0) // HOUR_MINUTES:
            self._rows["top"][...] = bins.lowered(self._rows["tally"], self._rows["top"])

    def _tell(self, learning: Learning, rows: Int64s) -> None:
        """Say what is known now: see `Learned`."""
        mine = self._rows.copied(rows)
        found = judged(mine, learning)
        used = mine["used"]
        moved = np.isnan(used) | (np.abs(found.used - used) > STICKY * used)
        # After a change the shrunken claim stands until enough was seen anew; it only may shrink further.
        by_line = np.where(found.basis == Basis.CPU, found.estimate, used)
        shrunk = np.where(np.isnan(by_line), used, np.minimum(used, by_line))  # NaN stays: what is unknown stays so
        mine["used"] = np.where(np.isnan(found.used), shrunk, np.where(moved, found.used, used))
        for name in ("estimate", "margin", "reached", "basis"):
            mine[name] = getattr(found, name)
        self._rows.put(rows, {name: mine[name] for name in TOLD})
        self._learned = None


def _cost_changed(mine: Arrays, known: line.Line, x: Float64s, y: Float64s, told: Bools) -> tuple[Bools, Float64s]:
    """[m] whether the errors have had one sign for too long, and [m] the newest minutes' cost over the line's."""
    weight, mean_x, mean_y = mine["brief"].astype(np.float64)
    expected = np.maximum(known.of(x), IDLE_CPU / 10)
    able = told & (mine["sums"][0] >= ENOUGH_MINUTES / 2) & (np.maximum(expected, y) > IDLE_CPU) & (y > 0)
    off = np.log(np.where(able, y, 1.0) / np.where(able, expected, 1.0)).clip(-CLIP, CLIP)
    usual = np.maximum(DRIFT, np.sqrt(known.spread) / np.maximum(known.mean, IDLE_CPU))
    signed = np.stack([off - usual, -off - usual])
    mine["cusum"] = np.where(able, np.maximum(mine["cusum"] + signed, 0.0), mine["cusum"]).astype(np.float32)
    past = known.of(mean_x)
    ratio = np.where((weight > 0) & (past > 0), mean_y / np.where(past > 0, past, 1.0), 1.0)
    return mine["cusum"].max(axis=0) > ALARM, ratio


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """What the evidence of m rows amounts to."""

    used: Float64s
    estimate: Float64s
    margin: Float64s
    reached: Float64s
    basis: NDArray[np.int8]


def judged(mine: Mapping[str, NDArray[Any]], learning: Learning) -> Judged:
    """The capacity that the kept evidence supports; `used` is NaN where that is too little."""
    well, likeliest, mostly, too_much = bins.knee(mine["tally"], mine["top"])
    most = np.where(too_much, well, MARGIN * well)
    by_cpu = ~np.isnan(learning.cpu)
    fitted = line.fit(mine["sums"])
    carried, error = fitted.carried(learning.cpu)
    half = np.exp(0.5 * bins.STEP) - 1.0  # of a bin: the knee is known no better
    # Where nothing was too much, what a replica serves is at least that: nobody knows by how much it is more.
    off = np.fmax(np.fmax(likeliest - well, mostly - likeliest), half * likeliest)
    by_bins = np.where(too_much, off, np.nan)
    cpu_reached = np.where(by_cpu, fitted.of(well) / learning.cpu, np.nan)
    bound_reached = np.where(learning.bounded, np.where(too_much, 1.0, mine["near"]), np.nan)
    # The bound decides where it was met first, the CPU elsewhere.
    bound_first = learning.bounded & (~by_cpu | ((bound_reached >= cpu_reached) & (most < carried)))
    estimate = np.where(bound_first, likeliest, carried)
    margin = np.where(bound_first, by_bins, SURE * error)
    lower = np.where(bound_first, most, np.fmin(carried - SURE * error, most))
    reached = np.where(bound_first, bound_reached, cpu_reached)
    least = np.where(np.isnan(mine["used"]), REACHED, STILL_REACHED)
    enough = (
        (mine["minutes"] >= ENOUGH_MINUTES)
        & (np.fmax(cpu_reached, bound_reached) >= least)
        & ~(margin > DOUBTFUL * estimate)
        & (lower > 0)
    )
    basis = np.where(bound_first, learning.bound_basis, Basis.CPU).astype(np.int8)
    return Judged(np.where(enough, lower, np.nan), estimate, margin, reached, basis)
