"""What metrics.k8s.io says that pods use: it cannot be watched, so it is asked for in every turn."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection

from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.where import Where
from podium.loop.clusters.kubernetes.cache import APART, RETRY_WHOLE_SECONDS

ABSENT_SECONDS = 30.0  # an API that nobody serves is asked for again after so long
_AT_ONCE = 8

Failure = errors.Temporary | errors.Permanent
Listed = list[objects.PodMetrics] | Failure


class PodMetricsReader:
    """The use of pods, asked for the whole cluster at once where there are many namespaces and rights allow it."""

    def __init__(self, client: Client, *, apart: int = APART, clock: Callable[[], float] = time.monotonic) -> None:
        self._client = client
        self._apart = apart
        self._clock = clock
        self._absent: tuple[float, errors.Missing] | None = None  # until when, and what was said
        self._forbidden = 0.0  # until when not to ask for the whole cluster

    async def read(self, namespaces: Collection[str]) -> dict[str, Listed]:
        """The metrics of each namespace's pods, or why there are none."""
        if self._absent is not None and self._clock() < self._absent[0]:
            return dict.fromkeys(namespaces, self._absent[1])
        if len(namespaces) > self._apart and self._clock() >= self._forbidden:
            whole = await self._list("")
            if not isinstance(whole, errors.Forbidden):
                return _by_namespace(whole, namespaces)
            self._forbidden = self._clock() + RETRY_WHOLE_SECONDS
        gate = asyncio.Semaphore(_AT_ONCE)

        async def one(namespace: str) -> Listed:
            async with gate:
                return await self._list(namespace)

        return dict(zip(namespaces, await asyncio.gather(*map(one, namespaces)), strict=True))

    async def _list(self, namespace: str) -> Listed:
        where = Where(group="metrics.k8s.io", version="v1beta1", resource="pods", namespace=namespace)
        try:
            return (await self._client.list_all(where, objects.PodMetrics))[0]
        except errors.Missing as error:
            self._absent = self._clock() + ABSENT_SECONDS, error
            return error
        except (errors.Temporary, errors.Permanent) as error:
            return error


def _by_namespace(whole: Listed, namespaces: Collection[str]) -> dict[str, Listed]:
    if not isinstance(whole, list):
        return dict.fromkeys(namespaces, whole)
    found: dict[str, list[objects.PodMetrics]] = {name: [] for name in namespaces}
    for one in whole:
        if one.metadata.namespace in found:
            found[one.metadata.namespace].append(one)
    return dict(found)
