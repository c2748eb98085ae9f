"""What a load's future is told from: one vector per slot and bin, the same for every horizon.

Loads are taken as log(1 + load / unit), the unit being near the slot's usual load: small loads count as they are, large
ones by their ratio. Every entry is a difference between two of these, so that neither unit nor level matters: the last
half hour, the same time a day before, days like today (`alike`), and the weeks before
(`week`). Where a load has a period of its own (`periods`), its cycles stand for the days. What is not known yet is 0.
"""

from __future__ import annotations

import numpy as np

from podium.foresight import alike, borrowing, incidents, periods
from podium.foresight.bins import Bins
from podium.foresight.memory import Array, Field, Memory
from podium.foresight.week import Week
from podium.model.arrays import Bools, Float32s, Int64s

TARGETS = (1, 2, 3, 4, 5, 6, 7)  # bins ahead that are told; the seventh serves steps after the bin's end
ONWARD = (1, 2, 3, 4, 5, 6, 7)  # bins ahead to which days like today are followed: jobs on the hour are that sharp
RECENT = TARGETS[-1] + 1  # bins kept exactly: the last half hour, and all that came since the oldest open question
LAGS = RECENT - 2
AROUND = (-3, 6)  # bins around now, a day before
HALF_HOUR = 6
HELD = LAGS  # bins without a reading through which the last one is held
USUAL_DAYS = 7
FAR = np.float32(4)  # a unit so many times off the usual load is set anew
NOTHING = np.float32(1e-30)


