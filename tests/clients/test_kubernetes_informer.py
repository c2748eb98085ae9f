"""The informer against a small server that lists and watches: changes, gaps, silence, garbage, death, refusals."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp import web

from podium.clients.kubernetes import objects
from podium.clients.kubernetes.access import Access
from podium.clients.kubernetes.client import INITIAL_END, Client
from podium.clients.kubernetes.informer import Informer
from podium.clients.kubernetes.where import Where

PODS = Where(group="", version="v1", resource="pods")

Start = Callable[..., Informer[objects.Object]]


class Api:
    """An API server with pods alone. What it does next is set from outside."""

    def __init__(self) -> None:
        self.version = 1
        self.pods: dict[str, int] = {}  # name -> the version it is of
        self.history: list[dict[str, Any]] = []
        self.oldest = 0  # a watch from before is 410
        self.streams = True
        self.refusal: int | None = None
        self.asked: list[dict[str, str]] = []
        self.silent = False
        self.garbage: list[bytes] = []
        self.closed = False
        self.watches: list[asyncio.Transport] = []
        self._news = asyncio.Condition()
        self.address = ""

    async def put(self, name: str) -> None:
        self.version += 1
        kind = "MODIFIED" if name in self.pods else "ADDED"
        self.pods[name] = self.version
        await self.tell(kind, name)

    async def remove(self, name: str) -> None:
        self.version += 1
        del self.pods[name]
        await self.tell("DELETED", name)

    async def bookmark(self) -> None:
        self.version += 1
        await self.tell("BOOKMARK", "")

    async def tell(self, kind: str, name: str) -> None:
        self.history.append({"type": kind, "object": pod(name, self.version)})
        async with self._news:
            self._news.notify_all()

    async def say(self, garbage: bytes) -> None:
        self.garbage.append(garbage)
        async with self._news:
            self._news.notify_all()

    async def close(self) -> None:
        self.closed = True
        async with self._news:
            self._news.notify_all()

    def cut(self) -> None:
        """Every watch breaks off, as when the server is killed."""
        for transport in self.watches:
            transport.abort()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self.asked.append(dict(request.query))
        if self.refusal is not None:
            return web.json_response({"kind": "Status", "message": "no"}, status=self.refusal)
        if "watch" not in request.query:
            items = [pod(name, version) for name, version in self.pods.items()]
            return web.json_response({"metadata": {"resourceVersion": str(self.version)}, "items": items})
        return await self._watch(request)

    def _since(self, version: int) -> list[dict[str, Any]]:
        return [one for one in self.history if version_of(one) > version]

    def _more(self, version: int) -> bool:
        return self.closed or (not self.silent and bool(self.garbage or self._since(version)))

    async def _watch(self, request: web.BaseRequest) -> web.StreamResponse:
        initial = request.query.get("sendInitialEvents") == "true"
        if initial and not self.streams:
            return web.json_response({"message": "sendInitialEvents is forbidden for watch"}, status=422)
        response = web.StreamResponse()
        await response.prepare(request)
        since = int(request.query.get("resourceVersion", "0"))
        if not initial and since < self.oldest:
            await line(response, {"type": "ERROR", "object": {"code": 410, "message": "too old resource version"}})
            return response
        transport = request.transport
        assert transport is not None
        self.watches.append(transport)
        try:
            if initial:
                since = self.version
                for name, version in list(self.pods.items()):
                    await line(response, {"type": "ADDED", "object": pod(name, version)})
                end = pod("", since)
                end["metadata"]["annotations"] = {INITIAL_END: "true"}
                await line(response, {"type": "BOOKMARK", "object": end})
            while not self.closed:
                for event in self._since(since):
                    since = version_of(event)
                    await line(response, event)
                if self.garbage:
                    await response.write(self.garbage.pop() + b"\n")
                async with self._news:
                    await self._news.wait_for(functools.partial(self._more, since))
        finally:
            self.watches.remove(transport)
        return response


def pod(name: str, version: int) -> dict[str, Any]:
    return {"metadata": {"name": name, "namespace": "shop", "resourceVersion": str(version)}}


def version_of(event: dict[str, Any]) -> int:
    return int(event["object"]["metadata"]["resourceVersion"])


async def line(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(json.dumps(event).encode() + b"\n")


@pytest.fixture
async def api() -> AsyncIterator[Api]:
    served = Api()
    runner = web.ServerRunner(web.Server(served.answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    await served.close()
    await runner.cleanup()


@pytest.fixture
async def start(api: Api) -> AsyncIterator[Start]:
    client = Client(Access(server=api.address), timeout_seconds=2.0)
    tasks: list[asyncio.Task[None]] = []

    def started(idle_seconds: float = 5.0) -> Informer[objects.Object]:
        informer = Informer(
            client, PODS, objects.Object, lambda one: (one.metadata.namespace, one.metadata.name),
            idle_seconds=idle_seconds, longest_pause_seconds=0.2,
        )  # fmt: skip
        tasks.append(asyncio.create_task(informer.run()))
        return informer

    yield started
    for task in tasks:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
    await client.close()


def names(informer: Informer[objects.Object]) -> list[str]:
    return sorted(name for _, name in informer.items)


async def known(informer: Informer[objects.Object], revision: int = 0) -> None:
    async with asyncio.timeout(10):
        await informer.changed(revision)


async def until(holds: Callable[[], bool], seconds: float = 10.0) -> None:
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  (several things are waited for)
            await asyncio.sleep(0.01)


async def test_what_is_there_and_what_comes_later_is_known(api: Api, start: Start) -> None:
    await api.put("a")
    informer = start()
    await known(informer)
    assert names(informer) == ["a"]
    revision = informer.revision
    await api.put("b")
    await known(informer, revision)
    assert names(informer) == ["a", "b"]
    await api.remove("a")
    await until(lambda: names(informer) == ["b"])
    assert [one.metadata.resource_version for one in informer.items.values()] == ["3"]


async def test_a_server_that_streams_no_lists_is_read_in_pages(api: Api, start: Start) -> None:
    api.streams = False
    await api.put("a")
    informer = start()
    await known(informer)
    await api.put("b")
    await until(lambda: names(informer) == ["a", "b"])
    assert informer.trouble is None
    assert [("watch" in query, query.get("resourceVersion")) for query in api.asked] == [
        (True, None), (False, None), (True, "2"),
    ]  # fmt: skip


async def test_an_empty_resource_is_whole_too(api: Api, start: Start) -> None:
    informer = start()
    await known(informer)
    assert informer.whole
    assert names(informer) == []


async def test_a_watch_that_breaks_off_goes_on_where_it_ended(api: Api, start: Start) -> None:
    await api.put("a")
    informer = start()
    await known(informer)
    await api.bookmark()
    await api.put("b")
    await until(lambda: names(informer) == ["a", "b"])
    api.cut()
    await api.put("c")
    await until(lambda: names(informer) == ["a", "b", "c"])
    assert api.asked[-1].get("resourceVersion") == "4"
    assert "sendInitialEvents" not in api.asked[-1]


async def test_a_bookmark_alone_moves_the_version_to_go_on_from(api: Api, start: Start) -> None:
    informer = start()
    await known(informer)
    await api.bookmark()
    await api.bookmark()
    await asyncio.sleep(0.1)
    api.cut()
    await until(lambda: len(api.asked) == 2)
    assert api.asked[-1]["resourceVersion"] == "3"


async def test_a_version_that_is_too_old_begins_with_a_list_and_what_vanished_meanwhile_is_gone(
    api: Api, start: Start
) -> None:
    await api.put("a")
    await api.put("b")
    informer = start()
    await known(informer)
    api.refusal = 503
    api.cut()
    await until(lambda: informer.trouble is not None)
    assert names(informer) == ["a", "b"], "what was known stays known until there is a new list"
    await api.remove("a")
    api.history.clear()
    api.oldest = api.version
    api.refusal = None
    await until(lambda: names(informer) == ["b"])
    assert informer.trouble is None


async def test_silence_is_trouble_and_is_ended(api: Api, start: Start) -> None:
    informer = start(idle_seconds=0.3)
    await known(informer)
    api.silent = True
    await until(lambda: informer.trouble is not None)
    assert "no answer within 0.3 s" in str(informer.trouble)
    assert informer.silent_seconds >= 0.3


@pytest.mark.parametrize("garbage", [b'{"type": "NEWS"}', b"<html>", b'{"type": "ADDED", "object": 5}'])
async def test_garbage_is_trouble_and_what_was_known_stays(api: Api, start: Start, garbage: bytes) -> None:
    await api.put("a")
    informer = start()
    await known(informer)
    await api.say(garbage)
    await until(lambda: "not what the API promises" in (informer.trouble or ""))
    assert names(informer) == ["a"]
    await api.put("b")
    await until(lambda: names(informer) == ["a", "b"])


async def test_a_missing_right_is_named_and_what_it_opens_is_known_once_it_is_granted(api: Api, start: Start) -> None:
    api.refusal = 403
    informer = start()
    await until(lambda: informer.trouble is not None)
    assert "the right to watch pods in all namespaces is missing" in str(informer.trouble)
    assert not informer.whole
    assert informer.silent_seconds == float("inf")
    await api.put("a")
    api.refusal = None
    await until(lambda: names(informer) == ["a"])
    assert informer.trouble is None


async def test_overload_is_waited_out(api: Api, start: Start) -> None:
    api.refusal = 429
    informer = start()
    await until(lambda: len(api.asked) >= 3)
    api.refusal = None
    await known(informer)
    assert informer.trouble is None
