"""All objects of one resource, kept as they are by a list and a watch (KEP-365, KEP-3157).

The list is streamed where the server offers it, else read in pages. A watch that ends goes on where it ended; one that
is too old to go on (410) begins with a list again, and what was known stays known until the new list is whole. What is
known may be as old as `silent_seconds` says: whoever decides from it looks at that first.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from types import MappingProxyType
from typing import Generic, TypeVar

from podium.clients.kubernetes.client import IDLE_SECONDS, INITIAL_END, Change, Client
from podium.clients.kubernetes.errors import Expired, Forbidden, Missing, Permanent, Temporary, Unauthorized
from podium.clients.kubernetes.objects import Metadata
from podium.clients.kubernetes.where import Where

T = TypeVar("T")
Name = tuple[str, str]  # namespace and name

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
HELD_SECONDS = 5.0  # a watch that lasted so long ended well: the next one begins at once


class Informer(Generic[T]):
    """The objects of `where` decoded as `item`, each named by `name`. `run` until cancelled; the rest only looks."""

    def __init__(
        self,
        client: Client,
        where: Where,
        item: type[T],
        name: Callable[[T], Name],
        *,
        label_selector: str = "",
        idle_seconds: float = IDLE_SECONDS,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.where = where
        self.trouble: str | None = None  # why it is out of touch; None: it is in touch, or has not asked yet
        self.revision = 0  # grows with every change of what is known
        self._client = client
        self._item = item
        self._name = name
        self._idle = idle_seconds
        self._longest_pause = longest_pause_seconds
        self._selector = label_selector
        self._clock = clock
        self._items: dict[Name, T] = {}
        self._version = ""  # to go on from; "": begin with a list
        self._streams = True  # until the server says that it does not stream lists
        self._heard: float | None = None
        self._whole = False
        self._news = asyncio.Event()

    @property
    def items(self) -> Mapping[Name, T]:
        """What is known, by namespace and name: a view that changes with every turn of the event loop."""
        return MappingProxyType(self._items)

    @property
    def whole(self) -> bool:
        """Whether a list was read to its end at least once."""
        return self._whole

    @property
    def silent_seconds(self) -> float:
        """How long ago the server last said anything; infinite before its first whole list."""
        return self._clock() - self._heard if self._whole and self._heard is not None else float("inf")

    async def changed(self, revision: int) -> int:
        """Wait until what is known is whole and of a later revision than `revision`; the revision then."""
        while not self._whole or self.revision <= revision:
            self._news.clear()
            await self._news.wait()
        return self.revision

    async def run(self) -> None:
        """Follow the server until cancelled. What goes wrong is said in `trouble`, and tried again."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            begun = self._clock()
            try:
                await self._follow()
                self.trouble = None
            except Expired:
                self._version = ""
            except Temporary as error:
                self.trouble = str(error)
                pause = error.retry_after_seconds or pause
            except Permanent as error:
                self.trouble = str(error)
                pause = self._longest_pause  # a missing right may be granted, and a missing kind installed
            if self._clock() - begun >= HELD_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            # Ten informers that lost the same server do not come back in the same moment.
            await asyncio.sleep(pause * random.uniform(0.5, 1.0))  # noqa: S311  (no secret)
            pause = min(2 * pause, self._longest_pause)

    async def _follow(self) -> None:
        """A list where one is needed, and a watch to its end."""
        if self._version:
            await self._watch()
        elif self._streams:
            try:
                await self._stream()
            except (Forbidden, Missing, Unauthorized):
                raise
            except Permanent:  # 400 or 422: an older server, or one that is told not to
                self._streams = False
                await self._list()
        else:
            await self._list()

    async def _list(self) -> None:
        items, version = await self._client.list_all(self.where, self._item, label_selector=self._selector)
        self._replace({self._name(one): one for one in items}, version)
        await self._watch()

    async def _stream(self) -> None:
        """The list as the first events of the watch: the server builds no page and keeps no copy of it."""
        listed: dict[Name, T] = {}
        async for change in self._changes("", initial=True):
            if self._version:
                self._change(change)
            elif change.item is not None:
                _take(listed, change.kind, _named(change.metadata), change.item)
            elif INITIAL_END in (change.metadata.annotations or {}):
                self._replace(listed, change.metadata.resource_version)
            else:  # a bookmark before the end of a list: the server does not know what it was asked for
                self._streams = False
                return

    async def _watch(self) -> None:
        async for change in self._changes(self._version, initial=False):
            self._change(change)

    async def _changes(self, version: str, *, initial: bool) -> AsyncGenerator[Change[T]]:
        changes = self._client.watch(
            self.where, self._item, version, label_selector=self._selector, initial=initial, idle_seconds=self._idle
        )
        async with contextlib.aclosing(changes):
            async for change in changes:
                self._hear()
                yield change

    def _change(self, change: Change[T]) -> None:
        self._version = change.metadata.resource_version
        if change.item is not None:
            _take(self._items, change.kind, _named(change.metadata), change.item)
            self._moved()

    def _replace(self, items: dict[Name, T], version: str) -> None:
        self._items, self._version, self._whole = items, version, True
        self._hear()
        self._moved()

    def _hear(self) -> None:
        self._heard, self.trouble = self._clock(), None

    def _moved(self) -> None:
        self.revision += 1
        self._news.set()


def _take(items: dict[Name, T], kind: str, name: Name, item: T) -> None:
    if kind == "DELETED":
        items.pop(name, None)
    else:
        items[name] = item


def _named(metadata: Metadata) -> Name:
    return metadata.namespace, metadata.name
