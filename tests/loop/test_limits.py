"""Schedules bent into limits, turn by turn in a small Podium."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from tests.brief.stage import Stage, by_load, policy, signal, stage
from tests.loop.decide.fleets import Conducted, expected, reasons, table
from tests.loop.scenes import FLEET, policies

from podium.ledger.ledger import Ledger
from podium.loop.decide.table import PolicyTable, Span, Windows
from podium.loop.remember import anew
from podium.loop.remember.replay import replay_all
from podium.loop.tabulate import tabulate
from podium.model.decision import Decisions, Reason
from podium.model.snapshot import Held

SPAN = Span("0 8 * * *", "UTC", 3600.0)


def windowed(*, low: int = -1, high: int = -1, minimum: int = 2, maximum: int = 60) -> PolicyTable:
    rows = np.zeros(1, np.int32)
    windows = Windows((SPAN,), rows, rows, np.zeros(1, np.int16), np.array([low], np.int64), np.array([high], np.int64))
    return dataclasses.replace(table(1, minimum=minimum, maximum=maximum), windows=windows)


def turn(fleet: Conducted, load: float, until: float = np.nan) -> Decisions:
    fleet.at += 15
    seen = dataclasses.replace(fleet.seen(load), held=Held(np.array([until]), np.empty(0, np.int8)))
    return fleet.decided(seen, expected(1, np.nan, fleet.at, trusted=False))


def test_a_window_raises_at_once_for_its_own_reason_and_only_while_it_holds() -> None:
    fleet = Conducted(windowed(low=10), 3)
    assert turn(fleet, 30.0).replicas.tolist() == [3]
    inside = turn(fleet, 30.0, until=fleet.at + 600)
    assert (inside.replicas.tolist(), Reason.SCHEDULED_MINIMUM in reasons(inside)) == ([10], True)
    assert {int(turn(fleet, 30.0, until=fleet.at + 600).replicas[0]) for _ in range(30)} == {10}
    assert [int(turn(fleet, 30.0).replicas[0]) for _ in range(22)][-1] == 3


def test_a_windows_maximum_holds_a_load_down_and_never_goes_under_the_policys_minimum() -> None:
    fleet = Conducted(windowed(high=1, minimum=2), 8)
    assert turn(fleet, 80.0, until=2e9).replicas.tolist() == [2]
    assert turn(fleet, 80.0, until=2e9).replicas.tolist() == [2]


def test_what_nobody_looked_at_does_not_hold() -> None:
    fleet = Conducted(windowed(low=10), 3)
    fleet.at += 15
    seen = fleet.seen(30.0)
    assert fleet.decided(seen, expected(1, np.nan, fleet.at, trusted=False)).replicas.tolist() == [3]


def test_alike_windows_of_a_fleet_are_one_span() -> None:
    lines = (
        "  schedule: [{cron: '0 8 * * *', duration: 1h, minReplicas: 10}, {cron: '0 8 * * *', duration: 1h, "
        "maxReplicas: 20}]\n"
    )
    windows = tabulate(policies(lines), FLEET).windows
    assert (windows.spans, windows.position.tolist()) == ((SPAN,), [0, 1])
    assert (windows.minimum.tolist(), windows.maximum.tolist()) == ([10, -1], [-1, 20])


IN_PARIS = "  schedule: [{cron: '5 10 * * *', timeZone: Europe/Paris, duration: 5m, minReplicas: 9}]\n"
SCHEDULED = signal("load", "load", "per_second") + policy(rest=by_load() + IN_PARIS)
ALONE = policy(rest="  schedule: [{cron: '5 9 * * *', duration: 5m, minReplicas: 9}]\n")


async def test_a_floor_by_the_clock_of_a_zone_is_told_and_replayed(tmp_path: Path) -> None:
    async with stage(tmp_path, SCHEDULED) as stood:
        stood.measured.of_workloads["load"] = lambda: {"web": 25.0 + stood.pace() % 0.7}
        await stood.minutes(4)
        before = stood.replicas()
        await stood.minutes(3)
        inside, told = stood.replicas(), stood.explained()
        await stood.minutes(12)
        assert (before, inside, stood.replicas()) == (4, 9, 3)
        assert "at least 9 until 10:10 Europe/Paris by its schedule (asked for 3)" in told.reasons
    replayed_alike(tmp_path)


async def test_without_any_measurement_the_calendar_alone_decides(tmp_path: Path) -> None:
    async with stage(tmp_path, ALONE) as stood:
        sizes = await each_minute(stood, 20)
    assert (sizes[0], sizes[7], sizes[-1]) == (4, 9, 1)  # begun with four


async def each_minute(stood: Stage, minutes: int) -> list[int]:
    sizes = []
    for _ in range(minutes):
        await stood.minutes(1)
        sizes.append(stood.replicas())
    return sizes


def replayed_alike(folder: Path) -> None:
    ledger = Ledger.open(f"sqlite:///{folder}/podium.db")
    replayed = list(replay_all(ledger, anew.new_memory()))
    ledger.close()
    assert replayed
    assert all(one.identical for one in replayed)
