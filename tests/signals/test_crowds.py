"""A hundred thousand series in one answer: in parts, slowly, in any order, and then cut off."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np
import pytest
from aiohttp import web
from tests.signals.fakes import NOW, Scripted, fleet_of, pods_of, reading_of, values
from tests.signals.liar import Liar

from podium.clients.prometheus import PrometheusClient
from podium.clients.vectors import Arriving
from podium.signals.bound import BoundSignal
from podium.signals.breaker import Breaker
from podium.signals.observe import Observer
from podium.signals.prometheus import PrometheusSource
from podium.signals.source import Garbage, Late, Reading, Subject, Temporary

CROWD = 100_000


def series(numbers: Sequence[int] | range) -> bytes:
    rows = (f'{{"metric":{{"namespace":"shop","deployment":"d{n}"}},"value":[{NOW:.3f},"{n}.5"]}}' for n in numbers)
    return ('{"status":"success","data":{"resultType":"vector","result":[' + ",".join(rows) + "]}}").encode()


def in_parts(body: bytes, size: int, pause_seconds: float = 0.0, *, until: int | None = None) -> object:
    """A reply that sends `body` in parts, and dies before its byte `until`."""

    async def reply(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(len(body))})
        await response.prepare(request)
        for start in range(0, until or len(body), size):
            await response.write(body[start : start + size])
            if pause_seconds:
                await asyncio.sleep(pause_seconds)
        if until:
            assert request.transport is not None
            request.transport.close()
        return response

    return reply


async def read(liar: Liar, times: int = 1, **options: float) -> list[Reading]:
    source = PrometheusSource("prom", PrometheusClient(liar.url, **options))  # type: ignore[arg-type]
    try:
        return [await source.read("load", NOW) for _ in range(times)]
    finally:
        await source.close()


@pytest.mark.parametrize("size", [1_000_003, 9_973])
async def test_an_answer_in_parts_is_the_answer(liar: Liar, size: int) -> None:
    liar.reply = in_parts(series(range(CROWD)), size)  # type: ignore[assignment]

    (reading,) = await read(liar, timeout_seconds=60)

    assert reading.values.tolist() == [n + 0.5 for n in range(CROWD)]
    assert reading.subjects[::33_333] == tuple(Subject("shop", "deployment", f"d{n}") for n in range(0, CROWD, 33_333))
    assert set(reading.at.tolist()) == {NOW}


def test_what_is_decoded_is_not_kept_as_text() -> None:
    body = series(range(CROWD))
    arriving = Arriving()
    kept = []
    for start in range(0, len(body), 65_536):
        arriving.take(body[start : start + 65_536])
        kept.append(len(arriving.rest()))

    assert max(kept) < 512 * 1024 < len(body) / 10


async def test_series_in_another_order_are_the_same_series(liar: Liar) -> None:
    order = np.random.default_rng(3).permutation(1000)
    bodies = [series(range(1000)), series(order.tolist()), series(range(999, -1, -1))]

    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(body=bodies.pop(0), content_type="application/json")

    liar.reply = reply
    first, *others = await read(liar, times=3)

    assert [one.subjects is first.subjects for one in others] == [True, True]  # so that the join is free
    assert [one.values.tolist() for one in others] == [first.values.tolist()] * 2


async def test_a_series_that_comes_or_goes_moves_no_value_to_another(liar: Liar) -> None:
    bodies = [series([1, 2, 3]), series([3, 1]), series([4, 1, 3]), series([1, 4, 3])]

    async def reply(request: web.Request) -> web.StreamResponse:
        return web.Response(body=bodies.pop(0), content_type="application/json")

    liar.reply = reply
    found = [
        {subject.name: value for subject, value in zip(one.subjects, one.values.tolist(), strict=True)}
        for one in await read(liar, times=4)
    ]

    assert found == [
        {"d1": 1.5, "d2": 2.5, "d3": 3.5},
        {"d1": 1.5, "d3": 3.5},
        {"d1": 1.5, "d3": 3.5, "d4": 4.5},
        {"d1": 1.5, "d3": 3.5, "d4": 4.5},
    ]


async def test_the_same_series_twice_is_garbage_and_not_twice_the_load(liar: Liar) -> None:
    liar.says(series([1, 2, 1]))

    with pytest.raises(Garbage) as raised:
        await read(liar)

    twice = '{"namespace":"shop","deployment":"d1"}'
    assert str(raised.value) == f"{liar.url}/api/v1/query: the answer holds the same series twice: {twice}"


async def test_a_crowd_that_is_cut_off_is_no_answer_at_all(liar: Liar) -> None:
    body = series(range(CROWD))
    liar.reply = in_parts(body, 65_536, until=len(body) // 2)  # type: ignore[assignment]

    with pytest.raises(Temporary, match="the answer was cut off"):
        await read(liar, timeout_seconds=60)


@pytest.mark.parametrize(
    "spoiled", [b'{"metric":{},"value":[1,"many"]},', b'{"metric":{},"value":7},', b"[],", b'{"metric":{},"va']
)
async def test_one_bad_series_in_a_crowd_spoils_the_answer(liar: Liar, spoiled: bytes) -> None:
    body = series(range(20_000))
    liar.says(body.replace(b'{"metric":{"namespace":"shop","deployment":"d777"}', spoiled + b'{"metric":{}', 1))

    with pytest.raises(Garbage, match="the answer holds something that is not a sample"):
        await read(liar, timeout_seconds=60)


async def test_text_inside_labels_never_looks_like_the_end_of_a_series(liar: Liar) -> None:
    nasty = '\\"]},{\\"metric\\":{},\\"value\\":[1,\\"9\\"]},{'
    rows = [
        f'{{"metric":{{"namespace":"shop","deployment":"d{n}","why":"{nasty}"}},"value":[1,"{n}"]}}'
        for n in range(9000)
    ]
    liar.says(('{"status":"success","data":{"resultType":"vector","result":[' + ",".join(rows) + "]}}").encode())

    (reading,) = await read(liar, timeout_seconds=60)

    assert reading.values.tolist() == list(range(9000))


async def test_an_answer_larger_than_allowed_takes_no_more_memory_than_that(liar: Liar) -> None:
    body = series(range(CROWD))
    liar.reply = in_parts(body, 65_536)  # type: ignore[assignment]

    with pytest.raises(Garbage, match="larger than 1,000,000 bytes"):
        await read(liar, timeout_seconds=60, most_bytes=1_000_000)


LOAD = BoundSignal(namespace="shop", name="load", source="slow", query="load", unit="per_second")


async def test_what_comes_after_the_deadline_is_dropped_and_counted_and_never_another_turns_answer() -> None:
    """The first answer would be there in the second turn: it must not be seen there."""
    gate = asyncio.Event()

    class Stubborn(Scripted):
        async def read(self, query: str, now: float) -> Reading:
            self.asked.append(query)
            if len(self.asked) > 1:
                return reading_of(("shop", "deployment", "web", 2.0), at=now)
            while not gate.is_set():  # it does not let itself be cancelled
                try:
                    await gate.wait()
                except asyncio.CancelledError:
                    continue
            return reading_of(("shop", "deployment", "web", 1.0), at=now)

    source = Stubborn("slow", {})
    observer = Observer([source], Breaker(threshold=100))
    late = await observer.observe([LOAD], fleet_of("shop/web"), pods_of(), NOW, 0.05)
    gate.set()
    second = await observer.observe([LOAD], fleet_of("shop/web"), pods_of(), NOW + 15, 5)

    assert (values(late.levels["load"].value), late.health[0].counts.late) == ([None], 1)
    assert late.health[0].words == "slow: no answer within 50ms"
    assert (values(second.levels["load"].value), second.health[0].counts.late) == ([2.0], 0)


async def test_a_source_that_is_not_asked_again_yet_is_not_late_again() -> None:
    observer = Observer([Scripted("slow", {"load": 60.0})], Breaker(threshold=1))
    first = await observer.observe([LOAD], fleet_of("shop/web"), pods_of(), NOW, 0.02)
    resting = await observer.observe([LOAD], fleet_of("shop/web"), pods_of(), NOW + 5, 0.02)

    assert [one.health[0].counts.late for one in (first, resting)] == [1, 0]


async def test_a_turn_that_is_cancelled_takes_its_questions_along() -> None:
    ended = asyncio.Event()

    class Patient(Scripted):
        async def read(self, query: str, now: float) -> Reading:
            try:
                await asyncio.sleep(60)
            finally:
                ended.set()
            raise Late("never")

    turn = asyncio.create_task(
        Observer([Patient("slow", {})]).observe([LOAD], fleet_of("shop/web"), pods_of(), NOW, 60)
    )
    await asyncio.sleep(0.01)
    turn.cancel()
    await asyncio.gather(turn, return_exceptions=True)

    async with asyncio.timeout(1):
        await ended.wait()
