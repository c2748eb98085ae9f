"""One turn of the loop, ready to be looked at. What nobody looks at is not made: every part is computed when asked."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from podium.loop import unbuilt
from podium.loop.cycle import Assignment, Turned
from podium.loop.decide import guard
from podium.loop.decide.ahead import expected_load
from podium.loop.decide.limits import Bounds, in_force
from podium.loop.decide.table import Mode, PolicyTable
from podium.loop.orders.order import shown
from podium.loop.prices.price import Price
from podium.loop.tell import replicas, rules, sheet, standing, story
from podium.loop.tell.beside import Beside
from podium.loop.tell.figures import Comparison, Reduction, Totals
from podium.loop.tell.sheet import PAUSED, Int8s, Roll, Sheet, Standing
from podium.loop.tell.view import Band, WorkloadRow
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s
from podium.model.decision import Reason
from podium.model.snapshot import Snapshot

HOLDING = (  # reasons that keep a workload from the number it would go to
    Reason.SIGNAL_MISSING, Reason.ALL_SIGNALS_MISSING, Reason.PAUSED_UP, Reason.PAUSED_DOWN, Reason.SOURCE_SUSPECT,
    Reason.SOURCE_FROZEN, Reason.REDUCTION_GUARD, Reason.RULE_PAUSES_UP, Reason.RULE_PAUSES_DOWN,
    Reason.ORDERED_PAUSE_UP, Reason.ORDERED_PAUSE_DOWN, Reason.LATENCY_UNKNOWN, Reason.RULE_UNKNOWN,
)  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Setting:
    """What the page says of the installation, beside what the loop does."""

    interval_seconds: float
    simulated: bool
    speed: Callable[[], float]
    sources: Mapping[str, tuple[str, str]]  # name -> (kind, URL or file without secrets)
    price: Price | None = None  # what a replica's requests cost; None: nobody said


class Cast:
    """Who plays: what an assignment alone says of its workloads. Made once for all turns that follow it."""

    def __init__(self, assignment: Assignment, table: PolicyTable) -> None:
        self.assignment = assignment
        self.table = table

    @functools.cached_property
    def roll(self) -> Roll:
        """The workloads in the order of their keys."""
        slots, documents = self.assignment.fleet.slots, self.assignment.policies.documents
        found = [(str(slot.key), number) for number, slot in enumerate(slots) if slot.key in documents]
        found.sort()
        keys, numbers = zip(*found, strict=True) if found else ((), ())
        tenants = sorted({slots[number].tenant for number in numbers})
        place = {name: number for number, name in enumerate(tenants)}
        digest = hashlib.sha256(f"{self.assignment.fleet.digest} {self.table.digest}".encode()).hexdigest()
        slot = np.array(numbers, np.int64)
        return Roll(
            fleet=digest[:12],
            slot=slot,
            key=keys,
            tenants=tuple(tenants),
            tenant=np.array([place[slots[number].tenant] for number in numbers], np.int32),
            mode=np.maximum(self.table.mode[slot], Mode.RECOMMEND),
        )

    def loads(self, snapshot: Snapshot) -> Float64s:
        """[n] the load that each policy forecasts; NaN where unknown. What a suspect source says is shown as well."""
        out = np.full(len(self.table), np.nan)
        for name, slots in self._measured.items():
            if name in snapshot.signals:
                out[slots] = snapshot.signals[name].value[slots]
        return out

    @functools.cached_property
    def _measured(self) -> Mapping[str, Int64s]:
        """Signal -> the slots whose load it is."""
        names, place = np.unique(np.array(self.table.load, np.str_), return_inverse=True)
        return {str(name): np.flatnonzero(place == row) for row, name in enumerate(names) if name}

    @functools.cached_property
    def known(self) -> Int64s:
        """The slots that somebody holds, rising."""
        return np.flatnonzero([slot.key is not None for slot in self.assignment.fleet.slots])

    @functools.cached_property
    def unserved(self) -> Bools:
        """[m] whose policies ask for something that this version does not do."""
        documents, slots = self.assignment.policies.documents, self.assignment.fleet.slots
        asked = [documents[slots[slot].key].spec for slot in self.roll.slot.tolist()]
        return np.array([bool(unbuilt.not_yet(spec)) for spec in asked], np.bool_)


class Scene:
    """What one turn looks like."""

    def __init__(self, turned: Turned, cast: Cast, setting: Setting) -> None:
        self.turned = turned
        self.turn = turned.turn
        self.cast = cast
        self.table = turned.table
        self.fleet = cast.assignment.fleet
        self.setting = setting
        self.sources = standing.Sources(turned, turned.table, setting.sources)
        self.beside = Beside(turned.shadow, turned.turn.snapshot.pods, setting.price)

    @functools.cached_property
    def load(self) -> Float64s:
        """[n] the load that each policy forecasts."""
        return self.cast.loads(self.turn.snapshot)

    @functools.cached_property
    def expected(self) -> Float64s:
        """[n] the forecast quantile that decided, at the lead time."""
        return expected_load(self.table, self.turn.forecast, self.turn.lead)

    @functools.cached_property
    def use(self) -> Float64s:
        """[n] load over what the ready replicas can serve; infinite when none is ready."""
        served = np.where(self.turn.ready == UNKNOWN, np.nan, self.turn.ready) * self.table.capacity
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where((served == 0) & (self.load == 0), 0.0, self.load / served)

    @functools.cached_property
    def stopped(self) -> tuple[Bools, Bools]:
        """[n] who is paused on the way up, and on the way down: by a policy or by an order."""
        table, ordered = self.table, self.table.ordered
        if ordered is None:
            return table.pause_up, table.pause_down
        return table.pause_up | (ordered.up != UNKNOWN), table.pause_down | (ordered.down != UNKNOWN)

    @functools.cached_property
    def bounds(self) -> Bounds:
        """The limits in force: those of the policies, bent by schedules and rules."""
        return in_force(self.table, self.turn.snapshot)

    @functools.cached_property
    def troubles(self) -> Mapping[int, tuple[str, ...]]:
        """Slot -> why the workload is not led as its policy asks; only those with such a trouble."""
        return story.troubles(self.turned, self.fleet)

    @functools.cached_property
    def unanswered(self) -> Mapping[int, tuple[str, ...]]:
        """Slot -> which of its rules could not be answered; only those with such a rule."""
        return rules.troubles(self.table, self.turn.snapshot)

    @functools.cached_property
    def reduction(self) -> Reduction:
        """How far the budget of reductions is used up."""
        guards, replicas = self.table.guards, self.turn.snapshot.replicas
        taken = self.turned.reduced
        budget = guard.allowance(self.table, replicas, taken)
        written = (replicas != UNKNOWN) & (self.table.mode == Mode.OWN)
        return Reduction(
            fraction=guards.reduction_fraction,
            window_seconds=guards.reduction_window,
            replicas=int(replicas[written].sum()) + taken,
            budget=budget,
            taken=taken,
            left=max(budget - taken, 0),
            held=int(self._said(Reason.REDUCTION_GUARD).sum()),
        )

    @functools.cached_property
    def sheet(self) -> Sheet:
        """The columns of all workloads."""
        turn, roll = self.turn, self.cast.roll
        slot = roll.slot
        up, down = self.stopped
        troubled = self.sources.held.copy()
        troubled[list(self.troubles)] = True
        return Sheet(
            at=turn.snapshot.now,
            tick=turn.number,
            roll=roll,
            state=self.state[slot],
            replicas=turn.snapshot.replicas[slot],
            ready=turn.ready[slot],
            wanted=turn.decisions.replicas[slot],
            load=self.load[slot],
            use=self.use[slot],
            paused=(up[slot] + 2 * down[slot].astype(np.int8)).astype(np.int8),
            trusted=turn.forecast.trusted[slot],
            troubled=troubled[slot] | self.cast.unserved,
            doubted=self.sources.held[slot],
        )

    @functools.cached_property
    def state(self) -> Int8s:
        """[n] how each workload stands: the first word of `Standing` that is true of it."""
        turn, size = self.turn, len(self.table)
        replicas, ready, wanted = turn.snapshot.replicas, turn.ready, turn.decisions.replicas
        troubled = np.zeros(size, np.bool_)
        troubled[list(self.troubles)] = True
        held = self._said(*HOLDING) | self.sources.held
        reasons = turn.decisions.reasons
        over = np.zeros(size, np.bool_)
        over[reasons.slot[(reasons.code == Reason.AT_MAXIMUM) & (reasons.a > reasons.b)]] = True
        off = (replicas == 0) & (self.table.minimum > 0)
        true = (
            (replicas == UNKNOWN, Standing.UNKNOWN),
            (troubled, Standing.TROUBLED),
            ((self.use > 1.0) & ~off, Standing.SHORT),
            (over & (wanted >= replicas), Standing.LIMITED),
            (held & (wanted == replicas), Standing.HELD),
            ((wanted > replicas) | ((ready != UNKNOWN) & (ready < replicas)), Standing.GROWING),
            ((wanted != UNKNOWN) & (wanted < replicas), Standing.SHRINKING),
            (off, Standing.OFF),
        )
        masks, words = zip(*true, strict=True)
        state: Int8s = np.select(masks, words, Standing.STEADY).astype(np.int8)
        return state

    @functools.cached_property
    def totals(self) -> tuple[Totals, tuple[Totals, ...]]:
        """The fleet's sums, and each tenant's."""
        roll = self.sheet.roll
        tenants = self.beside.by(roll.slot, roll.tenant.astype(np.int64), len(roll.tenants))
        found = dict(zip(("", *roll.tenants), (self.beside.of(roll.slot), *tenants), strict=True))
        return sheet.totals(self.sheet, {name: one for name, one in found.items() if one is not None})

    @functools.cached_property
    def hpa(self) -> Int64s:
        """[n] replicas that a plain HPA would have; UNKNOWN where nothing is compared."""
        return self.turned.shadow.replicas

    def rows(self, slots: list[int]) -> tuple[WorkloadRow, ...]:
        """Several workloads as people look at them."""
        where = np.array(slots, np.int64)
        shadows = self.beside.by(where, np.arange(len(slots)), len(slots))
        return tuple(self._row(slot, shadow) for slot, shadow in zip(slots, shadows, strict=True))

    def row(self, slot: int) -> WorkloadRow:
        """One workload as people look at it."""
        return self.rows([slot])[0]

    def _row(self, slot: int, shadow: Comparison | None) -> WorkloadRow:
        turn, sight, table, policies = self.turn, self.turned.sight, self.table, self.cast.assignment.policies
        owner = self.fleet.slots[slot]
        if owner.key is None:
            raise KeyError(f"slot {slot} is free")
        signal = table.load[slot]
        level = turn.snapshot.signals.get(signal)
        source = UNKNOWN if level is None else level.source[slot]
        origin = sight.origins.get(signal, {}).get(slot) or (turn.snapshot.sources[source] if source >= 0 else "")
        spec, (up, down) = policies.documents[owner.key].spec, self.stopped
        unserved = unbuilt.not_yet(spec)
        return WorkloadRow(
            key=str(owner.key),
            tenant=owner.tenant,
            mode=spec.mode,
            state=sheet.STATES[self.state[slot]],
            replicas=count(turn.snapshot.replicas[slot]),
            ready=count(turn.ready[slot]),
            wanted=count(turn.decisions.replicas[slot]),
            minimum=int(self.bounds.minimum.value[slot]),
            maximum=int(self.bounds.maximum.value[slot]),
            load=number(self.load[slot]),
            load_unit=policies.unit(owner.key, signal),
            load_origin=origin,
            capacity_per_replica=number(table.capacity[slot]),
            learned=replicas.learned(turn.learned, slot, spec, policies.unit(owner.key, signal)),
            use=number(self.use[slot]),
            expected=number(self.expected[slot]),
            coverage=number(turn.forecast.coverage[slot]),
            trusted=bool(turn.forecast.trusted[slot]),
            paused=PAUSED[int(up[slot]) + 2 * int(down[slot])],
            pauses=tuple(map(shown, self.turned.orders.covering(owner.key))),
            hpa=count(self.hpa[slot]),
            shadow=shadow,
            troubles=(
                *self.troubles.get(slot, ()),
                *self.unanswered.get(slot, ()),
                *([f"this version does not act on {', '.join(unserved)} yet"] if unserved else ()),
                *self.sources.holds(slot),
            ),
        )

    def band(self, slot: int) -> Band | None:
        """The newest forecast of one workload; None: there is none."""
        forecast = self.turn.forecast
        if slot >= forecast.quantiles.shape[2] or np.isnan(forecast.quantiles[:, :, slot]).all():
            return None
        levels = enumerate(forecast.levels.tolist())
        curves = {f"{level:g}": numbers(forecast.quantiles[row, :, slot].astype(np.float64)) for row, level in levels}
        return Band(made_at=forecast.at, at=tuple((forecast.at + forecast.ahead).tolist()), quantiles=curves)

    def _said(self, *codes: Reason) -> Bools:
        """[n] who was told one of these reasons."""
        reasons = self.turn.decisions.reasons
        said = np.zeros(len(self.table), np.bool_)
        said[reasons.slot[np.isin(reasons.code, codes)]] = True
        return said


def number(value: Any) -> float | None:
    """A float as JSON has it: None where unknown or infinite."""
    return float(value) if np.isfinite(value) else None


def count(value: Any) -> int | None:
    """A count as JSON has it."""
    return None if value == UNKNOWN else int(value)


def numbers(values: Float64s) -> tuple[float | None, ...]:
    """Floats as JSON has them."""
    known = np.isfinite(values).tolist()
    return tuple(value if one else None for value, one in zip(values.tolist(), known, strict=True))
