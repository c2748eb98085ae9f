"""Headless Chromium, as Debian ships it, driven by playwright; watches what a page asks for and complains of."""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, async_playwright

PROGRAM = shutil.which("chromium")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
needed = pytest.mark.skipif(PROGRAM is None, reason="chromium is missing: apt-get install chromium")


@dataclasses.dataclass(frozen=True)
class Visit:
    """A page and what was noticed while it was open."""

    page: Page
    complaints: list[str]
    asked: list[str]


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[Browser]:
    """One browser; it ends with the block."""
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=PROGRAM, args=list(FLAGS))
        try:
            yield chromium
        finally:
            await chromium.close()


@contextlib.asynccontextmanager
async def visit(chromium: Browser, address: str, **context: Any) -> AsyncIterator[Visit]:
    """A fresh visitor at `address`; `context` takes viewport and colour scheme."""
    origin = address.partition("/?")[0]
    visitor = await chromium.new_context(base_url=origin, **context)
    page = await visitor.new_page()
    complaints: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(address)
    try:
        yield Visit(page, complaints, asked)
    finally:
        await visitor.close()
