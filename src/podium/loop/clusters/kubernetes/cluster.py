"""The port on a Kubernetes API server. Which rights it needs: rights.py.

What is there is followed by list and watch (cache.py); a quiet turn asks for the use of pods, which cannot be watched,
and whether the server and its store are there at all. What is out of touch is unknown, and told: it is never empty.

A leader's claim is an annotation on the workload. It moves the resource version, and every write of replicas carries
the version that was read: the API server itself refuses whoever read before a later leader claimed (409).
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from typing import Any, TypeVar

from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery, Served
from podium.clients.kubernetes.where import Where
from podium.loop.clusters.kubernetes import kept, reading, sparing
from podium.loop.clusters.kubernetes.cache import PODS, Cache, Followed, Found
from podium.loop.clusters.kubernetes.kept import EPOCH
from podium.loop.clusters.kubernetes.podmetrics import PodMetricsReader
from podium.loop.clusters.kubernetes.reading import Namespace
from podium.loop.clusters.kubernetes.room import Bounds, RoomReader
from podium.loop.clusters.port import Conflict, Observation, Permanent, StaleLeader, Temporary
from podium.model import clock
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

T = TypeVar("T")
K = TypeVar("K")

_AT_ONCE = 32  # requests under way: 1,450 writes a second were measured so; more only queue in the API server
_CLAIM_ATTEMPTS = 10  # a workload in the middle of a rollout moves a few times a second
_OBSERVE_SECONDS = 60.0
_REST_SECONDS = 2.0  # of all workloads of a claim together; whoever is not at rest by then may see a conflict


class KubernetesCluster:
    """One cluster behind `client`, which is closed with it."""

    def __init__(self, name: str, client: Client) -> None:
        self.name = name
        self.containers: frozenset[str] = frozenset()
        self._client = client
        self._discovery = Discovery(client)
        self._slots = asyncio.Semaphore(_AT_ONCE)
        self._cache = Cache(client)
        self._metrics = PodMetricsReader(client)
        self._room = RoomReader(client)
        self._scales: dict[WorkloadKey, objects.Scale] = {}  # of the kinds whose replicas only their scale tells
        self._seen: dict[WorkloadKey, kept.Workload] = {}  # as of the last observation, and so are …
        self._namespaces: dict[str, Namespace] = {}
        self._epochs: dict[WorkloadKey, tuple[str, int]] = {}  # the epoch that a workload carried at a version

    async def observe(self, fleet: Fleet) -> Observation:
        """See the port. What concerns single workloads is told in `troubles`; raises when nothing could be read."""
        keys = [key for key in fleet.index if key.cluster == self.name]
        with _translated():
            try:
                async with asyncio.timeout(_OBSERVE_SECONDS):
                    return await self._observe(fleet, keys)
            except TimeoutError:
                server = self._client.access.server
                raise Temporary(f"{server}: {len(keys)} workloads were not read in {_OBSERVE_SECONDS:g} s") from None

    async def claim(self, keys: Sequence[WorkloadKey], epoch: int) -> None:
        """See the port. All workloads are tried; then the first refusal is raised, a later leader's before others."""
        results = await self._each(dict.fromkeys(keys), lambda key: self._claim(key, epoch))
        failures = [result for result in results.values() if isinstance(result, Exception)]
        for failure in sorted(failures, key=lambda one: not isinstance(one, StaleLeader)):
            with _translated():
                raise failure
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_REST_SECONDS):
                await self._each([key for key, moved in results.items() if moved is True], self._at_rest)

    async def scale(self, command: Scale) -> str:
        """See the port."""
        with _translated():
            where = await self._where(command.key)
            epoch = await self._refuse_earlier_leader(command, where)
            await self._spare_the_busy(command)
            try:
                scale = await self._client.put_scale(where, command.replicas, command.resource_version)
            except errors.Conflict as error:
                self._epochs.pop(command.key, None)
                await self._refuse_earlier_leader(command, where)
                raise Conflict(f"{command.key} has changed since it was read: {error}") from error
        version = scale.metadata.resource_version
        self._epochs[command.key] = (version, epoch)
        await self._wrote(command.key, version)
        return version

    async def close(self) -> None:
        """See the port."""
        await self._cache.close()
        await self._client.close()

    @property
    def counted(self) -> dict[str, int]:
        """How many objects of each resource are kept in memory."""
        return self._cache.counted

    async def _observe(self, fleet: Fleet, keys: list[WorkloadKey]) -> Observation:
        seen: dict[WorkloadKey, kept.Workload] = {}
        problems: dict[WorkloadKey, Exception] = {}
        await self._knock(keys)
        # Workloads first: pods that come in between belong to a number already known, and are counted as starting.
        for key, result in (await self._workloads(keys)).items():
            if isinstance(result, Exception):
                problems[key] = result
            else:
                seen[key] = result
        _raise_if_nothing_answers(list(problems.values()), len(keys))
        names = list(dict.fromkeys(key.namespace for key in seen))
        pods, metrics, bounds = await asyncio.gather(
            self._cache.read(PODS, names), self._metrics.read(names), self._room.read(names)
        )
        for key in seen:
            trouble = _trouble(pods[key.namespace], metrics[key.namespace])
            if trouble is not None:
                problems[key] = trouble
        namespaces = {name: _namespace(pods[name], metrics[name], bounds[name]) for name in names}
        self._seen, self._namespaces = seen, namespaces
        self._epochs = {key: (one.version, one.epoch) for key, one in seen.items()}
        troubles = {key: f"{key}: {problem}" for key, problem in problems.items()}
        await self._cache.rest()
        return reading.observation(fleet, seen, namespaces, troubles, self.containers, now=clock.wall_clock())

    async def _knock(self, keys: Collection[WorkloadKey]) -> None:
        """Raises Temporary when the server or its store does not answer; a watch would be silent about it for long."""
        if keys:
            with contextlib.suppress(errors.Permanent):  # not everybody may ask
                await self._client.knock()

    async def _workloads(self, keys: list[WorkloadKey]) -> dict[WorkloadKey, kept.Workload | Exception]:
        """Each workload, or why not."""
        kinds = await self._each(
            dict.fromkeys((key.group, key.kind) for key in keys), lambda kind: self._discovery.find(*kind)
        )
        groups: dict[tuple[str, str], list[WorkloadKey]] = {}
        for key in keys:
            groups.setdefault((key.group, key.kind), []).append(key)
        found: dict[WorkloadKey, kept.Workload | Exception] = {}
        for kind, members in groups.items():
            served = kinds[kind]
            if isinstance(served, Exception):
                found |= dict.fromkeys(members, served)
            elif not served.scalable:
                found |= dict.fromkeys(members, self._not_scalable(served))
            else:
                found |= await self._kind(served, members)
        self._scales = {key: scale for key, scale in self._scales.items() if key in found}
        return found

    async def _kind(self, served: Served, keys: list[WorkloadKey]) -> dict[WorkloadKey, kept.Workload | Exception]:
        spaces = await self._cache.read(_followed(served), dict.fromkeys(key.namespace for key in keys))
        if any(isinstance(one, errors.Missing) for one in spaces.values()):
            self._discovery.forget(served.group)  # the kind itself may have moved to another version
        found = {key: _member(spaces[key.namespace], key) for key in keys}
        marked = {key: one for key, one in found.items() if isinstance(one, kept.Marked)}
        known = {key: one for key, one in found.items() if not isinstance(one, kept.Marked)}
        return known | await self._each(marked, lambda key: self._scaled(served, key, marked[key]))

    async def _scaled(self, served: Served, key: WorkloadKey, marked: kept.Marked) -> kept.Workload:
        """By its scale, which is asked for where the workload has moved since."""
        scale, epoch = self._scales.get(key), marked.epoch
        if scale is None or scale.metadata.resource_version != marked.version:
            scale = await self._client.get_scale(served.at(key.namespace, key.name))
        if scale.metadata.resource_version != marked.version:
            # Asked for after the scale: the epoch is never older than the version that a write will carry.
            one = await self._client.get(served.at(key.namespace, key.name), objects.Object, metadata_alone=True)
            epoch = kept.epoch(one.metadata)
        self._scales[key] = scale
        return kept.scaled(scale, epoch, marked.marks)

    async def _claim(self, key: WorkloadKey, epoch: int) -> bool:
        """Whether it had to be written."""
        where = await self._where(key)
        for _ in range(_CLAIM_ATTEMPTS):
            workload = await self._client.get(where, objects.Object, metadata_alone=True)
            _refuse(key, epoch, kept.epoch(workload.metadata))
            if kept.epoch(workload.metadata) == epoch:
                return False
            version = workload.metadata.resource_version
            patch = {"metadata": {"resourceVersion": version, "annotations": {EPOCH: str(epoch)}}}
            with contextlib.suppress(errors.Conflict):
                claimed = await self._client.merge_patch(where, patch, objects.Object)
                self._epochs[key] = (claimed.metadata.resource_version, epoch)
                await self._wrote(key, claimed.metadata.resource_version)
                return True
        raise Temporary(f"{key} changes too fast to be claimed: {_CLAIM_ATTEMPTS} attempts were overtaken")

    async def _at_rest(self, key: WorkloadKey) -> None:
        """Wait for the workload's own controller: a Deployment counts an annotation as a change, and notes it as seen.

        That moves the version once more, some 20 ms later, and would refuse the first write after a claim.
        """
        where, pause = await self._where(key), 0.02
        while True:
            one = await self._client.get(where, objects.Controlled)
            seen = None if one.status is None else one.status.observed_generation
            if seen is None or seen >= one.metadata.generation:
                await self._wrote(key, one.metadata.resource_version)
                return
            await asyncio.sleep(pause)
            pause *= 2

    async def _refuse_earlier_leader(self, command: Scale, where: Where) -> int:
        """The epoch at the very version the write will carry: as the server pins the version, it pins the epoch too."""
        version, epoch = self._epochs.get(command.key, ("", 0))
        if version != command.resource_version:
            workload = await self._client.get(where, objects.Object, metadata_alone=True)
            version, epoch = workload.metadata.resource_version, kept.epoch(workload.metadata)
            self._epochs[command.key] = (version, epoch)
        _refuse(command.key, command.epoch, epoch)
        return epoch

    async def _spare_the_busy(self, command: Scale) -> None:
        """Before pods are taken away, say which may go first. A hint: without it the write is as good."""
        workload = self._seen.get(command.key)
        fewer = command.current - command.replicas
        if (
            workload is None
            or fewer <= 0
            or not command.replicas
            or (command.key.group, command.key.kind) not in sparing.KINDS
        ):
            return
        namespace = self._namespaces[command.key.namespace]
        own = [pod for pod in namespace.pods or () if workload.selector.matches(pod.labels)]
        marks = sparing.first_to_go(own, reading.cpu(namespace, own), fewer)
        costs = {**dict.fromkeys(marks.mark, sparing.OURS), **dict.fromkeys(marks.clear, None)}
        await self._each(list(costs), lambda name: self._cost(command.key.namespace, name, costs[name]))

    async def _cost(self, namespace: str, name: str, cost: str | None) -> None:
        where = Where(group="", version="v1", resource="pods", namespace=namespace, name=name)
        await self._client.merge_patch(where, {"metadata": {"annotations": {kept.COST: cost}}}, objects.Object)

    async def _wrote(self, key: WorkloadKey, version: str) -> None:
        """What is observed from now on is at least as new."""
        served = await self._discovery.find(key.group, key.kind)
        self._cache.wrote(_followed(served), key.namespace, key.name, version)

    async def _where(self, key: WorkloadKey) -> Where:
        served = await self._discovery.find(key.group, key.kind)
        if not served.scalable:
            raise self._not_scalable(served)
        return served.at(key.namespace, key.name)

    def _not_scalable(self, served: Served) -> errors.Permanent:
        return errors.Permanent(f"{self._client.access.server}: {served.resource} have no scale subresource")

    async def _each(self, keys: Collection[K], ask: Callable[[K], Awaitable[T]]) -> dict[K, T | Exception]:
        """An answer, or the error in its place, for each key; a bounded number at once."""

        async def one(key: K) -> T | Exception:
            async with self._slots:
                try:
                    return await ask(key)
                except (errors.Temporary, errors.Permanent, errors.Conflict, Temporary, Permanent, Conflict) as error:
                    return error

        return dict(zip(keys, await asyncio.gather(*map(one, keys)), strict=True))


