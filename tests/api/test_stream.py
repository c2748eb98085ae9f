"""The live stream: whole ticks, resumed without a hole, and never a queue."""

from __future__ import annotations

import asyncio
import contextlib
import json

import aiohttp
import pytest
import structlog
from tests.api.fakes import START, TOKEN, WEB, FakeView, events, eventually, served, visited, workload

from podium.api import stream
from podium.loop.tell.view import WorkloadRow

BOTH = f"/api/v1/stream?topics=fleet,workload:{WEB}"


async def test_a_listener_gets_the_fleet_at_once_and_then_every_tick() -> None:
    view = FakeView()
    async with visited(view) as client, client.get("/api/v1/stream") as answer:
        arriving = events(answer)
        assert (answer.content_type, await anext(arriving)) == ("text/event-stream", {"retry": "1000"})
        first = await anext(arriving)
        assert (first["event"], json.loads(first["data"])["tick"]) == ("fleet", 10)
        await eventually(lambda: bool(view.listeners))
        view.turn()
        assert json.loads((await anext(arriving))["data"])["tick"] == 11


async def test_topics_share_one_stream_and_after_the_events_of_a_tick_comes_its_id() -> None:
    async with visited() as client, client.get(BOTH) as answer:
        arriving = events(answer, marks=True)
        await anext(arriving)
        fleet, tail, mark = [await anext(arriving) for _ in range(3)]
    assert (fleet["event"], tail["event"], mark) == ("fleet", "workload", {"id": f"10@{START + 150}"})
    assert json.loads(tail["data"])["series"]["at"] == [START + 135, START + 150]


async def test_a_listener_that_comes_back_is_told_what_it_missed() -> None:
    async with visited() as client, client.get(BOTH, headers={"last-event-id": f"4@{START + 60}"}) as answer:
        arriving = events(answer)
        for _ in range(2):
            await anext(arriving)
        tail = json.loads((await anext(arriving))["data"])
    assert tail["series"]["at"] == [START + 15 * tick for tick in range(4, 11)]
    assert [row["tick"] for row in tail["decisions"]] == [10, 9, 8, 7, 6, 5, 4]


async def test_a_listener_that_missed_nothing_is_told_nothing() -> None:
    newest = {"last-event-id": f"10@{START + 150}"}
    async with visited(heartbeat_seconds=0.05) as client, client.get(BOTH, headers=newest) as answer:
        arriving = events(answer)
        await anext(arriving)
        assert (await anext(arriving))["event"] == "beat"


@pytest.mark.parametrize("shown", ["nonsense", "99@1", "4@nan", "@", "4@99999999999999"])
async def test_an_id_that_means_nothing_begins_anew(shown: str) -> None:
    async with visited() as client, client.get(BOTH, headers={"last-event-id": shown}) as answer:
        arriving = events(answer)
        await anext(arriving)
        assert json.loads((await anext(arriving))["data"])["tick"] == 10


async def test_silence_is_filled_with_heartbeats() -> None:
    async with visited(heartbeat_seconds=0.05) as client, client.get("/api/v1/stream") as answer:
        arriving = events(answer)
        names = [(await anext(arriving)).get("event") for _ in range(4)]
    assert names == [None, "fleet", "beat", "beat"]


async def test_a_workload_that_disappears_is_said_to_be_gone() -> None:
    view = FakeView()
    async with visited(view) as client, client.get(BOTH) as answer:
        arriving = events(answer)
        for _ in range(3):
            await anext(arriving)
        await eventually(lambda: bool(view.listeners))
        view.rows = ()
        view.turn()
        await anext(arriving)
        assert await anext(arriving) == {"event": "gone", "data": f'{{"key":"{WEB}"}}'}


def crowd(tick: int) -> tuple[WorkloadRow, ...]:
    """A fleet whose map is most of a MB, and another one in every tick."""
    long = "w" * 300
    return tuple(workload(f"local/shop/deployment.apps/{long}{n}", tenant=f"t{tick}") for n in range(2000))


async def test_a_slow_listener_misses_ticks_and_holds_nobody_up() -> None:
    view = FakeView()
    view.rows = crowd(0)
    async with visited(view) as client, client.get("/api/v1/stream?topics=map", read_bufsize=1024) as slow:
        await eventually(lambda: bool(view.listeners))
        for tick in range(40):  # nobody reads: the kernel's buffers take some ticks, and the program holds one
            view.rows = crowd(tick + 1)
            view.turn()
            await asyncio.sleep(stream.QUICKEST_SECONDS * 1.2)
        seen = []
        async for event in events(slow):
            if event.get("event") == "map":
                seen.append(json.loads(event["data"])["tick"])
            if seen and seen[-1] == 50:
                break
    assert len(seen) <= 25
    assert seen == sorted(seen)


async def test_nobody_listens_to_the_loop_for_listeners_that_left() -> None:
    view = FakeView()
    async with visited(view) as client:
        async with client.get("/api/v1/stream") as answer:
            await anext(events(answer))
            await eventually(lambda: bool(view.listeners))
        await eventually(lambda: not view.listeners)


async def test_a_view_that_breaks_off_ends_the_stream_and_the_next_listener_asks_anew() -> None:
    class Breaking(FakeView):
        async def changes(self):  # type: ignore[no-untyped-def]
            yield None
            raise RuntimeError("the loop broke")

    with structlog.testing.capture_logs() as logged:
        async with visited(Breaking()) as client:
            for _ in range(2):
                with pytest.raises(aiohttp.ClientPayloadError):
                    async with client.get("/api/v1/stream") as answer:
                        assert [event async for event in events(answer)]
    assert [str(line["exc_info"]) for line in logged] == ["the loop broke"] * 2


async def test_more_pages_than_there_are_seats_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "MOST_STREAMS", 1)
    async with visited() as client, client.get("/api/v1/stream") as first:
        await anext(events(first))
        async with client.get("/api/v1/stream") as second:
            assert (second.status, (await second.json())["detail"]) == (
                503,
                "1 pages are listening already; close one.",
            )


async def test_pages_that_come_at_once_get_no_more_seats_than_those_that_come_in_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(stream, "MOST_STREAMS", 2)
    async with visited() as client:
        answers = await asyncio.gather(*(client.get(BOTH) for _ in range(12)))
        assert sorted(answer.status for answer in answers) == [200] * 2 + [503] * 10
        for answer in answers:
            answer.close()


async def test_an_open_stream_does_not_hold_up_the_end() -> None:
    view, clock = FakeView(), asyncio.get_running_loop().time
    authorization = {"authorization": f"Bearer {TOKEN}"}
    async with contextlib.AsyncExitStack() as program, aiohttp.ClientSession(headers=authorization) as client:
        address = await program.enter_async_context(served(view))
        async with client.get(f"{address}/api/v1/stream") as answer:
            await anext(events(answer))
            began = clock()
            await program.aclose()
            assert clock() - began < 1.5
    assert not view.listeners