class Design:
    """The vector's shape, and how it is kept up."""

    def __init__(self, bins: Bins) -> None:
        self.day = bins.day
        self._seconds = bins.seconds
        self.rows = bins.day * alike.DAYS + 1
        self._week = Week(bins.day)
        self._usual = np.float32(1 / (USUAL_DAYS * bins.day))
        day, alike_by_level = LAGS, LAGS + 1 + len(AROUND)
        alike_by_shape = alike_by_level + 1 + len(ONWARD)
        self.gaps = [day, alike_by_level, alike_by_shape]  # entries that tell how far the level is off the days before
        self.size = alike_by_shape + 1 + len(ONWARD) + 1 + 1

    def fields(self) -> dict[str, Field]:
        """The past of a week in two bytes a bin, the newest bins in full, and the days' resemblance."""
        return {
            "past": Field((self.rows,), dtype=np.float16),
            "week": Field((self._week.rows,), dtype=np.float16),
            "recent": Field((RECENT,)),
            "closed": Field(fill=-1, dtype=np.int64),  # number of the last bin learned
            "born": Field(fill=-1, dtype=np.int64),  # number of the first bin with a reading
            "seen": Field(fill=0.0),  # bins with a reading
            "usual": Field(),
            "unit": Field(),
            **{f"periods.{name}": field for name, field in periods.FIELDS.items()},
            **{f"incidents.{name}": field for name, field in incidents.FIELDS.items()},
            **{f"alike.{name}": field for name, field in alike.fields(alike.DAYS).items()},
        }

    def learn(self, memory: Memory, number: int, loads: Float32s) -> None:
        """Take in the [n] mean loads of bin `number`."""
        self._pass(memory, number)
        born = memory["born"]
        np.copyto(born, number, where=~np.isnan(loads) & ((born < 0) | (born > number)))
        self._measure(memory, loads)
        scaled = self.scaled(memory, loads)
        memory["past"][number % self.rows] = np.abs(scaled)  # its sign marks what was an incident
        memory["recent"][number % RECENT] = scaled
        memory["closed"][...] = number
        self._week.learn(memory["week"], memory["past"], number)
        cycle = np.where(memory["periods.own"] > 0, memory["periods.own"], np.float32(self.day))
        incidents.follow(memory.inside("incidents"), memory["past"], number, cycle, number - born, self._seconds)

    def look(self, memory: Memory, number: int, slots: Int64s) -> Int64s:
        """Look for periods of some slots, after bin `number`; those returned begin anew to compare their cycles."""
        changed = periods.look(memory.inside("periods"), memory["past"], number, self.day, slots)
        if len(changed):
            memory.inside("alike").forget(changed)
        return changed

    def borrow(self, memory: Memory, number: int, groups: Int64s) -> list[borrowing.Loan]:
        """Write others' days into the past of new slots, and tell who lent; [n] groups, negative: alone."""
        loans = borrowing.loans(memory, number, self.day, groups)
        for loan in loans:
            own = np.arange(memory["born"][loan.slot] // self._week.per_part, number // self._week.per_part + 1)
            borrowing.lend_past(memory, number, loan, own % self._week.rows)
        return loans

    def vector(self, memory: Memory, number: int) -> Float32s:
        """[p, n] what is told after bin `number`, the last one learned. The last entry is 1."""
        now, told = self.now(memory, number), self._recent(memory, number)
        before = self._days(memory, number, 0)
        alike.learn(memory.inside("alike"), before, told)
        later = np.stack([self._days(memory, number, ahead) for ahead in ONWARD])
        parts = [self._recent(memory, number - back)[None] - now for back in range(1, LAGS + 1)]
        then, *around = self._day_before(memory, number)
        parts.append((then - now)[None])
        parts += [load[None] - then for load in around]
        parts += alike.expected(memory.inside("alike"), before, later, now)
        parts.append(self._week.onward(memory["week"], number, HALF_HOUR)[None])
        parts.append(np.ones((1, memory.size), np.float32))
        out = np.concatenate(parts)
        out[np.isnan(out)] = 0
        return out

    def now(self, memory: Memory, number: int) -> Float32s:
        """[n] the load as it was last seen, scaled; NaN when that was more than half an hour ago."""
        now = self._recent(memory, number).copy()
        for back in range(1, HELD + 1):
            unknown = np.isnan(now)
            if not unknown.any():
                break
            np.copyto(now, self._recent(memory, number - back), where=unknown)
        return now

    def since(self, memory: Memory, number: int) -> tuple[Float32s, Float32s]:
        """What came of the oldest open question: [n] the load then, and [t, n] those at TARGETS after it, scaled."""
        first = number - TARGETS[-1]
        return self._recent(memory, first), memory["recent"][(first + np.array(TARGETS)) % RECENT]

    def scaled(self, memory: Memory, loads: Float32s) -> Float32s:
        """Loads [..., n] as log(1 + load / unit)."""
        return np.asarray(np.log1p(np.maximum(loads, 0) / memory["unit"]))

    def loads(self, memory: Memory, scaled: Float32s) -> Float32s:
        """The way back."""
        return np.asarray(np.expm1(scaled) * memory["unit"])

    def _pass(self, memory: Memory, number: int) -> None:
        """Bins that nobody told of are unknown; so is what a clock that was set back left ahead of now."""
        closed = int(memory["closed"].max(initial=-1))
        if closed < 0:
            return
        low, high = (closed + 1, number) if number > closed else (number, closed + 1)
        for name, rows in (("past", self.rows), ("recent", RECENT)):
            missed = np.arange(max(low, high - rows), high) % rows
            if len(missed):
                memory[name][missed] = np.nan

    def _measure(self, memory: Memory, loads: Float32s) -> None:
        """Follow the usual load, and set the unit anew where it is far from that."""
        known = ~np.isnan(loads)
        seen, usual, unit = memory["seen"], memory["usual"], memory["unit"]
        seen += known
        size = np.abs(loads)
        np.copyto(usual, size, where=known & np.isnan(usual))
        weight = np.maximum(self._usual, 1 / np.maximum(seen, 1))
        np.add(usual, weight * (size - usual), out=usual, where=known)
        wanted = np.maximum(usual, NOTHING)
        far: Bools = known & ~((wanted <= FAR * unit) & (unit <= FAR * wanted))
        anew = np.isnan(unit)
        slots = np.flatnonzero(far & ~anew)
        if len(slots):
            self._rescale(memory, slots, wanted)
        np.copyto(unit, wanted, where=far & anew)

    def _rescale(self, memory: Memory, slots: Int64s, units: Float32s) -> None:
        old, new = memory["unit"][slots].astype(np.float64), units[slots]
        with np.errstate(over="ignore"):
            for name in ("past", "week", "recent"):
                scaled = memory[name][:, slots]
                loads = np.expm1(np.abs(scaled).astype(np.float64)) * old
                memory[name][:, slots] = np.copysign(np.log1p(loads / new), scaled)
        memory["unit"][slots] = new

    def _recent(self, memory: Memory, number: int) -> Float32s:
        return np.asarray(memory["recent"][number % RECENT])

    def _day_before(self, memory: Memory, number: int) -> Float32s:
        """[1 + a, n] the load a day before, and AROUND that time; of the day before it where there was an incident."""
        past, rows = memory["past"], number - self.day + np.array((0, *AROUND))
        there = past[rows % self.rows]
        out, marked = incidents.unmarked(there), np.flatnonzero(incidents.marked(there).any(axis=0))
        if len(marked):
            out[:, marked] = incidents.unmarked(past[(rows - self.day) % self.rows][:, marked])
        self._own(memory, number, np.array((0, *AROUND)), np.ones(1, np.int64), out)
        return out

    def _days(self, memory: Memory, number: int, ahead: int) -> Array:
        """[d, n] the loads `ahead` bins after now, on each of the days before."""
        days = number + ahead - self.day * np.arange(1, alike.DAYS + 1)
        out = incidents.unmarked(memory["past"][days % self.rows])
        self._own(memory, number, np.array([ahead]), np.arange(1, alike.DAYS + 1), out)
        return out

    def _own(self, memory: Memory, number: int, ahead: Int64s, cycles: Int64s, out: Float32s) -> None:
        """Overwrite what is told of days [c, n] by that of cycles, where a slot has a period of its own."""
        own = memory["periods.own"]
        slots = np.flatnonzero(own)
        if len(slots):
            out[:, slots] = periods.earlier(memory["past"], number, ahead, cycles, slots, own[slots])
