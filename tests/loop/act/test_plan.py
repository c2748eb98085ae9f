from __future__ import annotations

import dataclasses

import numpy as np
from tests.loop.decide.fleets import Conducted, expected, table

from podium.loop.act.plan import plan
from podium.loop.decide.table import Mode
from podium.model.arrays import UNKNOWN
from podium.model.command import Scale
from podium.model.decision import Decisions
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

KEYS = [WorkloadKey("local", "shop", "deployment", "apps", name) for name in ("api", "jobs", "web")]
FLEET = Fleet().revised(dict.fromkeys(KEYS, "shop"))
NOTHING = expected(3, np.nan, trusted=False)


def planned(wanted: list[int], seen: list[int], modes: list[Mode], versions: tuple[str, ...]) -> list[tuple[int, int]]:
    fleet = Conducted(dataclasses.replace(table(3), mode=np.array(modes, np.int8)), np.array(seen))
    snapshot = fleet.seen(10.0)
    decisions = Decisions(np.array(wanted, np.int64), fleet.decided(snapshot, NOTHING).reasons)
    commands = plan(decisions, snapshot, FLEET, fleet.table, versions, epoch=7)
    assert all(command == _command(command.slot, wanted, seen, versions) for command in commands)
    return [(command.slot, command.replicas) for command in commands]


def _command(slot: int, wanted: list[int], seen: list[int], versions: tuple[str, ...]) -> Scale:
    return Scale(
        slot=slot,
        key=KEYS[slot],
        current=seen[slot],
        replicas=wanted[slot],
        resource_version=versions[slot],
        epoch=7,
    )


def test_what_differs_becomes_a_command_with_its_preconditions() -> None:
    assert planned([5, 4, 3], [5, 2, 9], [Mode.OWN] * 3, ("1", "2", "3")) == [(1, 4), (2, 3)]


def test_only_workloads_that_are_ours_to_write_are_written() -> None:
    assert planned([5, 5, 5], [4, 4, 4], [Mode.RECOMMEND, Mode.FLOOR, Mode.OWN], ("1", "2", "3")) == [(2, 5)]


def test_what_was_not_seen_or_has_no_version_is_not_written() -> None:
    assert planned([5, UNKNOWN, 5], [UNKNOWN, 4, 4], [Mode.OWN] * 3, ("1", "2", "")) == []


def test_an_emptied_slot_gets_no_command() -> None:
    fleet = Fleet().revised(dict.fromkeys(KEYS, "shop")).revised(dict.fromkeys(KEYS[:2], "shop"))
    conducted = Conducted(table(3), 4)
    snapshot = conducted.seen(10.0)
    decisions = Decisions(np.full(3, 6), conducted.decided(snapshot, NOTHING).reasons)
    commands = plan(decisions, snapshot, fleet, conducted.table, ("1", "2", "3"), epoch=7)
    assert [command.slot for command in commands] == [0, 1]
