"""What bounds a workload from outside its policy: quotas of its namespace, disruption budgets, and nodes that are full.

Quotas and budgets change rarely and are asked for once a minute, quotas every turn where there is one. Who may not
read them is told nothing by them: they bound what is asked for, and nothing depends on their being known.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Generic, TypeVar

from podium.clients.kubernetes import errors, objects, selectors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.where import Where
from podium.loop.clusters.kubernetes import kept
from podium.loop.clusters.kubernetes.cache import APART, RETRY_WHOLE_SECONDS
from podium.model.arrays import UNKNOWN
from podium.model.quantities import parse_milli

UNPLACED_SECONDS = 300.0  # without a node: an autoscaler of nodes brings one within two to four minutes
LOOK_SECONDS = 60.0
_AT_ONCE = 8

T = TypeVar("T", objects.ResourceQuota, objects.PodDisruptionBudget)


@dataclasses.dataclass(frozen=True, slots=True)
class Bounds:
    """The quotas and budgets of one namespace."""

    quotas: Sequence[objects.ResourceQuota]
    budgets: Sequence[objects.PodDisruptionBudget]


UNBOUNDED = Bounds((), ())


class RoomReader:
    """The bounds of namespaces, as they were when they were last asked for."""

    def __init__(self, client: Client, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._quotas = _Listed(
            client, Where(group="", version="v1", resource="resourcequotas"), objects.ResourceQuota, clock
        )
        budgets = Where(group="policy", version="v1", resource="poddisruptionbudgets")
        self._budgets = _Listed(client, budgets, objects.PodDisruptionBudget, clock)

    async def read(self, namespaces: Collection[str]) -> dict[str, Bounds]:
        """The bounds of each namespace; none where they are not known."""
        if any(self._quotas.known.get(name) for name in namespaces):
            self._quotas.asked = -1.0
        quotas, budgets = await asyncio.gather(self._quotas.read(namespaces), self._budgets.read(namespaces))
        return {name: Bounds(quotas.get(name, ()), budgets.get(name, ())) for name in namespaces}


class _Listed(Generic[T]):
    """One resource, asked for once a minute: of the whole cluster, or of each namespace where that is forbidden."""

    def __init__(self, client: Client, where: Where, item: type[T], clock: Callable[[], float]) -> None:
        self._client, self._where, self._clock = client, where, clock
        self._item: type[T] = item
        self._forbidden = 0.0  # until when the whole cluster is not asked for
        self._absent: dict[str, float] = {}  # namespace -> until when it is not asked for
        self._of: frozenset[str] = frozenset()  # the namespaces that `known` is about
        self.asked = -1.0  # when it was last asked for; below 0: it is due
        self.known: dict[str, list[T]] = {}

    async def read(self, namespaces: Collection[str]) -> dict[str, list[T]]:
        """By namespace. What could not be asked for is as it was."""
        now, meant = self._clock(), frozenset(namespaces)
        if self.asked >= 0 and now - self.asked < LOOK_SECONDS and meant <= self._of:
            return self.known
        self.asked, self._of = now, meant
        if len(namespaces) > APART and now >= self._forbidden:
            whole = await self._list("")
            if whole is not None:
                self.known = {name: [] for name in namespaces}
                for one in whole:
                    self.known.setdefault(one.metadata.namespace, []).append(one)
                return self.known
            self._forbidden = now + RETRY_WHOLE_SECONDS
        gate = asyncio.Semaphore(_AT_ONCE)

        async def look(name: str) -> None:
            async with gate:
                if now >= self._absent.get(name, 0.0) and (found := await self._list(name)) is not None:
                    self.known[name] = found

        await asyncio.gather(*(look(name) for name in namespaces))
        return self.known

    async def _list(self, namespace: str) -> list[T] | None:
        try:
            return (await self._client.list_all(dataclasses.replace(self._where, namespace=namespace), self._item))[0]
        except errors.Temporary:
            return self.known.get(namespace)
        except errors.Permanent:
            self._absent[namespace] = self._clock() + RETRY_WHOLE_SECONDS
            return None


def left(quotas: Iterable[objects.ResourceQuota], requests: dict[str, int]) -> int:
    """How many more pods quotas allow, each of which requests so many thousandths; UNKNOWN: as many as you like.

    A quota that holds for some pods alone (scopes) is left to the API server.
    """
    room = UNKNOWN
    for quota in quotas:
        if quota.spec.scopes or quota.spec.scope_selector:
            continue
        for name, hard in (quota.status.hard or {}).items():
            each = _each(name, requests)
            if each <= 0:
                continue
            try:
                free = parse_milli(str(hard)) - parse_milli(str((quota.status.used or {}).get(name, "0")))
            except ValueError:
                continue
            count = max(free, 0) // each
            room = count if room == UNKNOWN else min(room, count)
    return room


def _each(name: str, requests: dict[str, int]) -> int:
    """Thousandths of a quota's resource that one more pod takes; 0: none, or it is not known."""
    if name in ("pods", "count/pods"):
        return 1000
    return max(requests.get(name.removeprefix("requests."), 0), 0)


def needed(budgets: Iterable[objects.PodDisruptionBudget], labels: dict[str, str]) -> int:
    """How many pods with these labels budgets want to be available; UNKNOWN: none says a number."""
    least = UNKNOWN
    for budget in budgets:
        asked = budget.spec.min_available
        if not isinstance(asked, int) or budget.spec.selector is None:
            continue
        try:
            if selectors.of(budget.spec.selector).matches(labels):
                least = max(least, asked)
        except errors.Permanent:
            continue
    return least


def waits(pod: kept.Pod, now: float) -> bool:
    """Whether a pod has waited for a node for too long."""
    return not pod.deleting and now - pod.unplaced >= UNPLACED_SECONDS  # NaN: it has one
