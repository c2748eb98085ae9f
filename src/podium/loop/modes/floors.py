"""Mode floor, pure: which HPAs' minimum is raised, kept or given back, from what was decided and what was read.

A worked example: an HPA of 2 to 30 is to have 9 replicas soon. minReplicas 2 -> 9, noted: original 2, raised 9, until
in half an hour. Later 6 are enough: 9 -> 6. Then 2 are: 6 -> 2, given back, and the note is taken away. A person who
writes 5 meanwhile has the last word: the note goes, 5 is the original of whatever comes next.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping

import numpy as np

from podium.loop.decide.table import Mode, PolicyTable
from podium.loop.modes.board import BLIND, HALF_BLIND
from podium.loop.modes.surroundings import Around, Autoscaler, Noted, SetFloor
from podium.model.arrays import UNKNOWN, Bools, Int32s, Int64s
from podium.model.decision import Decisions, Reason
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

RENEWED = 0.5  # of a floor's life: what is left when it is renewed. Two writes an hour for half an hour's life


@dataclasses.dataclass(frozen=True, slots=True)
class Floors:
    """What a turn read of the HPAs in mode floor, and what it means to write: k rows, recorded with the turn."""

    slots: Int32s  # [k] rising
    minimum: Int64s  # [k] minReplicas that was there
    maximum: Int64s  # [k] maxReplicas
    original: Int64s  # [k] minReplicas without Podium
    planned: Int64s  # [k] minReplicas that a command was made for; UNKNOWN: none


def no_floors() -> Floors:
    """Nobody is in mode floor."""
    none = np.empty(0, np.int64)
    return Floors(none.astype(np.int32), none, none, none, none)


@dataclasses.dataclass(frozen=True, slots=True)
class Planned:
    """What is to be done with floors in one turn."""

    commands: tuple[SetFloor, ...]
    floors: Floors
    overwritten: tuple[WorkloadKey, ...]  # somebody else wrote the minReplicas that Podium had raised
    troubles: Mapping[WorkloadKey, str]  # why a workload in mode floor has no floor
    taken: int  # replicas by which floors were lowered


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What bounds floors besides the decisions."""

    epoch: int
    now: float  # Unix seconds
    expires_seconds: float
    budget: int  # replicas by which floors may be lowered now
    resting: frozenset[WorkloadKey] = frozenset()  # where Podium yields to somebody else


def plan(
    decisions: Decisions, replicas: Int64s, fleet: Fleet, table: PolicyTable, around: Around, terms: Terms
) -> Planned:
    """The commands of one turn. `replicas` [n] are there."""
    slots = np.flatnonzero(table.mode == Mode.FLOOR).tolist()
    up, down, blind = _held(decisions, replicas, table)
    commands: list[SetFloor] = []
    rows: list[tuple[int, int, int, int, int]] = []
    overwritten: list[WorkloadKey] = []
    troubles: dict[WorkloadKey, str] = {}
    left = terms.budget
    for slot in slots:
        key = fleet.slots[slot].key
        if key is None:
            continue
        found = around.autoscalers.get(key, ())
        if trouble := _unusable(key, found, around):
            troubles[key] = trouble
            continue
        (one,) = found
        if one.floor is not None and one.minimum != one.floor.raised:
            overwritten.append(key)
        original = _original(one)
        wanted = _target(one, int(decisions.replicas[slot]), terms, up=up[slot], down=down[slot], blind=blind[slot])
        cut = max(one.minimum - wanted, 0)
        wanted += max(cut - left, 0)
        command = _command(one, wanted, terms)
        if command is not None:
            left -= max(command.current - command.minimum, 0)
            commands.append(command)
        rows.append((slot, one.minimum, one.maximum, original, UNKNOWN if command is None else command.minimum))
    commands += _orphans({fleet.slots[slot].key for slot in slots}, around, terms)
    table_of = np.array(rows, np.int64).reshape(len(rows), 5)
    floors = Floors(table_of[:, 0].astype(np.int32), *(table_of[:, column].copy() for column in range(1, 5)))
    return Planned(tuple(commands), floors, tuple(overwritten), troubles, terms.budget - left)