@functools.cache
def _followed(served: Served) -> Followed:
    """What is followed of a kind: all that is needed where its shape is known, else the metadata."""
    if (served.group, served.version, served.resource) in _KNOWN:
        return Followed(served.at(""), objects.Workload, kept.workload)
    return Followed(served.at(""), objects.Object, kept.marked, metadata_alone=True)


_KNOWN = {("apps", "v1", resource) for resource in ("deployments", "statefulsets", "replicasets")}


def _refuse(key: WorkloadKey, epoch: int, claimed: int) -> None:
    if claimed > epoch:
        raise StaleLeader(f"{key} is claimed by epoch {claimed}, later than {epoch}")


def _member(space: Found | Exception, key: WorkloadKey) -> Any:
    """What is kept of a workload, or why nothing is."""
    if isinstance(space, Exception):
        return space
    one = space.get(key.name)
    if one is None:
        return errors.Missing(f"there is no {key.kind} {key.name} in namespace {key.namespace}")
    return one.failure if isinstance(one, kept.Unreadable) else one


def _namespace(pods: Found | Exception, metrics: list[objects.PodMetrics] | Exception, bounds: Bounds) -> Namespace:
    known = None if isinstance(pods, Exception) else pods.values()
    return Namespace(known, [] if isinstance(metrics, Exception) else metrics, bounds)


def _trouble(pods: object, metrics: object) -> Exception | None:
    """Pods are needed. Metrics are extra: their API may be absent or away, and only a missing right is a mistake."""
    if isinstance(pods, Exception):
        return pods
    return metrics if isinstance(metrics, errors.Forbidden) else None


def _raise_if_nothing_answers(problems: list[Exception], asked: int) -> None:
    """One workload that cannot be read is its own trouble; when none can, the cluster is."""
    if asked and len(problems) == asked and all(isinstance(one, errors.Temporary) for one in problems):
        raise problems[0]
    for problem in problems:
        if isinstance(problem, (errors.Unauthorized, errors.Broken)):
            raise problem


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """The client's errors in the words of the port."""
    try:
        yield
    except errors.Temporary as error:
        raise Temporary(str(error)) from error
    except errors.Permanent as error:
        raise Permanent(str(error)) from error
    except errors.Conflict as error:
        raise Conflict(str(error)) from error
