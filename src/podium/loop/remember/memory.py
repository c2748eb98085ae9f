"""What the loop has learned: a fold over recorded turns. Live, restarting and replaying run through this one door.

`take` folds one turn in. A checkpoint is the whole memory as columns; checkpoint + the turns recorded since is the
memory after the last of them, bit for bit, which is why a restart forgets nothing.
"""

from __future__ import annotations

import dataclasses
import hashlib
import math

import numpy as np

from podium.foresight.calibration import NO_CHANGES, Changes
from podium.foresight.forecaster import Borrower
from podium.foresight.outlook import Outlook
from podium.loop.anomalies.scores import Scores
from podium.loop.calendar import rows
from podium.loop.calendar.usual import Usual
from podium.loop.capacity.capacities import Capacities
from podium.loop.decide import capacity
from podium.loop.decide.ahead import loads
from podium.loop.decide.policies import decide
from podium.loop.decide.state import State, empty_state
from podium.loop.decide.table import PolicyTable
from podium.loop.decide.trust import doubted, suspects
from podium.loop.remember import former
from podium.loop.shadow import Shadow
from podium.loop.verify.leads import Leads, no_leads
from podium.model import columns
from podium.model.arrays import Columns, Float32s, Float64s, Int64s
from podium.model.capacity import Learned
from podium.model.decision import Decisions
from podium.model.fleet import Fleet
from podium.model.forecast import Forecast
from podium.model.snapshot import Snapshot

_DIGEST = "3:"  # before every digest: what goes in, in which form
LEVELS = np.array([0.5, 0.9, 0.95, 0.99])
AHEAD = np.array([60.0, 120.0, 180.0, 300.0, 600.0, 900.0, 1200.0, 1800.0])


