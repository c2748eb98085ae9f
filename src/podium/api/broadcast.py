"""One reader of the View's changes for any number of listeners, and one encoding of every event for all of them.

Only the newest turn is kept. A listener asks for "something newer than what I have": a slow one skips turns, and costs
no memory for those it skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Awaitable, Callable, Hashable, Iterator
from typing import Any, TypeVar

import msgspec

from podium.api import answers
from podium.api.mapping import Mapping
from podium.api.reads import Reads
from podium.loop.tell.view import FleetView, View, WorkloadTail

T = TypeVar("T")


@dataclasses.dataclass(frozen=True, slots=True)
class Moment:
    """One turn, ready to be sent. `number` counts the moments of this process."""

    number: int
    fleet: FleetView
    body: bytes  # of the `fleet` event


class Broadcast:
    """Listens to the View while at least one listener is here."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._mapping = Mapping()
        self._newest: Moment | None = None
        self._number = 0
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self._shared: dict[Hashable, asyncio.Future[Any]] = {}  # what was made of the newest turn, for all who ask
        self.listeners = 0

    @property
    def ended(self) -> bool:
        """Nothing newer will come: the program stops, or the View ended."""
        return self._closed or (self._task is not None and self._task.done())

    @property
    def nonce(self) -> str:
        """What marks on the map belong to."""
        return self._mapping.nonce

    @contextlib.contextmanager
    def listening(self) -> Iterator[None]:
        """Be counted as a listener."""
        self.listeners += 1
        if self._task is None or self._task.done():
            self._newest = None  # what an earlier reader saw may be long past
            self._task = asyncio.create_task(self._follow(), name="view changes")
            self._task.add_done_callback(self._wake)
        try:
            yield
        finally:
            self.listeners -= 1
            if self.listeners == 0:
                self._task.cancel()
                self._task, self._newest = None, None

    async def newest(self) -> Moment:
        """What is known now: as the others see it, or read anew by the first to listen."""
        if self._newest is None:
            return await self._once("first", self._read)
        return self._newest

    async def newer(self, number: int, patience_seconds: float) -> Moment | None:
        """The newest moment once there is one after `number`; None when nothing came in time, or nothing more will.

        Raises what the View raised when it broke off: the listener's stream ends, and its next one asks anew.
        """
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience_seconds):
                while not self.ended and (self._newest is None or self._newest.number <= number):
                    await self._arrived.wait()
        if self._task is not None and self._task.done() and not self._closed:
            self._task.result()
        newest = self._newest
        return newest if newest is not None and newest.number > number else None

    async def map(self) -> tuple[bytes, str]:
        """(JSON, ETag) of the whole map now."""

        def made(view: View) -> tuple[bytes, str]:
            _, body = self._mapping.whole(view.sheet())
            return body, answers.tag(body)

        return await self._reads.quick(made, self._reads.view)

    async def moved(self, mark: int | None) -> tuple[int, str, bytes]:
        """(mark, event, JSON) of the map for who has seen it up to `mark`; event "": nothing moved."""

        def made(view: View) -> tuple[int, str, bytes]:
            return self._mapping.since(view.sheet(), mark)

        return await self._once(("map", mark), lambda: self._reads.quick(made, self._reads.view))

    async def tail(self, key: str, since: float) -> bytes | None:
        """JSON of what happened to a workload since a moment; None for one that nobody knows."""

        def made(view: View) -> bytes | None:
            try:
                tail: WorkloadTail = view.tail(key, since)
            except KeyError:
                return None
            return msgspec.json.encode(tail)

        return await self._once(("workload", key, since), lambda: self._reads.slow(made, self._reads.view))

    async def close(self) -> None:
        """End every stream: the program stops."""
        self._closed = True
        self._wake()
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _once(self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        """What `make` gives, made once for all who ask before the next turn, however many leave meanwhile."""
        shared = self._shared
        task = shared.get(key)
        if task is None:
            task = shared[key] = asyncio.ensure_future(_awaited(make))

            def ended(done: asyncio.Future[Any]) -> None:
                if done.cancelled() or done.exception() is not None:  # whoever asks next tries anew
                    shared.pop(key, None)

            task.add_done_callback(ended)
        made: T = await asyncio.shield(task)
        return made

    async def _read(self) -> Moment:
        fleet, body = await self._reads.quick(_encoded, self._reads.view)
        self._number += 1
        self._newest = Moment(self._number, fleet, body)
        self._shared = {}
        return self._newest

    def _wake(self, _task: object = None) -> None:
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()

    async def _follow(self) -> None:
        """Until cancelled, or the View ends."""
        async for _ in self._reads.view.changes():
            await self._read()
            self._wake()


async def _awaited(make: Callable[[], Awaitable[T]]) -> T:
    return await make()


def _encoded(view: View) -> tuple[FleetView, bytes]:
    fleet = view.fleet()
    return fleet, msgspec.json.encode(fleet)
