"""One bounded HTTP request: an answer of limited size within a limited time, or an error that says what happened.

An answer without end (a watch) comes line by line, each of limited size and within a limited time of the one before.
Redirects are not followed: a token must not travel to an address that nobody configured.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import socket
import ssl
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import aiohttp


class NoAnswer(Exception):
    """Nothing usable came back: refused, unknown host, reset, cut off, or too late. The message names the URL."""


class TooLate(NoAnswer):
    """The whole answer was not there in time; what comes of it later is not read."""


class TooLarge(Exception):
    """The answer is larger than allowed; it was not read to its end."""


class Refused(Exception):
    """The answer is not the stream that was asked for; it was read whole."""

    def __init__(self, answer: HttpAnswer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


@dataclasses.dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A whole answer, whatever its status."""

    status: int
    content_type: str
    location: str  # of a redirect
    body: bytes
    retry_after: str = ""  # seconds or a date, as the server wrote it


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How to reach an address, where it is not simply by its URL."""

    tls: ssl.SSLContext | bool = True
    server_name: str | None = None  # expected in the certificate in place of the host
    proxy: str | None = None

    def options(self) -> dict[str, Any]:
        """What aiohttp calls this. No redirect is followed, whichever way."""
        return {
            "allow_redirects": False,
            "ssl": self.tls,
            "server_hostname": self.server_name,
            "proxy": self.proxy,
        }


DIRECT = Way()


async def ask(
    session: aiohttp.ClientSession,
    method: str,
    url: str,
    *,
    query: Mapping[str, str] | None = None,
    form: Mapping[str, str] | bytes | None = None,
    headers: Mapping[str, str] | None = None,
    way: Way = DIRECT,
    timeout_seconds: float,
    most_bytes: int,
    sink: Callable[[bytes], None] | None = None,
) -> HttpAnswer:
    """Send one request and read its answer whole. Raises NoAnswer or TooLarge.

    The body of an answer with status 200 goes to `sink` part by part, if there is one, and `body` stays empty; what
    `sink` raises ends the request.
    """
    timeout = aiohttp.ClientTimeout(total=timeout_seconds)
    with _told(url, timeout_seconds):
        async with session.request(
            method,
            url,
            params=query,
            data=form,
            headers=headers,
            timeout=timeout,
            **way.options(),
        ) as response:
            return await _whole(response, most_bytes, sink if response.status == 200 else None)


async def lines(
    session: aiohttp.ClientSession,
    url: str,
    *,
    query: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
    way: Way = DIRECT,
    idle_seconds: float,
    most_bytes: int,
    opened: Callable[[], None] | None = None,
) -> AsyncGenerator[bytes]:
    """The lines of an answer as they come, without their ends, until the server ends it; empty ones are left out.

    `opened` is called once the answer has begun well; its first line may be long in coming.

    Raises NoAnswer, also after `idle_seconds` of silence; TooLarge for a line beyond `most_bytes`; and Refused for any
    status but 200. Closing the iterator closes the connection.
    """
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=idle_seconds, sock_read=idle_seconds)
    with _told(url, idle_seconds):
        async with session.get(
            url,
            params=query,
            headers=headers,
            timeout=timeout,
            **way.options(),
        ) as response:
            if response.status != 200:
                raise Refused(await _whole(response, most_bytes, None))
            if opened is not None:
                opened()
            try:
                async for line in _split(response, most_bytes):
                    yield line
            finally:
                if response.connection is not None and response.connection.transport is not None:
                    # Left in the middle: a farewell in TLS would wait for an end that does not come.
                    response.connection.transport.abort()


async def _split(response: aiohttp.ClientResponse, most_bytes: int) -> AsyncGenerator[bytes]:
    begun = bytearray()
    async for part in response.content.iter_any():
        *ended, rest = part.split(b"\n")
        for line in ended:
            begun += line
            if begun:
                yield bytes(begun)
            begun.clear()
        begun += rest
        if len(begun) > most_bytes:
            raise TooLarge(f"a line is longer than {most_bytes:,} bytes")


@contextlib.contextmanager
def _told(url: str, seconds: float) -> Iterator[None]:
    """What may come instead of an answer, with the URL and in words."""
    try:
        yield
    except TooLarge as error:
        raise TooLarge(f"{shown(url)}: {error}") from None
    except TimeoutError as error:
        raise TooLate(f"{shown(url)}: no answer within {seconds:g} s") from error
    except (aiohttp.ClientError, OSError) as error:
        raise NoAnswer(f"{shown(url)}: {_reason(error)}") from error


async def _whole(response: aiohttp.ClientResponse, most_bytes: int, sink: Callable[[bytes], None] | None) -> HttpAnswer:
    body = await _body(response, most_bytes, sink)
    location, retry_after = (response.headers.get(name, "") for name in ("Location", "Retry-After"))
    return HttpAnswer(response.status, response.content_type, location, body, retry_after)


async def _body(response: aiohttp.ClientResponse, most_bytes: int, sink: Callable[[bytes], None] | None) -> bytes:
    parts, size = list[bytes](), 0
    put = sink or parts.append
    async for part in response.content.iter_any():
        size += len(part)
        if size > most_bytes:
            raise TooLarge(f"the answer is larger than {most_bytes:,} bytes")
        put(part)
    return b"".join(parts)


def _reason(error: BaseException) -> str:
    """What happened, in words; aiohttp's own are about its parts."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    match cause:
        case socket.gaierror():
            return "the host name is not known"
        case ConnectionRefusedError():
            return "connection refused: nothing listens there"
        case ssl.SSLError():
            return f"TLS failed: {cause.reason or cause}"
        case aiohttp.ClientPayloadError():
            return "the answer was cut off"
        case aiohttp.ServerDisconnectedError() | ConnectionResetError():
            return "the connection was closed before an answer came"
        case aiohttp.ClientResponseError():
            return (
                f"the answer is not HTTP ({cause.message.strip().splitlines()[0] if cause.message else cause.status})"
            )
        case OSError() if cause.strerror:
            return cause.strerror
    return str(cause) or type(cause).__name__


def shown(url: str) -> str:
    """The URL for people: without user, password and query."""
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


async def close(session: aiohttp.ClientSession) -> None:
    """Close a session and let its connections go."""
    await session.close()
    # The transports close one turn of the loop later.
    await asyncio.sleep(0)
