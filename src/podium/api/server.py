"""The address: bind first, so that a port in use is known before anything starts, then serve in the caller's loop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import socket
from collections.abc import Iterator

import uvicorn
from fastapi import FastAPI

KEPT_SECONDS = 60  # an idle connection: a page that asks after every turn need not connect anew each time
GRACE_SECONDS = 2.0  # for answers under way when the program stops; event streams end at once


class Permanent(Exception):
    """This address cannot be had: asking again will not help. The message names it and says what to do."""


def bind(listen: str) -> socket.socket:
    """A listening socket on `host:port` (`[::1]:8080` for IPv6; port 0 takes any free one). Raises Permanent."""
    host, port = _parse(listen)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise Permanent(_refused(listen, error)) from error


def loopback_hosts(listening: socket.socket) -> tuple[str, ...]:
    """The Host headers under which a browser on this machine reaches the socket."""
    port = listening.getsockname()[1]
    return (f"127.0.0.1:{port}", f"localhost:{port}", f"[::1]:{port}")


def address(listening: socket.socket) -> str:
    """Where a browser finds the socket: `http://127.0.0.1:8080`."""
    host, port = listening.getsockname()[:2]
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{shown}:{port}"


async def serve(app: FastAPI, listen: str | socket.socket) -> None:
    """Answer until cancelled. Signals are left to the caller: cancelling ends streams, waits two seconds, closes.

    Raises Permanent when the address cannot be had.
    """
    listening = bind(listen) if isinstance(listen, str) else listen
    server = _Server(
        uvicorn.Config(
            app,
            http="httptools",
            ws="none",
            lifespan="off",  # nothing to start; streams are ended in `shutdown`
            log_config=None,
            log_level="warning",
            access_log=False,  # /metrics counts; a log line per poll hides what matters
            server_header=False,
            timeout_keep_alive=KEPT_SECONDS,
            proxy_headers=False,  # nobody in front is trusted to say who called
            timeout_graceful_shutdown=int(GRACE_SECONDS),
        )
    )
    serving = asyncio.create_task(server.serve(sockets=[listening]), name="http")
    try:
        await asyncio.shield(serving)
    except asyncio.CancelledError:
        server.should_exit = True
        await serving
        raise
    finally:
        listening.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, and with streams that end when it stops."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the streams first: they would otherwise be waited for. Who then still reads is left in the middle."""
        app = self.config.app
        if isinstance(app, FastAPI):
            await app.state.broadcast.close()
        await super().shutdown(sockets)
        state = self.server_state
        for connection in tuple(state.connections):  # uvicorn stops waiting for them, and leaves them open
            connection.transport.abort()
        while state.connections:  # noqa: ASYNC110  the loop tells each in its next round that it is lost
            await asyncio.sleep(0)
        await asyncio.gather(*state.tasks, return_exceptions=True)


def _parse(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not colon or not bare or not port.isdecimal() or int(port) > 65535 or (":" in bare and bare == host):
        raise Permanent(f"{listen!r} is not an address to listen on; expected host:port, as in 127.0.0.1:8080")
    return bare, int(port)


def _refused(listen: str, error: OSError) -> str:
    other = "choose another with `api.listen` in podium.yaml, PODIUM_API__LISTEN or --listen, as in 127.0.0.1:8081"
    if isinstance(error, socket.gaierror):
        return f"{listen}: no such host; {other}"
    words = {
        errno.EADDRINUSE: "is in use by another program",
        errno.EACCES: "may not be taken without more rights (ports below 1024 need them)",
        errno.EADDRNOTAVAIL: "is not an address of this machine",
    }
    return f"{listen} {words.get(error.errno or 0, f'cannot be listened on ({error.strerror})')}; {other}"
