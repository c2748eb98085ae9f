from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from podium.loop.act.carry_out import AT_ONCE, Fate, Result, carry_out
from podium.loop.clusters.port import Conflict, Observation, Permanent, StaleLeader, Temporary
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey


def commands(count: int) -> list[Scale]:
    keys = [WorkloadKey("local", "shop", "deployment", "apps", f"web-{number}") for number in range(count)]
    return [
        Scale(slot=slot, key=key, current=1, replicas=2, resource_version="1", epoch=1) for slot, key in enumerate(keys)
    ]


class Written:
    """A cluster that writes down what it is told, and answers some of it with an error."""

    name = "local"

    def __init__(self, errors: dict[int, Exception] | None = None) -> None:
        self.errors = errors or {}
        self.slots: list[int] = []
        self.at_once, self.most_at_once = 0, 0

    async def scale(self, command: Scale) -> str:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0)
        self.at_once -= 1
        if command.slot in self.errors:
            raise self.errors[command.slot]
        self.slots.append(command.slot)
        return "2"

    async def observe(self, fleet: Fleet) -> Observation:
        raise NotImplementedError

    async def claim(self, keys: Sequence[WorkloadKey], epoch: int) -> None:
        raise NotImplementedError

    async def close(self) -> None:
        pass


def go(_: Scale) -> str:
    return ""


async def test_results_come_in_the_order_of_the_commands() -> None:
    cluster, asked = Written(), commands(100)
    assert await carry_out(cluster, asked, go) == tuple(Result(one, Fate.WRITTEN) for one in asked)
    assert sorted(cluster.slots) == list(range(100))


async def test_no_more_writes_are_in_flight_than_a_server_takes() -> None:
    cluster = Written()
    await carry_out(cluster, commands(100), go)
    assert cluster.most_at_once == AT_ONCE


@pytest.mark.parametrize(
    ("error", "fate"),
    [
        (Conflict("it moved"), Fate.REFUSED),
        (Temporary("it is busy"), Fate.FAILED),
        (Permanent("it is forbidden"), Fate.FAILED),
    ],
)
async def test_one_that_fails_is_told_in_the_clusters_words_and_stops_no_other(error: Exception, fate: Fate) -> None:
    first, second, third = asked = commands(3)
    results = await carry_out(Written({1: error}), asked, go)
    assert results == (Result(first, Fate.WRITTEN), Result(second, fate, str(error)), Result(third, Fate.WRITTEN))


async def test_a_stale_leader_withholds_all_that_was_not_sent_yet() -> None:
    cluster, asked = Written({0: StaleLeader("epoch 2 leads")}), commands(AT_ONCE + 10)
    results = await carry_out(cluster, asked, go)
    assert results[0] == Result(asked[0], Fate.REFUSED, "epoch 2 leads")
    late = results[AT_ONCE:]
    assert late == tuple(Result(one, Fate.WITHHELD, "epoch 2 leads") for one in asked[AT_ONCE:])
    assert set(cluster.slots) == set(range(1, AT_ONCE))  # those were in flight already


async def test_each_is_checked_right_before_it_is_sent() -> None:
    cluster = Written()

    def after_forty(_: Scale) -> str:
        return "the lease ran out" if len(cluster.slots) >= AT_ONCE else ""

    results = await carry_out(cluster, commands(AT_ONCE + 5), after_forty)
    assert [result.fate for result in results].count(Fate.WITHHELD) == 5 - (len(cluster.slots) - AT_ONCE)
    assert {result.words for result in results if result.fate is Fate.WITHHELD} == {"the lease ran out"}


async def test_an_unexpected_error_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        await carry_out(Written({0: ZeroDivisionError()}), commands(1), go)
