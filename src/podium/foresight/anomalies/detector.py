"""The detector: n series at once, streaming, or a whole recording in pieces, with the same bits either way.

A row surprises in one of three ways, whichever is strongest: its values are new (`novelty`); it breaks out of the last
hour and of the same time on the last days, both (`recent`, `days`); it lies beyond all of the same time in a week. Each
is measured in what is usual for the series. What is learned is learned in blocks of 64 rows, so a row is judged by what
was known when its block began; how many rows are handed over at a time makes no difference.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.foresight.anomalies import blocks, days, novelty, onsets, recent, usual
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Bools, Columns, Float64s, Int64s

THRESHOLD = 2.5  # the sensitivity that people set: higher is quieter
ALARM = 1.75  # the surprise of an alarm at that threshold
BREAK, BEYOND = 1.4, 1.0  # the surprise of a usual break, and of a usual value beyond all of a week
FIRST_ROWS = 100.0  # of a series, in which everything is new
LARGEST = 1e30  # larger values count as this, so that all fit 32 bits and sums and quotients stay finite
AT_ONCE = 65_536  # values judged in one go: more do not fit a core's cache
HUSHED = 0.4  # what a row shows of its surprise that is no onset


@dataclasses.dataclass(frozen=True, slots=True)
class Judged:
    """Rows as they were judged, each by what was before it. All arrays are [rows, n]."""

    score: Float64s  # 0 to 1; .5 and more: an alarm begins
    anomaly: Bools  # an alarm begins here, or goes on


class Detector:
    """Anomalies of n series whose rows are about `step_seconds` apart; what one slot learns never touches another."""

    def __init__(self, step_seconds: float, size: int = 1, threshold: float = THRESHOLD, first: int = 0) -> None:
        """`first` is the number of the first row: detectors of different ones end their blocks at different rows."""
        if not step_seconds > 0:
            raise ValueError(f"rows are some time apart, got {step_seconds}")
        if not threshold > 0:
            raise ValueError(f"a threshold is more than 0, got {threshold}")
        self.threshold = threshold
        self.per_day = days.parts_per_day(step_seconds)
        self._row = first
        self._part: int | None = None  # the newest part of a day
        self._limits: days.Limits | None = None  # what it is held against, where that was worked out
        inner = {
            "recent": {"values": Field((recent.ROWS,), np.nan, np.float32)},
            "days": days.fields(self.per_day),
            "breaks": usual.FIELDS,
            "beyond": usual.FIELDS,
            "novelty": novelty.FIELDS,
            "onsets": onsets.FIELDS,
        }
        fields = {f"{part}.{name}": field for part, own in inner.items() for name, field in own.items()}
        self._memory = Memory(fields, size)

    @property
    def size(self) -> int:
        """How many slots there are."""
        return self._memory.size

    @property
    def known(self) -> Float64s:
        """[n] how many rows of each slot had a value; the first FIRST_ROWS of them tell little."""
        known: Float64s = self._memory["novelty.rows"] - self._memory["novelty.missing"]
        return known

    @property
    def alarm(self) -> float:
        """The surprise at which an alarm is raised."""
        return onsets.FLOOR + (ALARM - onsets.FLOOR) * self.threshold / THRESHOLD

    def step(self, at: Float64s, values: Float64s) -> Judged:
        """Judge [rows] times that do not fall and [rows, n] values, NaN where unknown, and learn from them.

        Raises ValueError for a time before one already taken in by more than the part of a day it lies in.
        """
        parts = np.floor(at / (days.DAY_SECONDS / self.per_day)).astype(np.int64)
        if len(parts) and (np.any(np.diff(parts) < 0) or (self._part is not None and parts[0] < self._part)):
            raise ValueError(f"{float(at[0])} lies before what was already learned; expected times that do not fall")
        score, anomaly = np.zeros(values.shape), np.zeros(values.shape, np.bool_)
        values = np.clip(values, -LARGEST, LARGEST).astype(np.float32).astype(np.float64)  # as they are remembered
        most, start = max(AT_ONCE // max(self.size, 1), blocks.ROWS), 0
        while start < len(at):
            rows = slice(start, start + min(days.together(parts[start:], self.per_day), most))
            score[rows], anomaly[rows] = self._piece(parts[rows], values[rows])
            start = min(rows.stop, len(at))
        return Judged(score, anomaly)

    def forget(self, slots: Int64s) -> None:
        """Start anew for these slots: they belong to other series now."""
        self._memory.forget(slots)
        self._limits = None

    def resize(self, size: int) -> None:
        """Grow or shrink to `size` slots; new ones know nothing."""
        self._memory.resize(size)
        self._limits = None

    def state(self) -> Columns:
        """Everything learned, as named arrays."""
        clock = np.array([self._row, -1 if self._part is None else self._part], np.int64)
        return {"anomalies.clock": clock} | self._memory.state("anomalies")

    def restore(self, state: Columns) -> None:
        """Take over what `state` returned, bit for bit. Raises ValueError when it does not fit."""
        if "anomalies.clock" not in state:
            raise ValueError("anomalies.clock: missing in the stored state")
        self._memory.restore(state, "anomalies")
        self._limits = None
        self._row, part = np.asarray(state["anomalies.clock"], np.int64).tolist()
        self._part = None if part < 0 else part

    def _piece(self, parts: Int64s, values: Float64s) -> tuple[Float64s, Bools]:
        """Some rows, judged in one go."""
        memory, row = self._memory, self._row
        past = memory["recent.values"]
        window = np.concatenate((past, values), dtype=np.float64)
        past[...] = window[-recent.ROWS :]
        up, down = recent.breaks(window)
        self._limits, part = days.judge(memory.inside("days"), self._part, parts, values, self._limits)
        self._part = int(parts[-1])
        last, week = days.beyond(self._limits, part, values, up > 0)
        broken = usual.judge(memory.inside("breaks"), row, np.minimum(np.maximum(up, down), last)) + BREAK
        beyond = usual.judge(memory.inside("beyond"), row, week) + BEYOND
        known = ~np.isnan(values)
        means = recent.means(window)
        means[:, ~known] = np.nan
        early = self.known + np.cumsum(known, axis=0) <= FIRST_ROWS
        new = novelty.judge(memory.inside("novelty"), row, window, means, broken < self.alarm)
        surprise = np.maximum(np.maximum(broken, beyond), np.where(early, 0.0, new))
        told = onsets.onsets(memory.inside("onsets"), row, surprise)
        self._row = row + len(values)
        anomaly = (told >= self.alarm) | (broken >= self.alarm)
        return np.where(told > 0, self._share(told), HUSHED * self._share(surprise)), anomaly

    def _share(self, surprise: Float64s) -> Float64s:
        """0 at the floor, .5 where an alarm is raised, towards 1 beyond."""
        times = np.maximum(surprise - onsets.FLOOR, 0.0) / (self.alarm - onsets.FLOOR)
        out: Float64s = times / (1.0 + times)
        return out
