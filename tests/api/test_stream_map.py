"""The map on the stream: once whole, then what moved since this listener last looked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import msgspec
import pytest
from tests.api.fakes import START, TOKEN, WEB, FakeView, ask, events, eventually, served, visited, workload

NAMES = [f"local/shop/deployment.apps/w{number}" for number in range(5)]
MAP = "/api/v1/stream?topics=map"


def changed(view: FakeView, slot: int, **fields: Any) -> None:
    """One row with other values, and a tick."""
    row = msgspec.structs.replace(view.rows[slot], **fields)
    view.rows = (*view.rows[:slot], row, *view.rows[slot + 1 :])
    view.turn()


async def told(arriving: AsyncIterator[dict[str, str]], name: str) -> dict[str, Any]:
    """The data of the next event, which has this name."""
    event = await anext(arriving)
    assert event["event"] == name
    return dict(json.loads(event["data"]))


async def test_the_map_comes_whole_and_then_only_what_moved() -> None:
    view = FakeView(*NAMES)
    async with visited(view) as client, client.get(MAP) as answer:
        arriving = events(answer)
        await anext(arriving)
        whole = await told(arriving, "map")
        assert (whole["tick"], whole["columns"]["key"], whole["columns"]["replicas"]) == (10, NAMES, [4] * 5)
        await eventually(lambda: bool(view.listeners))
        changed(view, 3, replicas=None, use=None, state="unknown")
        assert await told(arriving, "moved") == {
            "at": START + 165,
            "tick": 11,
            "fleet": whole["fleet"],
            "slots": [3],
            "columns": {
                "state": [0],
                "replicas": [None],
                "ready": [3],
                "wanted": [5],
                "use": [None],
                "paused": [0],
                "doubted": [False],
            },
        }


async def test_a_use_that_hardly_moved_is_told_once_it_has_moved_far_enough() -> None:
    view = FakeView(*NAMES)
    async with visited(view, heartbeat_seconds=0.2) as client, client.get(MAP) as answer:
        arriving = events(answer)
        await anext(arriving)
        await told(arriving, "map")
        await eventually(lambda: bool(view.listeners))
        changed(view, 1, use=1.23)
        assert (await anext(arriving))["event"] == "beat"
        changed(view, 1, use=1.245)
        assert (await told(arriving, "moved"))["columns"]["use"] == [1.25]


async def test_another_fleet_is_another_map() -> None:
    view = FakeView(*NAMES)
    async with visited(view) as client, client.get(MAP) as answer:
        arriving = events(answer)
        await anext(arriving)
        first = await told(arriving, "map")
        await eventually(lambda: bool(view.listeners))
        view.rows = (*view.rows, workload("local/shop/deployment.apps/new"))
        view.turn()
        second = await told(arriving, "map")
    assert (len(second["columns"]["key"]), first["fleet"] == second["fleet"]) == (6, False)


async def test_who_comes_back_is_told_all_that_moved_meanwhile_in_one_event() -> None:
    view = FakeView(*NAMES)
    async with visited(view) as client:
        async with client.get(MAP) as answer:
            arriving = events(answer, marks=True)
            mark = [await anext(arriving) for _ in range(3)][-1]["id"]
            await eventually(lambda: bool(view.listeners))
        changed(view, 0, wanted=9)
        changed(view, 4, wanted=7)
        changed(view, 0, wanted=8)
        async with client.get(MAP, headers={"last-event-id": mark}) as answer:
            arriving = events(answer)
            await anext(arriving)
            moved = await told(arriving, "moved")
    assert (moved["slots"], moved["columns"]["wanted"]) == ([0, 4], [8, 7])


async def test_who_saw_another_process_is_told_everything() -> None:
    view = FakeView(*NAMES)
    async with visited(view) as client, client.get(MAP) as answer:
        arriving = events(answer, marks=True)
        mark = [await anext(arriving) for _ in range(3)][-1]["id"]
    view.turn()
    async with visited(view) as client, client.get(MAP, headers={"last-event-id": mark}) as answer:
        arriving = events(answer)
        await anext(arriving)
        assert (await told(arriving, "map"))["tick"] == 11


@pytest.mark.parametrize("mark", [f"10@{START}@@1", f"10@{START}@x@y", f"10@{START}@x@1@2@3", "10@@@"])
async def test_a_mark_on_the_map_that_means_nothing_begins_anew(mark: str) -> None:
    view = FakeView(*NAMES)
    view.turn()
    async with visited(view) as client, client.get(MAP, headers={"last-event-id": mark}) as answer:
        arriving = events(answer)
        await anext(arriving)
        assert (await anext(arriving))["event"] == "map"


async def test_a_turn_is_told_to_many_listeners_and_made_once() -> None:
    view = FakeView()
    topics = f"/api/v1/stream?topics=fleet,map,workload:{WEB}"
    async with visited(view) as client:
        answers = [await client.get(topics) for _ in range(40)]
        arriving = [events(answer) for answer in answers]
        for one in arriving:
            while (await anext(one)).get("event") != "workload":
                pass
        await eventually(lambda: bool(view.listeners))
        before = view.tails
        changed(view, 0, replicas=5)
        for one in arriving:
            names = [(await anext(one))["event"] for _ in range(3)]
            assert names == ["moved", "fleet", "workload"]
        assert view.tails == before + 1
        for answer in answers:
            answer.close()


async def test_the_whole_map_is_also_an_answer_that_is_not_sent_twice() -> None:
    view = FakeView(*NAMES)
    async with visited(view) as client:
        first = await ask(client.get("/api/v1/map"))
        again = await ask(client.get("/api/v1/map", headers={"if-none-match": first.headers["etag"]}))
    assert (first.json()["tenants"], first.json()["states"][0]) == (["shop"], "unknown")
    assert (again.status, again.text) == (304, "")


async def test_thousands_of_topics_are_refused_with_one_sentence_each() -> None:
    topics = ",".join(f"workload:a/b/c/{number}" for number in range(100))
    async with visited() as client:
        answer = await ask(client.get("/api/v1/stream", params={"topics": topics}))
    (fault,) = answer.json()["errors"]
    assert (answer.status, fault["got"]) == (400, "100 topics, 100 workloads")


async def test_listeners_that_never_read_hold_up_neither_a_reader_nor_a_request() -> None:
    view = FakeView(*NAMES)
    async with visited(view) as client:
        deaf = [await client.get(MAP, read_bufsize=512) for _ in range(60)]
        async with client.get(MAP) as answer:
            arriving = events(answer)
            for _ in range(2):
                await anext(arriving)
            for turn in range(5):
                await asyncio.sleep(0.11)
                changed(view, 0, wanted=turn)
                asked = asyncio.get_running_loop().time()
                assert (await told(arriving, "moved"))["columns"]["wanted"] == [turn]
                assert (await ask(client.get("/api/v1/fleet"))).status == 200
                assert asyncio.get_running_loop().time() - asked < 1.0
        for one in deaf:
            one.close()


async def test_a_listener_of_before_a_restart_is_told_what_it_missed_by_the_next_process() -> None:
    view = FakeView()
    topics = f"/api/v1/stream?topics=fleet,workload:{WEB}"
    authorization = {"authorization": f"Bearer {TOKEN}"}
    async with aiohttp.ClientSession(headers=authorization) as client:
        async with served(view) as address:
            answer = await client.get(address + topics)
            arriving = events(answer, marks=True)
            mark = [await anext(arriving) for _ in range(4)][-1]["id"]
            await eventually(lambda: bool(view.listeners))
        with pytest.raises((StopAsyncIteration, aiohttp.ClientError)):  # the program ended while it streamed
            await anext(arriving)
        answer.close()
    for _ in range(3):
        view.turn()
    async with visited(view) as client, client.get(topics, headers={"last-event-id": mark}) as answer:
        arriving = events(answer)
        assert (await anext(arriving)) == {"retry": "1000"}
        assert (await told(arriving, "fleet"))["tick"] == 13
        tail = await told(arriving, "workload")
    assert [row["tick"] for row in tail["decisions"]] == [13, 12, 11, 10]
    assert (tail["row"]["key"], tail["series"]["at"]) == (WEB, [START + 15 * tick for tick in (10, 11, 12, 13)])
