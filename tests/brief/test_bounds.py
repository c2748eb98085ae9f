"""How far Podium may go: the mode of a policy, the brief's variables, and how fast replicas may grow."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.brief.stage import Stage, by_load, figure, policy, signal, stage
from tests.cli.outside import podium

LOAD = signal("load", "load", "per_second")
EMERGENCY = """\
  behavior:
    scaleUp:
      stabilizationWindowSeconds: 0
      policies: [{type: Percent, value: 1000, periodSeconds: 15}]
"""


async def wants(run: Stage, replicas: float, minutes: float = 2) -> int:
    """Replicas a while after so many are needed at ten units of load each."""
    run.measured.of_workloads["load"] = lambda: {"web": 10.0 * replicas - run.pace() % 7 / 10}
    await run.minutes(minutes)
    return run.replicas()


async def test_mode_recommend_says_what_it_would_do_and_writes_nothing(tmp_path: Path) -> None:
    async with stage(tmp_path, LOAD + policy(mode="recommend", rest=by_load())) as run:
        assert await wants(run, 9) == 4
        assert run.cluster.writes() == []
    told = podium("explain", "shop/web", "-o", "json", at=tmp_path).answer
    assert (told["decision"]["before"], told["decision"]["wanted"]) == (4, 9)  # twice what serves, so at once
    assert told["decision"]["outcome"] == "recommended"


async def test_autoscaling_mode_caps_what_any_policy_may_do(tmp_path: Path) -> None:
    documents = LOAD + policy(mode="own", rest=by_load())
    async with stage(tmp_path, documents, environ={"AUTOSCALING_MODE": "recommend"}) as run:
        assert (await wants(run, 9), run.cluster.writes()) == (4, [])


async def test_autoscaling_mode_intelligent_leaves_it_to_each_policy(tmp_path: Path) -> None:
    documents = LOAD + policy(mode="own", rest=by_load())
    async with stage(tmp_path, documents, environ={"AUTOSCALING_MODE": "intelligent"}) as run:
        assert await wants(run, 9) == 9


async def test_scaling_interval_is_the_time_between_decisions(tmp_path: Path) -> None:
    async with stage(tmp_path, LOAD + policy(rest=by_load()), environ={"SCALING_INTERVAL": "30s"}) as run:
        await wants(run, 4, 5)
        queries = len(run.measured.asked)
    assert queries in {10, 11}  # one each half minute, with or without the end of the fifth


async def test_max_replicas_stands_above_every_policys_own_maximum(tmp_path: Path) -> None:
    documents = LOAD + policy(most=40, rest=by_load())
    async with stage(tmp_path, documents, environ={"MAX_REPLICAS": "7"}) as run:
        assert await wants(run, 30) == 7
        assert max(write.after for write in run.writes()) == 7


async def test_min_replicas_stands_under_every_policys_own_minimum(tmp_path: Path) -> None:
    documents = LOAD + policy(least=1, rest=by_load())
    async with stage(tmp_path, documents, replicas=1, environ={"MIN_REPLICAS": "3"}) as run:
        assert await wants(run, 1) == 3


@pytest.mark.parametrize(
    ("behavior", "sizes"), [("", [4, 8]), (EMERGENCY, [22, 200])], ids=["Kubernetes' own", "emergency"]
)
async def test_a_thousand_per_cent_in_fifteen_seconds_when_the_behaviour_allows_it(
    behavior: str, sizes: list[int], tmp_path: Path
) -> None:
    """Two replicas, and suddenly a hundred times their load: two turns of 15 s. Else Kubernetes doubles each turn."""
    async with stage(tmp_path, LOAD + policy(most=500, rest=by_load() + behavior), replicas=2) as run:
        await wants(run, 2, 1)
        run.measured.of_workloads["load"] = lambda: {"web": 2000.0}
        await run.turns(2)
        writes = [(write.at, write.after) for write in run.writes()]
        await run.turns(2)
        ready = len(await run.ready_pods())
    assert [after for _, after in writes] == sizes
    assert writes[1][0] - writes[0][0] == 15.0
    assert ready >= sizes[1]
    figure(f"2 -> {sizes[0]} -> {sizes[1]} replicas in two turns of 15 s; {ready} pods are ready two turns later")
