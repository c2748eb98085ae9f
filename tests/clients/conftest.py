"""Fixtures of the tests of clients."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from tests.signals.liar import Liar


@pytest.fixture
async def liar() -> AsyncIterator[Liar]:
    found = Liar()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", found.answer)
    async with TestServer(application, host="127.0.0.1") as server:
        found.server = server
        yield found
