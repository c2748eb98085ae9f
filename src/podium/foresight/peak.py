"""What a floor must carry: the highest load within each slot's lead window, as quantiles and as the floor itself.

In every step the windows that end with it teach: the model of their centre (`window`), the tail of its errors (`tails`)
and the level that keeps the asked share of the load unserved (`shortfall`). Then the next window is told.

A forecast that is not trusted carries a margin over the present load instead, or its own floor where that is higher.
The margin is what the load grew by within a window in 99 of 100 of them; it begins at 1 / 0.7: a target of 70 per cent.
"""

from __future__ import annotations

import math

import numpy as np

from podium.foresight import fellows, shortfall, tails, window, winsor
from podium.foresight.asked import Asked, Judged
from podium.foresight.banded import BLOCK
from podium.foresight.memory import Field, Memory
from podium.model.arrays import Bools, Columns, Float32s, Float64s, Int64s

UNASKED_LEVEL = 0.99  # of the floor where nobody asked for a share
MARGIN_LEVEL = 0.99
MARGIN_AT_FIRST = math.log(1 / 0.7)
MARGIN_GAIN = np.float32(0.5)  # of the mean absolute error
ERROR_AT_FIRST = np.float32(0.1)
# A floor is the highest of so long, and one that falls by less than a twentieth is kept as far as it was asked for in
# the last quarter of an hour. Both together cost a hundredth, and save more than half of all changes.
CALM_SECONDS = 240.0
KEEP = np.float32(0.05)
KEEP_SECONDS = 900.0


