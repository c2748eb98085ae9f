"""What the ledger holds of the loop: one chunk per turn, checkpoints of the memory, fleets and policies by digest.

A turn is recorded, with what it intends, before anything is written to a cluster; the fates of its commands follow in
an entry of their own.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

import podium
from podium.ledger.columns import pack, unpack
from podium.ledger.entry import Draft, Entry
from podium.loop.act.carry_out import Result
from podium.loop.modes.floors import Floors, no_floors
from podium.loop.tabulate import Policies
from podium.model import clock, columns
from podium.model.arrays import UNKNOWN, Columns, Float64s, Int64s
from podium.model.capacity import Learned, nothing_learned
from podium.model.command import Scale
from podium.model.decision import Decisions
from podium.model.events import Event
from podium.model.fleet import Fleet, Slot
from podium.model.forecast import Forecast
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Snapshot
from podium.model.verdict import Expectation, Verdict

ACTOR = "podium/loop"
TURN, CHECKPOINT, MEMORY, FLEET, POLICIES, RESULTS, VERDICTS, EVENT = (
    "turn",
    "checkpoint",
    "memory",
    "fleet",
    "policies",
    "results",
    "verdicts",
    "event",
)


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """One recorded turn of the loop: its inputs, what was decided and intended, and the state it left (a digest)."""

    number: int
    fleet: str  # digest
    policies: str  # digest
    snapshot: Snapshot
    forecast: Forecast
    lead: Float64s  # [n] seconds
    ready: Int64s  # [n] pods serving
    decisions: Decisions
    planned: Int64s  # [n] replicas that a command was made for; UNKNOWN: none
    state: str  # digest of the state of deciding afterwards
    version: str = podium.__version__  # of the Podium that decided: another one may decide otherwise
    orders: str = ""  # digest of what people had ordered; "": nothing
    learned: Learned = dataclasses.field(default_factory=nothing_learned)  # capacities that were decided with
    floors: Floors = dataclasses.field(default_factory=no_floors)  # what was read of HPAs in mode floor, and intended


def draft_turn(turn: Turn, asked: Float64s | None = None) -> Draft:
    """The entry of a turn. Of the forecast it keeps the levels `asked` for, which decided; by default all of them."""
    forecast = turn.forecast if asked is None else of_levels(turn.forecast, asked)
    meta = {name: getattr(turn, name) for name in ("number", "fleet", "policies", "orders", "state", "version")}
    payload: Columns = (
        columns.flatten(turn.snapshot, "snapshot")
        | columns.flatten(forecast, "forecast")
        | {"lead": turn.lead, "ready": turn.ready, "planned": turn.planned}
        | columns.flatten(turn.decisions, "decisions")
        | (columns.flatten(turn.learned, "learned") if len(turn.learned.slots) else {})
        | (columns.flatten(turn.floors, "floors") if len(turn.floors.slots) else {})
    )
    return _draft(TURN, turn.snapshot.now, pack(meta, payload), subject=str(turn.number))


def read_turn(entry: Entry) -> Turn:
    """The turn in an entry. Raises ValueError when its inputs were purged or the chunk is damaged."""
    if entry.purged:
        raise ValueError(f"the inputs of turn {entry.subject} are older than the retention and were dropped")
    meta, payload = unpack(entry.payload)
    return Turn(
        number=meta["number"],
        fleet=meta["fleet"],
        policies=meta["policies"],
        snapshot=columns.restore(Snapshot, payload, "snapshot"),
        forecast=columns.restore(Forecast, payload, "forecast"),
        lead=np.asarray(payload["lead"], np.float64),
        ready=np.asarray(payload["ready"], np.int64),
        decisions=columns.restore(Decisions, payload, "decisions"),
        planned=np.asarray(payload["planned"], np.int64),
        state=meta["state"],
        version=meta.get("version", ""),
        orders=meta.get("orders", ""),
        learned=columns.restore(Learned, payload, "learned") if "learned.slots" in payload else nothing_learned(),
        floors=columns.restore(Floors, payload, "floors") if "floors.slots" in payload else no_floors(),
    )


def of_levels(forecast: Forecast, asked: Float64s) -> Forecast:
    """The same for those who ask for these levels, each read from its own or the next higher one."""
    rows = np.unique(np.minimum(np.searchsorted(forecast.levels, asked, "left"), len(forecast.levels) - 1))
    return dataclasses.replace(forecast, levels=forecast.levels[rows], quantiles=forecast.quantiles[rows])


def planned(commands: Sequence[Scale], size: int) -> Int64s:
    """[n] the replicas that commands are to write."""
    out = np.full(size, UNKNOWN, np.int64)
    for command in commands:
        out[command.slot] = command.replicas
    return out


@dataclasses.dataclass(frozen=True, slots=True)
class Checkpoint:
    """The whole memory after turn `number`, and what was still expected then."""

    number: int
    fleet: str
    expectations: tuple[Expectation, ...]
    memory: Columns
    parts: int = 0  # entries that hold what forecasts have learned; 0: it is in `memory`

    def __len__(self) -> int:
        return len(self.memory["leads.count"])


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Some slots of what forecasts have learned."""

    columns: Columns
    sliced: tuple[str, ...]  # columns of which it holds these slots; the others are whole


