"""HEAD answers what GET would, without the body."""

from __future__ import annotations

import asyncio

import pytest
from tests.api.fakes import WEB, FakeView, ask, eventually, visited

ONE = f"/api/v1/workloads/{WEB}"


@pytest.mark.parametrize(
    "path",
    ["/api/v1/fleet", "/api/v1/map", "/api/v1/workloads?limit=5", ONE, ONE + "/series", "/healthz", "/metrics"],
)
async def test_the_head_is_that_of_the_whole_answer(path: str) -> None:
    async with visited() as client:
        whole, head = await ask(client.get(path)), await ask(client.head(path))
    assert (head.status, head.text) == (200, "")
    for name in ("content-type", "content-security-policy", *(["etag"] if "etag" in whole.headers else [])):
        assert head.headers[name] == whole.headers[name]
    assert path == "/metrics" or int(head.headers["content-length"]) == len(whole.text.encode())


@pytest.mark.parametrize(("path", "status"), [("/api/v1/nothing", 404), (ONE + "/series?points=1", 400)])
async def test_a_problem_has_a_head_too(path: str, status: int) -> None:
    async with visited() as client:
        answer = await ask(client.head(path))
    assert (answer.status, answer.text, answer.headers["content-type"]) == (status, "", "application/problem+json")


async def test_the_head_of_a_stream_is_no_listener() -> None:
    view = FakeView()
    async with visited(view) as client, asyncio.timeout(5):
        answer = await ask(client.head("/api/v1/stream"))
        assert (answer.status, answer.text) == (200, "")
        assert answer.headers["content-type"].startswith("text/event-stream")
        await eventually(lambda: not view.listeners)


async def test_whoever_must_not_read_must_not_know_either() -> None:
    async with visited() as client:
        assert (await ask(client.head(ONE, headers={"authorization": "Bearer wrong"}))).status == 401