@dataclasses.dataclass
class Memory:
    """State of deciding, of forecasting and of measuring lead times, for one fleet."""

    outlook: Outlook
    state: State
    leads: Leads
    fleet: Fleet = dataclasses.field(default_factory=Fleet)
    changes: Changes = NO_CHANGES  # whose forecasts were promoted or demoted in the last turn
    made: Forecast | None = None  # at the end of the last step that was learned
    shadow: Shadow = dataclasses.field(default_factory=Shadow)  # a plain HPA beside the loop
    capacities: Capacities = dataclasses.field(default_factory=Capacities)  # what a replica serves
    usual: Usual = dataclasses.field(default_factory=Usual)  # by the hours of the week
    scores: Scores = dataclasses.field(default_factory=Scores)  # of readings out of the ordinary
    untaught: bool = False  # restored from a version that forecast otherwise: what that one had learned is lost
    _over: tuple[PolicyTable, Learned, PolicyTable] | None = None  # the newest answer of `table`

    @classmethod
    def empty(cls, outlook: Outlook) -> Memory:
        """Nothing learned, of nobody."""
        outlook.resize(0)
        return cls(outlook, empty_state(0), no_leads(0))

    def adopt(self, fleet: Fleet) -> None:
        """Take over a revised fleet: slots that changed hands start anew."""
        old, new = self.fleet.slots, fleet.slots
        changed = [
            number for number, slot in enumerate(old) if number < len(new) and slot.generation != new[number].generation
        ]
        slots: Int64s = np.array(changed, np.int64)
        self.state = self.state.forgotten(slots).resized(len(new))
        self.leads = self.leads.forgotten(slots).resized(len(new))
        self.shadow.adopt(len(new), slots)
        self.capacities.forget(slots)
        self.usual.forget(slots)
        self.scores.forget(slots)
        self.outlook.forget(slots)
        self.outlook.resize(len(new))
        self.fleet, self.made = fleet, None
        self._group()

    def begin_anew(self, at: float) -> None:
        """Forget what forecasts have learned: the past from `at` on is about to be taught."""
        self.outlook.resize(0)
        self.outlook.resize(len(self.fleet))
        self.outlook.set_back(at)
        self.untaught, self.made = False, None
        self._group()

    def score(self, snapshot: Snapshot, table: PolicyTable) -> Snapshot:
        """The snapshot with the scores of its readings. Once a turn, before all else that reads the signals."""
        scores = self.scores.follow(snapshot, table.scores)
        return dataclasses.replace(snapshot, signals=snapshot.signals | scores) if scores else snapshot

    def learn(self, snapshot: Snapshot, table: PolicyTable, lead: Float64s) -> None:
        """Take in the loads of a snapshot. What a suspect source said is not learned.

        A snapshot of before the last turn means that the clock was set back: what was learned stays.
        """
        if snapshot.now <= self.state.at:
            self.state, self.made = self.state.set_back(snapshot.now), None
            self.outlook.set_back(snapshot.now)
            self.shadow.set_back(snapshot.now)
            self.capacities.set_back()
            self.usual.set_back()
        load = loads(snapshot, table, suspects(self.state, snapshot))
        starts = self.leads.starts(table.lead, lead)
        self.changes = self.outlook.step(
            snapshot.now, load, lead, table.risk, self._capacity(table), starts, self.fleet.tenants
        )
        self.usual.follow(snapshot.now, load, table.announced, snapshot.held.announced)
        self.capacities.follow(snapshot, table.learning, load, doubted(self.state, snapshot))

    def forecast(self, now: float) -> Forecast:
        """The loads ahead: made once a step of the grid, and read from there in every turn until the next one."""
        made_at = self.outlook.made_at
        if math.isnan(made_at):
            return self.outlook.forecast(now, LEVELS, AHEAD)
        if self.made is None or self.made.at != made_at:
            made = self.outlook.forecast(made_at, LEVELS, AHEAD)
            self.made = dataclasses.replace(
                made,
                quantiles=_rounded(made.quantiles),
                floor=_rounded(made.floor),
                realised=_rounded(made.realised),
                expected=_rounded(made.expected),
            )
        return dataclasses.replace(self.made, at=now, ahead=AHEAD - (now - made_at))

    def table(self, table: PolicyTable) -> PolicyTable:
        """The policies with what was learned of their replicas' capacities: the same object until one changes."""
        learned = self.capacities.learned(table.learning)
        if self._over is None or self._over[0] is not table or self._over[1] is not learned:
            self._over = (table, learned, capacity.over(table, learned))
        return self._over[2]

    def _capacity(self, table: PolicyTable) -> Float64s:
        """[n] what a replica serves, as far as it was known when the last turn ended."""
        return capacity.in_force(table.capacity, self.capacities.learned(table.learning))

    def announced(self, table: PolicyTable, now: float, lead: Float64s) -> Float64s:
        """[a] the load that each announced event brings, if it is to be prepared for now; see `Held`."""
        return rows.held(table.announced, self.usual, now, lead)

    def lead(self, table: PolicyTable, default_seconds: float) -> Float64s:
        """[n] seconds from a decision to a ready pod."""
        return self.leads.expected(table.lead, default_seconds)

    def decide(self, snapshot: Snapshot, forecast: Forecast, table: PolicyTable, lead: Float64s) -> Decisions:
        """One turn of deciding."""
        self.state, decisions = decide(self.state, snapshot, forecast, table, lead)
        return decisions

    def digest(self) -> str:
        """SHA-256 of the state of deciding, to compare a replay with.

        Of the proposals what this turn made; each older row was compared in its own turn. The arrays go in as they lie
        in memory: 14 ms for 100,000 workloads, and 76 ms when they were packed first.
        """
        made = self.state.recommended
        newest = dataclasses.replace(made, value=made.value[made.at == self.state.at])
        found = hashlib.sha256()
        for name, array in columns.flatten(dataclasses.replace(self.state, recommended=newest)).items():
            found.update(f"{name} {array.dtype.str} {array.shape}\n".encode())
            found.update(np.ascontiguousarray(array).data)
        return _DIGEST + found.hexdigest()

    def left(self, recorded: str) -> bool:
        """Whether this is the state of which `recorded` is the digest. One of an earlier version tells nothing."""
        return former.is_digest(recorded) or recorded == self.digest()

    def checkpoint(self) -> Columns:
        """Everything learned, as columns."""
        outlook = {f"outlook.{name}": array for name, array in self.outlook.state().items()}
        return self.decided() | outlook | {f"scores.{name}": array for name, array in self.scores.checkpoint().items()}

    def decided(self) -> Columns:
        """The state of deciding, lead times, capacities and the shadow, as columns. These arrays never change."""
        leads: Columns = {"leads.seconds": self.leads.seconds, "leads.count": self.leads.count}
        shadow = {f"shadow.{name}": array.copy() for name, array in self.shadow.checkpoint().items()}
        capacities = {f"capacities.{name}": array for name, array in self.capacities.checkpoint().items()}
        usual = {f"usual.{name}": array for name, array in self.usual.checkpoint().items()}
        return columns.flatten(self.state, "state") | leads | shadow | capacities | usual

    def restore(self, stored: Columns, fleet: Fleet) -> None:
        """Take over what `checkpoint` returned for `fleet`. Of a version that forecast otherwise: all but forecasts."""
        self.outlook.resize(len(fleet))
        try:
            self.outlook.restore(_within(stored, "outlook."))
        except ValueError:
            self.outlook.resize(0)
            self.outlook.resize(len(fleet))
            self.untaught = True
        self.state = columns.restore(State, former.state_columns(stored), "state")
        self.leads = Leads.of(
            np.asarray(stored["leads.seconds"], np.float32), np.asarray(stored["leads.count"], np.int64)
        )
        self.shadow.restore(_within(stored, "shadow."), len(fleet))
        self.capacities.restore(_within(stored, "capacities."))
        self.usual.restore(_within(stored, "usual."))
        self.scores.restore(_within(stored, "scores."))
        self.fleet, self.made = fleet, None
        self._group()

    def _group(self) -> None:
        """A new workload borrows from those of its tenant: tell a forecaster that can who they are."""
        forecaster = self.outlook.forecaster
        if isinstance(forecaster, Borrower):
            forecaster.among(self.fleet.groups)


def _within(stored: Columns, start: str) -> Columns:
    return {name[len(start) :]: array for name, array in stored.items() if name.startswith(start)}


def _rounded(quantiles: Float32s) -> Float32s:
    """With 12 significant bits, 1 in 4,000: far within any band, and half of the bytes in the ledger."""
    bits = (quantiles.view(np.uint32) + np.uint32(0x800)) & np.uint32(0xFFFFF000)
    out: Float32s = bits.view(np.float32)
    return out