class Peak:
    """The maximum over the lead window for n slots; nothing that one slot learns touches another."""

    def __init__(self, step_seconds: float, longest: int, level: float, size: int = 0) -> None:
        self.level = level  # of the quantile that is judged
        self._seconds = step_seconds
        self._longest = longest
        self._past = window.Past(step_seconds, longest)
        self._calm = max(1, round(CALM_SECONDS / step_seconds))
        self._keep = max(self._calm, round(KEEP_SECONDS / step_seconds))
        self._hold = max(1, round(shortfall.HOLD_SECONDS / step_seconds)) + 1
        issued = {
            "steps": Field((longest,), 0, np.int16),  # length of the window a forecast was made for
            "centre": Field((longest,)),
            "scale": Field((longest,)),
            "quantile": Field((longest,)),
            "floors": Field((self._keep,)),  # of the newest steps
            "floor": Field(),  # what the newest window is told
        }
        self._memories = {
            "believed": Memory(winsor.FIELDS, size),
            "window": Memory(self._past.fields(), size),
            "tails": Memory(tails.FIELDS, size),
            "shortfall": Memory(shortfall.fields(longest), size),
            "issued": Memory(issued, size),
            "growth": Memory({"margin": Field(fill=MARGIN_AT_FIRST)}, size),
            "fellows": Memory(fellows.fields(longest), size),
        }
        self._blocks = self._cut()

    @property
    def floor(self) -> Float32s:
        """[n] the load to be ready for within the lead window that began with the last step; NaN: unknown."""
        return self._memories["issued"]["floor"].copy()

    @property
    def realised(self) -> Float32s:
        """[n] share of the load of the last two weeks that following the floor left unserved; NaN: unknown."""
        return shortfall.realised(self._memories["shortfall"])

    def independent(self, tenants: fellows.Tenants) -> Float64s:
        """[n] the share of the outcomes of a slot's tenant that counts as independent evidence."""
        return fellows.evidence(self._memories["fellows"], tenants, np.ones(len(tenants.of)))

    def passed(self, step: int) -> None:
        """A step that nobody told of."""
        row = step % self._longest
        self._memories["fellows"]["began"][row] = False
        for name in ("steps", "centre", "scale", "quantile"):
            self._memories["issued"][name][row] = self._memories["issued"].fields[name].fill
        self._memories["issued"]["floors"][step % self._keep] = np.nan
        self._memories["shortfall"]["orders"][row] = np.nan
        unknown = np.full(self._memories["issued"].size, np.nan, np.float32)
        window.hold(self._past, self._memories["window"], step, unknown)

    def judge(self, step: int, loads: Float64s, asked: Asked) -> Judged:
        """Take in the mean loads [n] of a step: what they say of the windows that end with it."""
        with np.errstate(over="ignore"):  # beyond float32 is infinite, which is unknown
            values = loads.astype(np.float32)
        fresh = np.isnan(self._memories["tails"]["slow"]) if asked.tenants is not None else None
        parts = [
            self._judge(number, step, values[slots], asked.of(slots), memories)
            for number, (slots, memories) in enumerate(self._blocks)
        ]
        if not parts:
            return Judged(values, values, values)
        outcome, quantile, centre = (np.concatenate(column) for column in zip(*parts, strict=True))
        if asked.tenants is not None and fresh is not None:
            self._teach_fellows(step, asked.tenants, asked.steps, Judged(outcome, quantile, centre), fresh)
        return Judged(outcome, quantile, centre)

    def issue(self, step: int, medians: Float32s, trusted: Bools, asked: Asked) -> None:
        """Tell the windows that begin after `step`. `medians` [3, n]: largest within, at the end, furthest known."""
        caught = self._contagion(step, asked.tenants) if asked.tenants is not None else None
        for slots, memories in self._blocks:
            theirs = None if caught is None else caught.of(slots)
            self._issue(step, medians[:, slots], trusted[slots], asked.of(slots), memories, theirs)

    def quantiles(self, step: int, levels: Float64s) -> Float32s:
        """[q, n] of the maximum of the window that began after `step`; NaN where unknown."""
        out = np.full((len(levels), self._memories["issued"].size), np.nan, np.float32)
        row = step % self._longest
        for slots, memories in self._blocks:
            issued, unit = memories["issued"], _unit(memories, None)
            told = tails.Tails(memories["tails"])
            for number, level in enumerate(levels.tolist()):
                high = _above(issued["centre"][row], issued["scale"][row], told.quantile(level), unit)
                out[number, slots] = shortfall.bounded(memories["shortfall"], high)
        return out

    def steps(self, step: int) -> Int64s:
        """[n] how long the windows were that began after `step`."""
        out: Int64s = self._memories["issued"]["steps"][step % self._longest].astype(np.int64)
        return out

    def forget(self, slots: Int64s) -> None:
        """Start anew for these slots."""
        for memory in self._memories.values():
            memory.forget(slots)

    def forget_windows(self) -> None:
        """What waits for an outcome gets none; what was learned stays."""
        self._memories["issued"].forget(np.arange(self._memories["issued"].size))
        self._memories["window"]["loads"][...] = np.nan
        self._memories["shortfall"]["orders"][...] = np.nan
        self._memories["fellows"]["began"][...] = False

    def resize(self, size: int) -> None:
        """Grow or shrink to `size` slots; new ones know nothing."""
        for memory in self._memories.values():
            memory.resize(size)
        self._blocks = self._cut()

    def state(self) -> Columns:
        """Everything learned, as named arrays."""
        out: Columns = {}
        for name, memory in self._memories.items():
            out |= memory.state(f"peak.{name}")
        return out

    def restore(self, state: Columns) -> None:
        """Take over what `state` returned. Raises ValueError when it does not fit."""
        for name, memory in self._memories.items():
            memory.restore(state, f"peak.{name}")
        self._blocks = self._cut()

    def _judge(
        self, block: int, step: int, values: Float32s, asked: Asked, memories: dict[str, Memory]
    ) -> tuple[Float32s, Float32s, Float32s]:
        believed = winsor.bounded(memories["believed"], values, self._seconds)
        believed = np.maximum(believed, 0)  # no load is below nothing
        window.hold(self._past, memories["window"], step, believed)
        shortfall.follow(memories["shortfall"], step, asked.spread, believed, asked.risk, self._seconds)
        issued, slots = memories["issued"], np.arange(len(values))
        made = (step - asked.steps) % self._longest
        same = (issued["steps"][made, slots] == asked.steps) & (asked.steps > 0)
        outcome = np.where(same, window.largest(memories["window"], step, asked.steps), np.float32(np.nan))
        centre, scale = issued["centre"][made, slots], issued["scale"][made, slots]
        quantile = issued["quantile"][made, slots]
        unit = _unit(memories, asked.capacity)
        error = np.log1p(outcome / unit) - np.log1p(centre / unit)
        origin = np.where(same, step - asked.steps, step - 1)
        self._widen_margin(memories, outcome, origin)
        if (step + block) % self._past.every == 0:
            usual = np.fmax(memories["tails"]["slow"], tails.SMALLEST)
            weight = 1 / (np.float32(0.5) + np.abs(error) / usual)
            window.learn(self._past, memories["window"], unit, origin, asked.steps, outcome, weight)
            if (step + block) // self._past.every % window.SOLVE_EVERY == 0:
                window.solve(self._past, memories["window"])
        tails.learn(memories["tails"], error, scale, step * self._seconds, self._seconds)
        return outcome, quantile, centre

    def _teach_fellows(self, step: int, tenants: fellows.Tenants, steps: Int64s, judged: Judged, fresh: Bools) -> None:
        """What the workloads of a tenant learn of each other: from windows that ended, and for those that are new."""
        memory, told = self._memories["fellows"], self._memories["tails"]
        fellows.learn(memory, tenants, step, steps, judged.outcome, judged.quantile, self._seconds)
        new = fresh & ~np.isnan(told["slow"])
        part = tails.faded(step * self._seconds, self._seconds)
        if part or new.any():
            fellows.lean(memory, told, tenants, new, part)

    def _contagion(self, step: int, tenants: fellows.Tenants) -> fellows.Contagion:
        """Whose fellows are above what was told of them a step ago."""
        loads = self._memories["window"]["loads"]
        told = self._memories["issued"]["quantile"][(step - 1) % self._longest]
        return fellows.contagion(self._memories["fellows"], tenants, step, loads[step % len(loads)], told)

    def _issue(
        self,
        step: int,
        medians: Float32s,
        trusted: Bools,
        asked: Asked,
        memories: dict[str, Memory],
        caught: fellows.Contagion | None,
    ) -> None:
        row, unit = step % self._longest, _unit(memories, asked.capacity)
        past, issued = memories["window"], memories["issued"]
        past["expected"][row] = medians
        centre = window.centre(self._past, past, unit, step, asked.steps)
        centre[asked.steps == 0] = np.nan
        ends = ((step + asked.steps) * self._seconds).astype(np.float64)
        scale = tails.scale(memories["tails"], ends)
        issued["steps"][row] = asked.steps
        issued["centre"][row] = centre
        issued["scale"][row] = scale
        told = tails.Tails(memories["tails"])
        judged = _above(centre, scale, told.quantile(self.level), unit)
        issued["quantile"][row] = shortfall.bounded(memories["shortfall"], judged)
        level = shortfall.level(memories["shortfall"], asked.risk)
        level = np.where(np.isnan(level), UNASKED_LEVEL, level)
        floor = _above(centre, scale, told.quantile(level), unit)
        if caught is not None:
            floor = np.fmax(floor, caught.ready(issued["quantile"][row], level))
        margin = past["held"] * np.exp(memories["growth"]["margin"])
        floor = np.where(trusted, floor, np.fmax(floor, margin))
        floor = shortfall.bounded(memories["shortfall"], floor)
        self._settle(step, floor, self._recent(step, past), issued)
        shortfall.order(memories["shortfall"], step, issued["floor"], asked.capacity)

    def _settle(self, step: int, floor: Float32s, recent: Float32s, issued: Memory) -> None:
        """Tell a floor, no lower than the load of the last minutes, or go on telling one that is hardly higher."""
        floors, before = issued["floors"], issued["floor"]
        floors[step % self._keep] = np.fmax(floor, recent)
        wanted = np.fmax.reduce(floors[(step - np.arange(self._calm)) % self._keep], axis=0)
        small = (wanted < before) & (wanted >= (1 - KEEP) * before)
        before[...] = np.where(small, np.minimum(before, np.fmax.reduce(floors, axis=0)), wanted)
        before[np.isnan(floor)] = np.nan

    def _recent(self, step: int, past: Memory) -> Float32s:
        """[n] the highest load of the last five minutes; NaN where none is known."""
        loads = past["loads"]
        recent: Float32s = loads[step % len(loads)].copy()
        for back in range(1, self._hold):
            np.fmax(recent, loads[(step - back) % len(loads)], out=recent)
        return recent

    def _widen_margin(self, memories: dict[str, Memory], outcome: Float32s, origin: Int64s) -> None:
        """Track the logarithm of the growth within a window that 99 of 100 stay under (Robbins and Monro 1951)."""
        loads, margin = memories["window"]["loads"], memories["growth"]["margin"]
        begin = loads[origin % len(loads), np.arange(len(outcome))]
        known = (begin > 0) & ~np.isnan(outcome)
        growth = np.log(np.divide(outcome, begin, out=np.ones_like(begin), where=known) + tails.SMALLEST)
        error = memories["tails"]["slow"]
        pace = MARGIN_GAIN * np.minimum(np.where(np.isnan(error), ERROR_AT_FIRST, error), 1)
        moved = np.where(growth > margin, MARGIN_LEVEL, MARGIN_LEVEL - 1).astype(np.float32)
        np.add(margin, pace * moved, out=margin, where=known)
        np.minimum(np.maximum(margin, 0), window.FURTHEST, out=margin)

    def _cut(self) -> list[tuple[slice, dict[str, Memory]]]:
        """Views of the memories, a block of slots each."""
        size = self._memories["issued"].size
        cuts = [slice(start, start + BLOCK) for start in range(0, size, BLOCK)]
        return [(slots, {name: memory.part(slots) for name, memory in self._memories.items()}) for slots in cuts]


def _unit(memories: dict[str, Memory], capacity: Float64s | None) -> Float32s:
    """[n] the load of one replica, or a part of the usual load; kept for when it is asked for later."""
    memory = memories["shortfall"]
    if capacity is not None:
        usual = np.float32(window.USUAL_PART) * memory["usual"]
        known = np.isfinite(capacity) & (capacity > 0)
        memory["unit"][...] = np.maximum(np.where(known, capacity, usual), np.float32(1e-9))
    out: Float32s = memory["unit"]
    return out


def _above(centre: Float32s, scale: Float32s, tail: Float32s, unit: Float32s) -> Float32s:
    """[n] the load that lies so many scales of logarithm above (or below) the centre."""
    logs = np.log1p(centre / unit) + tail * scale
    out: Float32s = unit * np.expm1(np.minimum(np.maximum(logs, 0), np.float32(60)))
    return out
