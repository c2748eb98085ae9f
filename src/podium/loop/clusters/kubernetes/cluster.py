"""The port on a Kubernetes API server. Which rights it needs: rights.py.

A leader's claim is an annotation on the workload. It moves the resource version, and every write of replicas carries
the version that was read: the API server itself refuses whoever read before a later leader claimed (409).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from typing import TypeVar

from podium.clients.kubernetes import errors, objects, selectors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery, Served
from podium.clients.kubernetes.where import Where
from podium.loop.clusters.kubernetes import reading
from podium.loop.clusters.kubernetes.reading import Namespace, Seen
from podium.loop.clusters.port import Conflict, Observation, Permanent, StaleLeader, Temporary
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

T = TypeVar("T")
K = TypeVar("K")

EPOCH = "podium.dev/epoch"

_AT_ONCE = 32  # requests under way: 1,450 writes a second were measured so; more only queue in the API server
_LISTED_FROM = 4  # workloads of one kind in one namespace: from here on one list replaces two requests for each
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
            await self._refuse_earlier_leader(command, where)
            try:
                scale = await self._client.put_scale(where, command.replicas, command.resource_version)
            except errors.Conflict as error:
                self._epochs.pop(command.key, None)
                await self._refuse_earlier_leader(command, where)
                raise Conflict(f"{command.key} has changed since it was read: {error}") from error
        version = scale.metadata.resource_version
        self._epochs[command.key] = (version, self._epochs[command.key][1])
        return version

    async def close(self) -> None:
        """See the port."""
        await self._client.close()

    async def _observe(self, fleet: Fleet, keys: list[WorkloadKey]) -> Observation:
        seen: dict[WorkloadKey, Seen] = {}
        problems: dict[WorkloadKey, Exception] = {}
        # Workloads first: pods that come in between belong to a number already known, and are counted as starting.
        for key, result in (await self._workloads(keys)).items():
            if isinstance(result, Exception):
                problems[key] = result
            else:
                seen[key] = result
        _raise_if_nothing_answers(list(problems.values()), len(keys))
        names = dict.fromkeys(key.namespace for key in seen)
        pods = await self._each(names, lambda name: self._list("", name, objects.Pod))
        metrics = await self._each(names, lambda name: self._list("metrics.k8s.io", name, objects.PodMetrics))
        for key in seen:
            trouble = _trouble(pods[key.namespace], metrics[key.namespace])
            if trouble is not None:
                problems[key] = trouble
        namespaces = {name: Namespace(_found(pods[name]), _found(metrics[name]) or []) for name in names}
        self._epochs = {key: (one.resource_version, one.epoch) for key, one in seen.items()}
        troubles = {key: f"{key}: {problem}" for key, problem in problems.items()}
        return reading.observation(fleet, seen, namespaces, troubles, self.containers)

    async def _workloads(self, keys: list[WorkloadKey]) -> dict[WorkloadKey, Seen | Exception]:
        """Each workload, or why not; those of one kind in one namespace by a list when they are many."""
        kinds = await self._each(
            dict.fromkeys((key.group, key.kind) for key in keys), lambda kind: self._discovery.find(*kind)
        )
        groups: dict[tuple[str, str, str], list[WorkloadKey]] = {}
        for key in keys:
            groups.setdefault((key.group, key.kind, key.namespace), []).append(key)
        found: dict[WorkloadKey, Seen | Exception] = {}
        singles: dict[WorkloadKey, Served] = {}
        lists: dict[tuple[str, str, str], Served] = {}
        for group, members in groups.items():
            served = kinds[group[:2]]
            if isinstance(served, Exception):
                found |= dict.fromkeys(members, served)
            elif group[0] == "apps" and len(members) >= _LISTED_FROM:
                lists[group] = served
            else:
                singles |= dict.fromkeys(members, served)
        listed = await self._each(lists, lambda group: self._listed(lists[group], group[2]))
        for group, result in listed.items():
            found |= {key: _member(result, key) for key in groups[group]}
        return found | await self._each(singles, lambda key: self._single(singles[key], key))

    async def _listed(self, served: Served, namespace: str) -> dict[str, Seen | Exception]:
        items, _ = await self._client.list_all(served.at(namespace), objects.Workload)
        return {one.metadata.name: _workload(one) for one in items}

    async def _single(self, served: Served, key: WorkloadKey) -> Seen:
        """Scale, then metadata. In this order the epoch is never older than the version that a write will carry."""
        where = self._scalable(served, key)
        try:
            scale = await self._client.get_scale(where)
            workload = await self._client.get(where, objects.Object, metadata_alone=True)
        except errors.Missing:
            self._discovery.forget(key.group)  # the kind itself may have moved to another version
            raise
        if not scale.status.selector:
            raise errors.Permanent("its scale names no selector, so its pods are not known")
        try:
            selector = selectors.parse(scale.status.selector)
        except ValueError as error:
            raise errors.Permanent(str(error)) from error
        return Seen(
            replicas=scale.spec.replicas,
            status_replicas=scale.status.replicas,
            resource_version=scale.metadata.resource_version,
            epoch=_epoch(workload.metadata),
            selector=selector,
        )

    async def _list(self, group: str, namespace: str, item: type[T]) -> list[T]:
        where = Where(group=group, version="v1beta1" if group else "v1", resource="pods", namespace=namespace)
        return (await self._client.list_all(where, item))[0]

    async def _claim(self, key: WorkloadKey, epoch: int) -> bool:
        """Whether it had to be written."""
        where = await self._where(key)
        for _ in range(_CLAIM_ATTEMPTS):
            workload = await self._client.get(where, objects.Object, metadata_alone=True)
            _refuse(key, epoch, _epoch(workload.metadata))
            if _epoch(workload.metadata) == epoch:
                return False
            version = workload.metadata.resource_version
            patch = {"metadata": {"resourceVersion": version, "annotations": {EPOCH: str(epoch)}}}
            with contextlib.suppress(errors.Conflict):
                claimed = await self._client.merge_patch(where, patch, objects.Object)
                self._epochs[key] = (claimed.metadata.resource_version, epoch)
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
                return
            await asyncio.sleep(pause)
            pause *= 2

    async def _refuse_earlier_leader(self, command: Scale, where: Where) -> None:
        """The epoch at the very version the write will carry: as the server pins the version, it pins the epoch too."""
        version, epoch = self._epochs.get(command.key, ("", 0))
        if version != command.resource_version:
            workload = await self._client.get(where, objects.Object, metadata_alone=True)
            version, epoch = workload.metadata.resource_version, _epoch(workload.metadata)
            self._epochs[command.key] = (version, epoch)
        _refuse(command.key, command.epoch, epoch)

    async def _where(self, key: WorkloadKey) -> Where:
        return self._scalable(await self._discovery.find(key.group, key.kind), key)

    def _scalable(self, served: Served, key: WorkloadKey) -> Where:
        if not served.scalable:
            raise errors.Permanent(f"{self._client.access.server}: {served.resource} have no scale subresource")
        return served.at(key.namespace, key.name)

    async def _each(self, keys: Collection[K], ask: Callable[[K], Awaitable[T]]) -> dict[K, T | Exception]:
        """An answer, or the error in its place, for each key; a bounded number at once."""

        async def one(key: K) -> T | Exception:
            async with self._slots:
                try:
                    return await ask(key)
                except (errors.Temporary, errors.Permanent, errors.Conflict, Temporary, Permanent, Conflict) as error:
                    return error

        return dict(zip(keys, await asyncio.gather(*map(one, keys)), strict=True))


def _workload(one: objects.Workload) -> Seen | Exception:
    try:
        return Seen(
            replicas=one.spec.replicas,
            status_replicas=one.status.replicas,
            resource_version=one.metadata.resource_version,
            epoch=_epoch(one.metadata),
            selector=selectors.of(one.spec.selector),
        )
    except errors.Permanent as error:
        return error


def _epoch(metadata: objects.Metadata) -> int:
    """The claim that a workload carries. Raises Permanent when somebody wrote something else there."""
    text = (metadata.annotations or {}).get(EPOCH, "0")
    if not (text.isascii() and text.isdecimal() and len(text) <= 18):  # int64
        raise errors.Permanent(f"its annotation {EPOCH} is {text!r}; expected a whole number of at most 18 digits")
    return int(text)


def _refuse(key: WorkloadKey, epoch: int, claimed: int) -> None:
    if claimed > epoch:
        raise StaleLeader(f"{key} is claimed by epoch {claimed}, later than {epoch}")


def _member(listed: dict[str, Seen | Exception] | Exception, key: WorkloadKey) -> Seen | Exception:
    if isinstance(listed, Exception):
        return listed
    return listed.get(key.name) or errors.Missing(f"there is no {key.kind} {key.name} in namespace {key.namespace}")


def _found(result: list[T] | Exception) -> list[T] | None:
    return None if isinstance(result, Exception) else result


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
