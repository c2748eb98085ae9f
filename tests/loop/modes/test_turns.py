"""The modes in a small Podium, turn after turn, recorded and decided again."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from tests.brief.stage import WEB, Stage, by_load, policy, signal, stage
from tests.loop.test_limits import replayed_alike

from podium.clients.kubernetes.selectors import parse
from podium.loop.modes.board import Absent
from podium.loop.modes.surroundings import Autoscaler
from podium.loop.remember.floors import FLOORS, read_floors
from podium.settings import load
from podium.wiring import installation

SIGNALS = signal("load", "load", "per_second")
QUICK = "  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}\n"


def documents(mode: str) -> str:
    return SIGNALS + policy(mode=mode, rest=by_load() + QUICK)


def telling(stood: Stage, load: float) -> None:
    stood.measured.of_workloads["load"] = lambda: {"web": load - stood.pace() % 0.7}


async def hpa(stood: Stage) -> Autoscaler:
    (one,) = (await stood.around.autoscalers(["shop"])).autoscalers[WEB]
    return one


async def test_a_floor_rises_with_what_is_wanted_and_is_given_back(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("floor")) as stood:
        await stood.around.install(WEB, 2, 30)
        telling(stood, 40.0)
        await stood.turns(2)
        telling(stood, 60.0)
        await stood.turns(1)
        raised, told = await hpa(stood), stood.explained().outcome
        telling(stood, 35.0)
        await stood.minutes(6)
        lower = await hpa(stood)
        telling(stood, 19.0)
        await stood.minutes(8)
        back = await hpa(stood)
        row = stood.program.live.workload(str(WEB))
        assert (raised.minimum, lower.minimum, back.minimum, back.floor) == (6, 4, 2, None)
        assert (stood.writes(), row.troubles) == ([], ())  # Podium itself wrote no replicas
    assert told == "minReplicas of its HPA 4 -> 6 (its own: 2)"
    with contextlib.closing(
        installation.open_ledger(load({"config": str(tmp_path / "podium.yaml")}, {}, tmp_path))
    ) as ledger:
        done = [one.command for entry in ledger.entries([FLOORS]) for one in read_floors(entry)]
    assert [(one.current, one.minimum) for one in done if one.current != one.minimum] == [
        (2, 4),
        (4, 6),
        (6, 4),
        (4, 2),
    ]
    assert {one.note.original for one in done if one.note is not None} == {2}
    replayed_alike(tmp_path)


async def test_a_silent_source_leaves_the_floor_where_it_is(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("floor")) as stood:
        await stood.around.install(WEB, 2, 30)
        telling(stood, 60.0)
        await stood.turns(2)
        stood.measured.broken = True
        await stood.minutes(40)
        one = await hpa(stood)
        assert (one.minimum, one.floor is not None and one.floor.until > stood.pace()) == (6, True)


async def test_without_an_hpa_a_floor_says_what_is_missing(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("floor")) as stood:
        telling(stood, 60.0)
        await stood.turns(2)
        (trouble,) = stood.program.live.workload(str(WEB)).troubles
        assert trouble.startswith("no HorizontalPodAutoscaler targets it")


async def test_the_metric_says_what_is_wanted_and_nothing_in_the_dark(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("metric")) as stood:
        telling(stood, 60.0)
        await stood.turns(2)
        said = stood.program.board.ask("shop", parse("workload=web"))
        told = stood.explained()
        stood.measured.broken = True
        await stood.minutes(5)
        with pytest.raises(Absent, match="a signal is unknown"):
            stood.program.board.ask("shop", parse("workload=web"))
        assert (said.replicas, stood.writes()) == (6, [])
        assert told.outcome == "told to whoever asks for its metric: podium-replicas 6"
    replayed_alike(tmp_path)


async def test_a_paused_namespace_stands_still_until_the_word_is_taken_away(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("own")) as stood:
        telling(stood, 40.0)
        await stood.turns(3)
        stood.around.annotate("shop", "up")
        telling(stood, 60.0)
        await stood.turns(3)
        held, row = stood.replicas(), stood.program.live.workload(str(WEB))
        stood.around.annotate("shop", None)
        await stood.turns(3)
        assert (held, row.paused, row.pauses[0].by, stood.replicas()) == (4, "up", "annotation podium.dev/paused", 6)
    replayed_alike(tmp_path)


async def test_who_overwrites_it_again_and_again_is_yielded_to(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("own")) as stood:
        telling(stood, 60.0)
        for _ in range(8):
            await stood.turns(1)
            await stood.cluster.edit(WEB, 2)
        row = stood.program.live.workload(str(WEB))
        ours = [one.after for one in stood.writes()]
        await stood.minutes(16)
        after = [one.after for one in stood.writes()]
        assert (ours, any("kubectl overwrites what Podium writes" in one for one in row.troubles)) == ([6, 6, 6], True)
        assert (after, stood.replicas()) == ([6, 6, 6, 6], 6)  # once more, and nobody objects any longer


async def test_an_hpa_beside_podium_is_named_before_anything_is_overwritten(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("own")) as stood:
        await stood.around.install(WEB, 2, 30, owner="ScaledObject web")
        telling(stood, 40.0)
        await stood.turns(2)
        (trouble,) = stood.program.live.workload(str(WEB)).troubles
        assert trouble.startswith("HPA web of ScaledObject web (2 to 30 replicas) scales it, too")
