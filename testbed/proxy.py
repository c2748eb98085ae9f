"""A proxy on loopback between a client and the API server, which can be told to misbehave.

    with Proxy(control_plane) as proxy:
        proxy.storm(429)   # every write is answered so, until `calm`
        proxy.cut()        # every watch breaks off

It speaks HTTP without TLS and passes each caller's own bearer token on.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from types import TracebackType
from typing import Self

import aiohttp
from aiohttp import web

from testbed.control_plane import ControlPlane

_HOP = {"connection", "transfer-encoding", "content-length", "host", "keep-alive"}


class Proxy:
    """It runs in a thread of its own, from `with` to its end."""

    def __init__(self, control_plane: ControlPlane) -> None:
        self._behind = control_plane.server
        self._tls = ssl.create_default_context(cafile=str(control_plane.ca))
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._status = 0  # what writes are answered; 0: what the server answers
        self._reads_too = False
        self._watches: set[asyncio.Transport] = set()
        self._reading: set[asyncio.Task[None]] = set()
        self.refused: list[str] = []  # paths of requests that never reached the server
        self.url = ""

    def storm(self, status: int, *, reads_too: bool = False) -> None:
        """Answer every write with this status from now on, and with `reads_too` everything else."""
        self._reads_too, self._status = reads_too, status

    def calm(self) -> None:
        """Answer as the server does."""
        self._status = 0

    def cut(self) -> None:
        """Break every watch off that runs now."""
        self._loop.call_soon_threadsafe(self._abort)

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._open(), self._loop).result(10)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    async def _open(self) -> None:
        connector = aiohttp.TCPConnector(limit=0, ssl=self._tls)
        self._session = aiohttp.ClientSession(
            connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None)
        )
        self._runner = web.ServerRunner(web.Server(self._answer), shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"

    def _abort(self) -> None:
        for transport in list(self._watches):
            transport.abort()

    async def _close(self) -> None:
        self._abort()
        for reading in list(self._reading):
            reading.cancel()  # whoever waits for the server's next word waits no longer
        await asyncio.gather(*self._reading, return_exceptions=True)
        await self._runner.cleanup()
        await self._session.close()
        await asyncio.sleep(0.05)  # TLS connections close a moment later

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        write = request.method != "GET"
        if self._status and (write or self._reads_too):
            self.refused.append(request.path)
            said = {"kind": "Status", "message": "the proxy is told to", "code": self._status}
            headers = {"Retry-After": "1"} if self._status == 429 else {}
            return web.json_response(said, status=self._status, headers=headers)
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP}
        body = await request.read()
        try:
            async with self._session.request(
                request.method, self._behind + str(request.rel_url), headers=headers, data=body or None
            ) as behind:
                return await self._passed_on(request, behind)
        except aiohttp.ClientError as error:
            return web.Response(status=502, text=str(error))

    async def _passed_on(self, request: web.BaseRequest, behind: aiohttp.ClientResponse) -> web.StreamResponse:
        kept = {name: value for name, value in behind.headers.items() if name.lower() not in _HOP}
        response = web.StreamResponse(status=behind.status, headers=kept)
        await response.prepare(request)
        transport = request.transport
        watch = "watch" in request.query
        if watch and transport is not None:
            self._watches.add(transport)
        reading = asyncio.create_task(_copied(behind, response))
        self._reading.add(reading)
        try:
            await asyncio.wait([reading])
        finally:
            self._reading.discard(reading)
            if transport is not None:
                self._watches.discard(transport)
        return response


async def _copied(behind: aiohttp.ClientResponse, response: web.StreamResponse) -> None:
    with contextlib.suppress(ConnectionError, aiohttp.ClientError):  # either side has left
        async for part in behind.content.iter_any():
            await response.write(part)
