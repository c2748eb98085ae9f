"""One reader of the View's changes for any number of listeners.

Only the newest view is kept, encoded once. A listener asks for "something newer than what I have": a slow one skips
ticks, and costs no memory for those it skipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
from collections.abc import Iterator

import msgspec

from podium.loop.tell.view import FleetView, View


@dataclasses.dataclass(frozen=True, slots=True)
class Moment:
    """One tick, ready to be sent. `number` counts the moments of this process."""

    number: int
    fleet: FleetView
    body: bytes


class Broadcast:
    """Listens to the View while at least one listener is here."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._newest: Moment | None = None
        self._number = 0
        self._arrived = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._closed = False
        self.listeners = 0

    @property
    def ended(self) -> bool:
        """Nothing newer will come: the program stops, or the View ended."""
        return self._closed or (self._task is not None and self._task.done())

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

    def publish(self, fleet: FleetView) -> Moment:
        """Make `fleet` the newest view."""
        self._number += 1
        self._newest = Moment(self._number, fleet, msgspec.json.encode(fleet))
        self._wake()
        return self._newest

    def newest(self) -> Moment | None:
        """The newest view that was seen; None before the first."""
        return self._newest

    async def newer(self, number: int, patience_seconds: float) -> Moment | None:
        """The newest view once there is one after `number`; None when nothing came in time, or nothing more will.

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

    async def close(self) -> None:
        """End every stream: the program stops."""
        self._closed = True
        self._wake()
        task = self._task
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    def _wake(self, _task: object = None) -> None:
        arrived, self._arrived = self._arrived, asyncio.Event()
        arrived.set()

    async def _follow(self) -> None:
        """Until cancelled, or the View ends."""
        async for fleet in self._view.changes():
            self.publish(fleet)
