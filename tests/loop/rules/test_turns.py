"""Rules in a small Podium, turn after turn, recorded and decided again."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.brief.stage import Stage, by_load, policy, signal, stage
from tests.loop.rules.test_rules import HOSTILE
from tests.loop.test_limits import replayed_alike

from podium.cli.checks import rules as checked
from podium.settings import load

SIGNALS = signal("load", "load", "per_second") + signal("queue", "queue", "count")


def documents(when: str, then: str, load: str = by_load()) -> str:
    return SIGNALS + policy(rest=f"{load}  rules:\n    - when: '{when}'\n      then: {then}\n")


def telling(stood: Stage, load: float, queue: float | None) -> None:
    stood.measured.of_workloads["load"] = lambda: {"web": load + stood.pace() % 0.7}
    told = {} if queue is None else {"web": queue}
    stood.measured.of_workloads["queue"] = lambda: {name: value + stood.pace() % 0.5 for name, value in told.items()}


async def test_a_rule_raises_while_it_holds_and_an_unknown_signal_lowers_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("queue > 100 && hour >= 9", "{minReplicas: 9}")) as stood:
        telling(stood, 25.0, 10.0)
        await stood.minutes(7)
        before = stood.replicas()
        telling(stood, 25.0, 500.0)
        await stood.minutes(1)
        held, told = stood.replicas(), stood.explained().reasons
        telling(stood, 25.0, None)
        await stood.minutes(15)
        unknown, why = stood.replicas(), stood.explained().reasons
        telling(stood, 25.0, 10.0)
        await stood.minutes(12)
        assert (before, held, unknown, stood.replicas()) == (3, 9, 9, 3)
    assert "at least 9 while `queue > 100 && hour >= 9` (asked for 3)" in told
    assert any("whether `queue > 100 && hour >= 9` is not known" in one for one in why)
    replayed_alike(tmp_path)


async def test_a_rule_that_pauses_a_direction_is_named(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("queue > 100", "{pause: up}")) as stood:
        telling(stood, 25.0, 500.0)
        await stood.minutes(1)
        telling(stood, 35.0, 500.0)
        await stood.minutes(1)
        telling(stood, 45.0, 500.0)
        await stood.minutes(1)
        told = stood.explained().reasons
        assert stood.replicas() == 4
    assert "scaling up is paused while `queue > 100` (asked for 5)" in told


async def test_a_maximum_by_a_rule_is_taken_back_when_it_ends(tmp_path: Path) -> None:
    async with stage(tmp_path, documents("queue > 100", "{maxReplicas: 2}")) as stood:
        telling(stood, 35.0, 10.0)
        await stood.minutes(2)
        telling(stood, 35.0, 101.0)
        await stood.minutes(2)
        capped = stood.replicas()
        telling(stood, 35.0, 50.0)
        await stood.minutes(2)
        assert (capped, stood.replicas()) == (2, 4)


async def test_a_cap_that_is_asked_for_by_values_that_fell_together_takes_nothing_away(
    tmp_path: Path,
) -> None:
    async with stage(tmp_path, documents("queue < 10", "{maxReplicas: 2}")) as stood:
        telling(stood, 35.0, 50.0)
        await stood.minutes(6)
        telling(stood, 0.1, 0.1)
        await stood.minutes(8)
        assert stood.replicas() == 4


@pytest.mark.parametrize("limit", ["400ms"])
async def test_a_rule_that_takes_too_long_is_named_and_holds_what_it_might_keep_up(tmp_path: Path, limit: str) -> None:
    when = f"queue > 500.1 && queue < 500.9 && {HOSTILE}"  # between the values that a trial tries
    text = documents(when, "{minReplicas: 9}")
    async with stage(tmp_path, text, environ={"PODIUM_LOOP__RULES__LIMIT": limit}) as stood:
        telling(stood, 25.0, 10.0)
        await stood.minutes(2)
        telling(stood, 25.0, 500.2)
        await stood.minutes(8)
        row = stood.program.live.workload("local/shop/deployment.apps/web")
        assert stood.replicas() == 4  # 3 would do, but nobody can say whether 9 are asked for
        assert any("took too long and was stopped" in words for words in row.troubles)
        (slow,) = checked.slow(load({"config": str(tmp_path / "podium.yaml")}, {}, tmp_path))
        assert (slow.state, "shop/web" in slow.words) == ("wrong", True)
    replayed_alike(tmp_path)