def part_name(number: int, part: int) -> str:
    """The subject of a part of the memory after turn `number`."""
    return f"{number}/{part}"


def draft_part(number: int, part: int, content: Part, now: float) -> Draft:
    """The entry of a part."""
    payload = pack({"sliced": list(content.sliced)}, content.columns)
    return _draft(MEMORY, now, payload, subject=part_name(number, part))


def read_part(entry: Entry) -> Part:
    """The part in an entry."""
    meta, payload = unpack(entry.payload)
    return Part(payload, tuple(meta["sliced"]))


def draft_checkpoint(checkpoint: Checkpoint, now: float) -> Draft:
    """The entry of a checkpoint."""
    meta = {
        "number": checkpoint.number,
        "fleet": checkpoint.fleet,
        "expectations": [_plain(item) for item in checkpoint.expectations],
        "parts": checkpoint.parts,
    }
    return _draft(CHECKPOINT, now, pack(meta, checkpoint.memory), subject=str(checkpoint.number))


def read_checkpoint(entry: Entry) -> Checkpoint:
    """The checkpoint in an entry."""
    meta, payload = unpack(entry.payload)
    expectations = tuple(_read(Expectation, item) for item in meta["expectations"])
    return Checkpoint(meta["number"], meta["fleet"], expectations, payload, meta.get("parts", 0))


def draft_fleet(fleet: Fleet, now: float) -> Draft:
    """The entry of a fleet, found again by its digest."""
    rows = [[str(slot.key) if slot.key else None, slot.tenant, slot.generation] for slot in fleet.slots]
    return _draft(FLEET, now, json.dumps(rows).encode(), subject=fleet.digest)


def read_fleet(entry: Entry) -> Fleet:
    """The fleet in an entry."""
    rows = json.loads(entry.payload)
    return Fleet(
        tuple(Slot(WorkloadKey.parse(key) if key else None, tenant, generation) for key, tenant, generation in rows)
    )


def draft_policies(policies: Policies, digest: str, now: float) -> Draft:
    """The entry of the policies in force, found again by their digest."""
    return _draft(POLICIES, now, policies.to_json(), subject=digest)


def read_policies(entry: Entry) -> Policies:
    """The policies in an entry."""
    return Policies.from_json(entry.payload)


def draft_results(number: int, results: Sequence[Result], now: float) -> Draft:
    """The entry of the fates of a turn's commands."""
    return _draft(RESULTS, now, json.dumps([_plain(result) for result in results]).encode(), subject=str(number))


def read_results(entry: Entry) -> tuple[Result, ...]:
    """The results in an entry."""
    return tuple(_read(Result, item) for item in json.loads(entry.payload))


def draft_verdicts(number: int, verdicts: Sequence[Verdict], now: float) -> Draft:
    """The entry of the verdicts that a turn reached."""
    return _draft(VERDICTS, now, json.dumps([_plain(verdict) for verdict in verdicts]).encode(), subject=str(number))


def read_verdicts(entry: Entry) -> tuple[Verdict, ...]:
    """The verdicts in an entry."""
    return tuple(_read(Verdict, item) for item in json.loads(entry.payload))


def draft_event(event: Event) -> Draft:
    """The entry of an event."""
    payload = json.dumps({"type": event.type, **event.data}).encode()
    return Draft(
        kind=EVENT, at_us=event.at_us, subject=event.subject, tenant=event.tenant, actor=ACTOR, payload=payload
    )


def read_event(entry: Entry) -> Event:
    """The event in an entry."""
    data = json.loads(entry.payload)
    return Event(
        id=entry.id, at_us=entry.at_us, type=data.pop("type"), subject=entry.subject, tenant=entry.tenant, data=data
    )


def _draft(kind: str, now: float, payload: bytes, *, subject: str, actor: str = ACTOR) -> Draft:
    return Draft(kind=kind, at_us=clock.microseconds(now), subject=subject, actor=actor, payload=payload)


def _plain(value: Any) -> Any:
    return msgspec.to_builtins(value)


def _read(cls: type[Any], value: Any) -> Any:
    return msgspec.convert(value, cls)
