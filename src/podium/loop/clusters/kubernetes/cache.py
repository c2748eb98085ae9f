"""What an API server lists and watches of the resources that are asked for, each by as few watches as rights allow.

Few namespaces are followed each by itself, so that a Role in each is enough. Many are followed by one watch of the
whole cluster, and each by itself where that is forbidden. What is out of touch is no answer: why is told instead.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import time
from collections.abc import Callable, Collection, Mapping
from typing import Any

from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.informer import Informer
from podium.clients.kubernetes.where import Where
from podium.loop.clusters.kubernetes import kept

APART = 10  # namespaces that are followed each by itself, before the whole cluster is
RECONNECT_SECONDS = 2.0  # how long one look waits for a watch that broke off: an API server that restarts takes longer
CATCH_UP_SECONDS = 2.0  # how long one look waits until it sees what was written here
RETRY_WHOLE_SECONDS = 3600.0  # after which a cluster-wide watch that was forbidden is tried again
UNUSED_SECONDS = 600.0  # after which what nobody asks for is no longer followed


@dataclasses.dataclass(frozen=True, slots=True)
class Followed:
    """A resource, and what of its objects is decoded and kept."""

    where: Where  # of the whole cluster
    item: type[Any]
    keep: Callable[[Any], Any]
    metadata_alone: bool = False


PODS = Followed(Where(group="", version="v1", resource="pods"), objects.Pod, kept.pod)

Found = Mapping[str, Any]  # name -> what is kept


@dataclasses.dataclass(slots=True)
class _Running:
    informer: Informer[Any]
    task: asyncio.Task[None]
    asked: float  # when somebody last asked (monotonic)


class Cache:
    """The objects of one API server, followed from the first question for them on, until `close`."""

    def __init__(self, client: Client, *, apart: int = APART, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._apart = apart
        self._clock = clock
        self._running: dict[tuple[Followed, str], _Running] = {}  # by resource and namespace; "": the whole cluster
        self._forbidden: dict[Followed, float] = {}  # until when it is not tried to follow it in the whole cluster
        self._written: dict[tuple[Followed, str, str], str] = {}  # (…, namespace, name) -> the version of our write

    async def read(
        self, resource: Followed, namespaces: Collection[str]
    ) -> dict[str, Found | errors.Temporary | errors.Permanent]:
        """What is known of each namespace now, or why nothing is. Waits until it is known for the first time."""
        if len(namespaces) > self._apart and self._clock() >= self._forbidden.get(resource, 0.0):
            whole = await self._look(resource, "")
            if not isinstance(whole, (errors.Forbidden, errors.Unauthorized)):
                return _by_namespace(whole, namespaces)
            self._forbidden[resource] = self._clock() + RETRY_WHOLE_SECONDS
        looks = await asyncio.gather(*(self._look(resource, name) for name in namespaces))
        return {name: _by_namespace(look, [name])[name] for name, look in zip(namespaces, looks, strict=True)}

    def wrote(self, resource: Followed, namespace: str, name: str, version: str) -> None:
        """We have written this version: an older one is not the truth any more."""
        before = self._written.get((resource, namespace, name), "")
        if not (before and kept.is_at_least(before, version)):
            self._written[resource, namespace, name] = version

    async def close(self) -> None:
        """Follow nothing any more."""
        running, self._running = list(self._running.values()), {}
        await _end(running)

    async def rest(self) -> None:
        """Stop following what nobody has asked for during the last ten minutes."""
        before = self._clock() - UNUSED_SECONDS
        unused = [key for key, one in self._running.items() if one.asked < before]
        await _end([self._running.pop(key) for key in unused])

    @property
    def counted(self) -> dict[str, int]:
        """How many objects of each resource are kept."""
        counts: dict[str, int] = {}
        for (resource, _), one in self._running.items():
            counts[resource.where.resource] = counts.get(resource.where.resource, 0) + len(one.informer.items)
        return counts

    async def _look(
        self, resource: Followed, namespace: str
    ) -> Mapping[tuple[str, str], Any] | errors.Temporary | errors.Permanent:
        informer = self._informer(resource, namespace)
        await informer.settled()
        if isinstance(informer.failure, errors.Temporary) and informer.whole:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RECONNECT_SECONDS):
                    while informer.failure is not None:
                        await informer.moved()
        failure = informer.failure
        if failure is None:
            return await self._with_ours(resource, namespace, informer)
        if isinstance(failure, errors.Temporary) and informer.whole:
            return errors.Temporary(f"out of touch for {informer.silent_seconds:.0f} s: {failure}")
        return failure

    async def _with_ours(
        self, resource: Followed, namespace: str, informer: Informer[Any]
    ) -> Mapping[tuple[str, str], Any]:
        """What is known, once it holds what we wrote. An object that stays behind is told as such."""
        ours = {key for key in self._written if key[0] is resource and namespace in ("", key[1])}
        if not ours:
            return informer.items
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CATCH_UP_SECONDS):
                while ours := {key for key in ours if not self._caught_up(informer, key)}:
                    await informer.moved()
        behind = {key[1:]: errors.Temporary(_behind(self._written[key])) for key in ours}
        return {**informer.items, **behind} if behind else informer.items

    def _caught_up(self, informer: Informer[Any], key: tuple[Followed, str, str]) -> bool:
        known = informer.items.get(key[1:])
        # What is gone is gone later than we wrote.
        if known is None or kept.is_at_least(known.version, self._written[key]):
            del self._written[key]
            return True
        return False

    def _informer(self, resource: Followed, namespace: str) -> Informer[Any]:
        running = self._running.get((resource, namespace))
        if running is not None and running.task.done():
            running.task.result()  # raises what ended it: an informer ends by itself only by a fault of ours
        if running is None:
            where = dataclasses.replace(resource.where, namespace=namespace)
            informer = Informer[Any](
                self._client, where, resource.item, _name, keep=resource.keep, metadata_alone=resource.metadata_alone
            )
            running = _Running(informer, asyncio.create_task(informer.run()), self._clock())
            self._running[resource, namespace] = running
        running.asked = self._clock()
        return running.informer


async def _end(running: Collection[_Running]) -> None:
    for one in running:
        one.task.cancel()
    await asyncio.gather(*(one.task for one in running), return_exceptions=True)


def _by_namespace(
    look: Mapping[tuple[str, str], Any] | errors.Temporary | errors.Permanent, namespaces: Collection[str]
) -> dict[str, Found | errors.Temporary | errors.Permanent]:
    if isinstance(look, (errors.Temporary, errors.Permanent)):
        return dict.fromkeys(namespaces, look)
    found: dict[str, dict[str, Any]] = {name: {} for name in namespaces}
    for (namespace, name), one in look.items():
        if namespace in found:
            found[namespace][name] = one
    return dict(found)


def _name(one: Any) -> tuple[str, str]:
    return one.metadata.namespace, one.metadata.name


def _behind(version: str) -> str:
    return f"the watch has not told of our own write, version {version}, within {CATCH_UP_SECONDS:g} s"
