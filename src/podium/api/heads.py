"""`HEAD` wherever `GET` answers: the same headers, and no body."""

from __future__ import annotations

import asyncio

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Heads:
    """ASGI middleware: answers HEAD with what GET would say before its body."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection."""
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        answered = asyncio.Event()

        async def heard() -> Message:
            """The request, and after the answer's head a caller that leaves: a stream has no end of its own."""
            waiting = asyncio.ensure_future(answered.wait())
            hearing = asyncio.ensure_future(receive())
            try:
                await asyncio.wait((waiting, hearing), return_when=asyncio.FIRST_COMPLETED)
                return hearing.result() if hearing.done() else {"type": "http.disconnect"}
            finally:
                waiting.cancel()
                hearing.cancel()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                await send(message)
            elif not answered.is_set():
                answered.set()
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await self._app({**scope, "method": "GET"}, heard, sent)