def _held(decisions: Decisions, replicas: Int64s, table: PolicyTable) -> tuple[Bools, Bools, Bools]:
    """[n] who is paused on the way up, who on the way down, and of whom too little is known."""
    reasons, size = decisions.reasons, len(table)

    def told(*codes: Reason) -> Bools:
        said = np.zeros(size, np.bool_)
        said[reasons.slot[np.isin(reasons.code, codes)]] = True
        return said

    up = table.pause_up | told(Reason.RULE_PAUSES_UP)
    down = table.pause_down | told(Reason.RULE_PAUSES_DOWN)
    if table.ordered is not None:
        up, down = up | (table.ordered.up != UNKNOWN), down | (table.ordered.down != UNKNOWN)
    blind = told(*BLIND) | (told(*HALF_BLIND) & (decisions.replicas <= replicas)) | (decisions.replicas == UNKNOWN)
    return up, down, blind


def _unusable(key: WorkloadKey, found: tuple[Autoscaler, ...], around: Around) -> str:
    if key.namespace in around.troubles:
        return f"its HPA cannot be read: {around.troubles[key.namespace]}"
    if not found:
        return "no HorizontalPodAutoscaler targets it, so there is no minimum to raise; mode own needs none"
    if len(found) > 1:
        return f"{len(found)} HPAs target it ({', '.join(one.name for one in found)}): Kubernetes follows neither"
    if found[0].owner:
        return f"its {found[0]} takes its minimum from there and would take a floor back; mode metric suits it"
    return ""


def _original(one: Autoscaler) -> int:
    """minReplicas without Podium: what stands there, unless it is what Podium wrote."""
    return one.floor.original if one.floor is not None and one.minimum == one.floor.raised else one.minimum


def _target(one: Autoscaler, replicas: int, terms: Terms, *, up: bool, down: bool, blind: bool) -> int:
    """The minReplicas that is wanted: never under the original, never over maxReplicas."""
    original = _original(one)
    if one.floor is not None and one.minimum != one.floor.raised:
        return one.minimum  # theirs: ours yields, and begins anew from there
    if one.target in terms.resting:
        return original
    if blind:  # a floor is neither raised nor lowered in the dark; one that ran out in our absence is over
        return original if one.floor is not None and one.floor.until <= terms.now else one.minimum
    wanted = min(max(replicas, original), max(one.maximum, original))
    if up:
        wanted = min(wanted, one.minimum)
    return max(wanted, one.minimum) if down else wanted


def _command(one: Autoscaler, wanted: int, terms: Terms) -> SetFloor | None:
    """What has to be written; None: all is as it should be."""
    original, floor = _original(one), one.floor
    theirs = floor is not None and one.minimum != floor.raised
    note = None if wanted <= original or theirs else Noted(
        original=original, raised=wanted, until=terms.now + terms.expires_seconds
    )  # fmt: skip
    if note is None and floor is None:
        return None
    stands = note is not None and floor is not None and wanted == one.minimum
    if stands and floor is not None and floor.until - terms.now > RENEWED * terms.expires_seconds:
        return None
    return _set(one, wanted, note, terms.epoch)


def _set(one: Autoscaler, minimum: int, note: Noted | None, epoch: int) -> SetFloor:
    return SetFloor(
        key=one.target,
        autoscaler=one.name,
        current=one.minimum,
        minimum=minimum,
        note=note,
        resource_version=one.resource_version,
        epoch=epoch,
    )


def give_back(one: Autoscaler, epoch: int) -> SetFloor:
    """Put the original back where what stands there is Podium's own; else only take the note away."""
    return _set(one, _original(one), None, epoch)


def _orphans(led: set[WorkloadKey | None], around: Around, terms: Terms) -> Iterator[SetFloor]:
    """Floors of workloads that are not in mode floor any more are given back."""
    for key, found in around.autoscalers.items():
        if key not in led:
            yield from (give_back(one, terms.epoch) for one in found if one.floor is not None)
