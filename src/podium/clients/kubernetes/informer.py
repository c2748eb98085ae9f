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
from typing import Any, Generic, TypeVar

from podium.clients.kubernetes.client import IDLE_SECONDS, INITIAL_END, Change, Client
from podium.clients.kubernetes.errors import Expired, Forbidden, Missing, Permanent, Temporary, Unauthorized
from podium.clients.kubernetes.where import Where

T = TypeVar("T")
Name = tuple[str, str]  # namespace and name

FIRST_PAUSE_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 30.0
HELD_SECONDS = 5.0  # a watch that lasted so long ended well: the next one begins at once


class Informer(Generic[T]):
    """The objects of `where` decoded as `item`, each named by `name`. `run` until cancelled; the rest only looks.

    `keep` says what is kept of each; left out, all that was decoded. `metadata_alone` asks for nothing else.
    """

    def __init__(
        self,
        client: Client,
        where: Where,
        item: type[Any],
        name: Callable[[Any], Name],
        *,
        keep: Callable[[Any], T] | None = None,
        metadata_alone: bool = False,
        label_selector: str = "",
        idle_seconds: float = IDLE_SECONDS,
        longest_pause_seconds: float = LONGEST_PAUSE_SECONDS,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.where = where
        self.failure: Temporary | Permanent | None = None  # why it is out of touch; None: it is, or has not asked yet
        self.revision = 0  # grows with every change of what is known
        self._client = client
        self._item = item
        self._name = name
        self._keep = keep or _whole
        self._metadata_alone = metadata_alone
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
    def trouble(self) -> str | None:
        """Why it is out of touch, in words; None: it is in touch, or has not asked yet."""
        return None if self.failure is None else str(self.failure)

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
            await self.moved()
        return self.revision

    async def settled(self) -> None:
        """Wait until there is something to go by: all that was listed, or why it could not be."""
        while not self._whole and self.failure is None:
            await self.moved()

    async def moved(self) -> None:
        """Wait until something was said: a change, a loss of touch, or that it is in touch again."""
        self._news.clear()
        await self._news.wait()

    async def run(self) -> None:
        """Follow the server until cancelled. What goes wrong is said in `failure`, and tried again."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            begun = self._clock()
            try:
                await self._follow()
                self.failure = None
            except Expired:
                self._version = ""
            except Temporary as error:
                self._lost(error)
                pause = error.retry_after_seconds or pause
            except Permanent as error:
                self._lost(error)
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
        items, version = await self._client.list_all(
            self.where, self._item, label_selector=self._selector, metadata_alone=self._metadata_alone
        )
        self._replace({self._name(one): self._keep(one) for one in items}, version)
        await self._watch()

    async def _stream(self) -> None:
        """The list as the first events of the watch: the server builds no page and keeps no copy of it."""
        listed: dict[Name, T] = {}
        async for change in self._changes("", initial=True):
            if self._version:
                self._change(change)
            elif change.item is not None:
                self._take(listed, change)
            elif INITIAL_END in (change.metadata.annotations or {}):
                self._replace(listed, change.metadata.resource_version)
            else:  # a bookmark before the end of a list: the server does not know what it was asked for
                self._streams = False
                return

    async def _watch(self) -> None:
        async for change in self._changes(self._version, initial=False):
            self._change(change)

    async def _changes(self, version: str, *, initial: bool) -> AsyncGenerator[Change[Any]]:
        changes = self._client.watch(
            self.where, self._item, version, label_selector=self._selector, initial=initial, idle_seconds=self._idle,
            metadata_alone=self._metadata_alone, opened=self._hear,
        )  # fmt: skip
        async with contextlib.aclosing(changes):
            async for change in changes:
                self._hear()
                yield change

    def _change(self, change: Change[Any]) -> None:
        self._version = change.metadata.resource_version
        if change.item is not None:
            self._take(self._items, change)
            self._moved()

    def _take(self, items: dict[Name, T], change: Change[Any]) -> None:
        name = change.metadata.namespace, change.metadata.name
        if change.kind == "DELETED":
            items.pop(name, None)
        else:
            items[name] = self._keep(change.item)

    def _replace(self, items: dict[Name, T], version: str) -> None:
        self._items, self._version, self._whole = items, version, True
        self._hear()
        self._moved()

    def _hear(self) -> None:
        self._heard = self._clock()
        if self.failure is not None:
            self.failure = None
            self._news.set()

    def _lost(self, failure: Temporary | Permanent) -> None:
        self.failure = failure
        self._news.set()

    def _moved(self) -> None:
        self.revision += 1
        self._news.set()


def _whole(item: Any) -> Any:
    return item
