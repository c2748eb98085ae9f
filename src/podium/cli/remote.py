"""A running Podium asked through its HTTP API: once, or for a view after every turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode, urlsplit

import aiohttp
import msgspec

from podium.cli.outcome import BadInput, OutOfReach
from podium.clients import http
from podium.loop.tell.view import FleetView, WorkloadRow

TIMEOUT_SECONDS = 5.0
QUIET_SECONDS = 30.0  # three of the stream's heartbeats: then the connection is dead, whatever TCP thinks
_MOST_BYTES = 256 * 1024 * 1024
_LONGEST_LINE = 64 * 1024 * 1024  # of the stream
_PAGE = 1000  # rows asked for at once

T = TypeVar("T")


class WorkloadPage(msgspec.Struct, frozen=True, kw_only=True):
    """Some workloads in the asked order, as the API answers them; `next` is the cursor of the following page."""

    total: int
    items: tuple[WorkloadRow, ...]
    next: str | None


class Refused(Exception):
    """What was asked for cannot be done as things stand: a negative answer, with Podium's own words."""


class Remote:
    """One address and one token. Raises BadInput when they are wrong, OutOfReach when nothing answers."""

    def __init__(self, url: str, token: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BadInput(f"{url!r} is not the address of a Podium; expected one as in http://127.0.0.1:8080")
        # The address that Podium prints carries its token; what is pasted whole works, too.
        self.url = f"{parts.scheme}://{parts.netloc}{parts.path}".rstrip("/")
        pasted = parts.query.removeprefix("token=") if parts.query.startswith("token=") else ""
        self._headers = {"Authorization": f"Bearer {token or pasted}", "Accept-Encoding": "identity"}

    async def fleet(self) -> FleetView:
        """The fleet now, without its workloads."""
        return await self._get("/api/v1/fleet", {}, FleetView)

    async def page(self, asked: Mapping[str, str]) -> WorkloadPage:
        """Some workloads: `limit`, `cursor`, `filter`, `tenant`, `state`, `sort` as the API takes them."""
        return await self._get("/api/v1/workloads", asked, WorkloadPage)

    async def rows(self, asked: Mapping[str, str], most: int | None = None) -> tuple[WorkloadRow, ...]:
        """All workloads that `asked` lets through, page after page, or the first `most`."""
        rows: list[WorkloadRow] = []
        cursor: dict[str, str] = {}
        while most is None or len(rows) < most:
            left = _PAGE if most is None else min(most - len(rows), _PAGE)
            page = await self.page({**asked, **cursor, "limit": str(left)})
            rows += page.items
            if page.next is None:
                break
            cursor = {"cursor": page.next}
        return tuple(rows)

    async def _get(self, path: str, asked: Mapping[str, str], kind: type[T]) -> T:
        url = f"{self.url}{path}" + (f"?{urlencode(asked)}" if asked else "")
        async with aiohttp.ClientSession(headers=self._headers) as session:
            try:
                answer = await http.ask(session, "GET", url, timeout_seconds=TIMEOUT_SECONDS, most_bytes=_MOST_BYTES)
            except (http.NoAnswer, http.TooLarge) as error:
                raise OutOfReach(f"{error}; is `podium run` there?") from error
        if answer.status == 400:
            raise BadInput(_problem(answer.body))
        _judge(answer.status, answer.body, url)
        return _decoded(answer.body, url, kind)

    async def read(self, path: str) -> Any:
        """The JSON at `path`."""
        return await self._asked("GET", path, None, {})

    async def write(self, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> Any:
        """Post `body` to `path`. Raises Refused when Podium says no."""
        sent = {"Content-Type": "application/json", **headers}
        return await self._asked("POST", path, msgspec.json.encode(body), sent)

    async def _asked(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Any:
        url = f"{self.url}{path}"
        async with aiohttp.ClientSession(headers=self._headers) as session:
            try:
                answer = await http.ask(
                    session, method, url, form=body, headers=headers, timeout_seconds=TIMEOUT_SECONDS,
                    most_bytes=_MOST_BYTES,
                )  # fmt: skip
            except (http.NoAnswer, http.TooLarge) as error:
                raise OutOfReach(f"{error}; is `podium run` there?") from error
        if answer.status in (400, 404, 409):
            raise (Refused if answer.status == 409 else BadInput)(_problem(answer.body))
        _judge(answer.status, answer.body, url)
        try:
            return msgspec.json.decode(answer.body)
        except msgspec.DecodeError as error:
            raise BadInput(f"{url}: the answer is no JSON ({error}); is this a Podium?") from error

    async def views(self) -> AsyncIterator[FleetView]:
        """The fleet now and after every turn, until the connection ends, which raises OutOfReach."""
        url = f"{self.url}/api/v1/stream?topics=fleet"
        timeout = aiohttp.ClientTimeout(total=None, connect=TIMEOUT_SECONDS, sock_read=QUIET_SECONDS)
        async with aiohttp.ClientSession(headers=self._headers, timeout=timeout, read_bufsize=2**20) as session:
            try:
                async with session.get(url, allow_redirects=False) as response:
                    if response.status != 200:
                        _judge(response.status, await response.content.read(4096), url)
                        raise OutOfReach(f"{url}: HTTP {response.status}")
                    async for event, data in _events(response.content):
                        if event == "fleet":
                            yield _decoded(data, url, FleetView)
            except TimeoutError as error:
                raise OutOfReach(f"{self.url}: silent for too long") from error
            except (aiohttp.ClientError, OSError) as error:
                raise OutOfReach(f"{self.url}: {_words(error)}") from error
        raise OutOfReach(f"{self.url}: the stream ended")


async def _events(content: aiohttp.StreamReader) -> AsyncIterator[tuple[str, bytes]]:
    """(event, data) of a stream of server-sent events whose data are one line each."""
    event, data, size = "", b"", 0
    pending: list[bytes] = []  # parts of a line whose end has not come yet
    async for part in content.iter_any():
        pending.append(part)
        size += len(part)
        if size > _LONGEST_LINE:
            raise aiohttp.ClientPayloadError("a line of the stream is too long")
        if b"\n" not in part:
            continue
        *lines, rest = b"".join(pending).split(b"\n")
        pending, size = [rest], len(rest)
        for line in lines:
            name, _, value = line.rstrip(b"\r").partition(b": ")
            if name == b"event":
                event = value.decode()
            elif name == b"data":
                data = value
            elif not name:
                if data:
                    yield event, data
                event, data = "", b""


def _problem(body: bytes) -> str:
    """What is wrong, from a problem's JSON: its sentence and every fault."""
    try:
        told = msgspec.json.decode(body)
        faults = [f"{one['path'].removeprefix('body.')}: expected {one['expected']}" for one in told.get("errors", ())]
        return " ".join([str(told["detail"]), *faults])
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        return " ".join(body[:200].decode(errors="replace").split())


def _judge(status: int, body: bytes, url: str) -> None:
    if status == 200:
        return
    try:
        said = str(msgspec.json.decode(body)["detail"])
    except (msgspec.DecodeError, KeyError, TypeError):
        said = " ".join(body[:80].decode(errors="replace").split())
    if status in (401, 403):
        raise BadInput(f"{url}: {said or 'refused'} Give the token with --token or PODIUM_TOKEN.")
    if status >= 500 or status == 429:
        raise OutOfReach(f"{url}: HTTP {status}: {said}")
    raise BadInput(f"{url}: HTTP {status}: {said}; is this a Podium?")


def _decoded(body: bytes, url: str, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise BadInput(f"{url}: this is no fleet of this version of Podium ({error})") from error


def _words(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorError):
        return "nothing listens there" if isinstance(error.os_error, ConnectionRefusedError) else str(error.os_error)
    if isinstance(error, aiohttp.ServerDisconnectedError | aiohttp.ClientPayloadError | ConnectionResetError):
        return "the connection was lost"
    return str(error) or type(error).__name__
