"""A server on loopback that answers what the test tells it to."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.signals.fakes import NOW

Reply = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Liar:
    """The server. It remembers what it was asked."""

    def __init__(self) -> None:
        self.reply: Reply = self._nothing
        self.asked: list[tuple[str, dict[str, str], dict[str, str]]] = []
        self.server: TestServer | None = None

    async def _nothing(self, request: web.Request) -> web.StreamResponse:
        return web.Response(status=404)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        sent = {**request.query, **(await request.post())}
        self.asked.append((request.method, {k: str(v) for k, v in sent.items()}, dict(request.headers)))
        return await self.reply(request)

    def says(self, body: bytes, status: int = 200, kind: str = "application/json", **headers: str) -> None:
        async def reply(request: web.Request) -> web.StreamResponse:
            return web.Response(body=body, status=status, content_type=kind, headers=headers)

        self.reply = reply

    def vector(self, *samples: tuple[dict[str, str], str], **more: object) -> None:
        result = [{"metric": labels, "value": [NOW, value]} for labels, value in samples]
        data = {"resultType": "vector", "result": result}
        self.says(json.dumps({"status": "success", "data": data, **more}).encode())

    @property
    def url(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.port}"
