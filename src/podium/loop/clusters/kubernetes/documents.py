"""The documents that lie in the cluster itself: followed by informers, and told what became of them in their status."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Any

import structlog

from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.informer import Informer
from podium.clients.kubernetes.objects import Object
from podium.clients.kubernetes.where import Where
from podium.documents.collection import Check, Documents
from podium.documents.document import GROUP, VERSION, Document, Key
from podium.documents.objects import Standing, gathered
from podium.documents.problem import Invalid, Problem
from podium.loop.clusters.kubernetes.events import Events, Happened
from podium.model import clock

SETTLE_SECONDS = 0.2  # `kubectl apply -f folder` writes its objects one after the other
LOOK_SECONDS = 2.0  # how often to see whether the server can still be followed
AT_ONCE = 8  # statuses being written
MOST_WORDS = 32_768  # of a condition's message (metav1.Condition)
log = structlog.get_logger()

_Value = dict[str, Any]
_Place = tuple[str, str]  # a kind, and the namespace ("" all) in which it is looked for


class ClusterDocuments:
    """The objects of `kinds` in one cluster, which `connect` opens a client to."""

    def __init__(
        self,
        cluster: str,
        connect: Callable[[], Client],
        kinds: Mapping[str, type[Document]],
        checks: Sequence[Check],
        namespaces: Sequence[str] = (),
        events: Events | None = None,
    ) -> None:
        """`namespaces`: those looked at; (): all, which takes the right to list in all of them."""
        self._cluster = cluster
        self._connect = connect
        self._kinds = kinds
        self._checks = checks
        self._namespaces = tuple(namespaces) or ("",)
        self._events = events

    async def load(self) -> Documents:
        """The set that is in force now. Raises Invalid where a kind is not installed, and what the client raises."""
        async with _opened(self._connect) as client:
            values: list[_Value] = []
            for name, namespace in self._places():
                try:
                    found, _ = await client.list_all(_where(self._kinds[name], namespace), _Value)
                except errors.Missing:
                    raise Invalid([_not_installed(self._cluster, name)]) from None
                values += [value | _identity(name) for value in found]
        return self._gathered(values)[0]

    async def changes(self, known: Documents) -> AsyncGenerator[Documents | Invalid]:
        """Every set that differs from the one before, starting from `known`; or why none can be read.

        Never ends. After an Invalid comes the next set that is read, even if it is the one in force.
        """
        async with _opened(self._connect) as client:
            informers: dict[_Place, Informer[_Value]]
            informers = {
                (name, namespace): Informer(client, _where(self._kinds[name], namespace), _Value, _name)
                for name, namespace in self._places()
            }
            last: str | None = known.digest
            async with _running(informers.values()) as running:
                async for seen in _looks(informers, running):
                    if isinstance(seen, str):
                        last = None
                        yield Invalid([Problem(f"cluster {self._cluster}", 0, 0, "", "documents to follow", seen)])
                        continue
                    documents, standings = await asyncio.to_thread(self._gathered, seen)
                    if documents.digest != last:
                        last = documents.digest
                        yield documents
                    await self._tell(client, seen, standings)

    def _places(self) -> list[_Place]:
        return [(name, namespace) for name in self._kinds for namespace in self._namespaces]

    def _gathered(self, values: Sequence[_Value]) -> tuple[Documents, list[Standing]]:
        return gathered(values, self._cluster, self._kinds, self._checks)

    async def _tell(self, client: Client, values: Sequence[_Value], standings: Sequence[Standing]) -> None:
        """Write how each object stands into its status, where it does not say so already.

        Every process that follows the documents may; all of them say the same.
        """
        by_key = {Key(value["kind"], *_name(value)): value for value in values}
        gate = asyncio.Semaphore(AT_ONCE)

        async def told(standing: Standing) -> None:
            value = by_key[standing.key]
            condition = _condition(value, standing)
            if not _says(value, condition):
                self._happened(standing)
                async with gate:
                    await self._write(client, self._kinds[standing.key.kind], value, condition)

        await asyncio.gather(*map(told, standings))

    def _happened(self, standing: Standing) -> None:
        if self._events is not None:
            key, right = standing.key, not standing.words
            reason, note = ("InForce", "Podium follows it.") if right else ("Wrong", standing.words)
            one = Happened(GROUP, key.kind, key.namespace, key.name, right, reason, note)
            self._events.tell([one], clock.wall_clock())

    async def _write(self, client: Client, kind: type[Document], value: _Value, condition: Mapping[str, Any]) -> None:
        metadata = value["metadata"]
        others = [one for one in _conditions(value) if one.get("type") != condition["type"]]
        status = {"observedGeneration": condition["observedGeneration"], "conditions": [*others, condition]}
        patch = {"metadata": {"resourceVersion": metadata["resourceVersion"]}, "status": status}
        where = _where(kind, metadata.get("namespace", ""), metadata["name"], "status")
        try:
            await client.merge_patch(where, patch, Object)
        except (errors.Conflict, errors.Missing):
            return  # it changed meanwhile, and comes again as it is now
        except (errors.Temporary, errors.Permanent) as error:
            log.warning("the status of a document cannot be written", document=where.path, reason=str(error))


@contextlib.asynccontextmanager
async def _opened(connect: Callable[[], Client]) -> AsyncIterator[Client]:
    client = connect()
    try:
        yield client
    finally:
        await client.close()


@contextlib.asynccontextmanager
async def _running(informers: Iterable[Informer[_Value]]) -> AsyncIterator[list[asyncio.Task[None]]]:
    tasks = [asyncio.create_task(informer.run()) for informer in informers]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _looks(
    informers: Mapping[_Place, Informer[_Value]], running: Sequence[asyncio.Task[None]]
) -> AsyncGenerator[list[_Value] | str]:
    """All objects, whenever one of them changed, once every kind is known; or a new trouble of reading them."""
    revisions, said = dict.fromkeys(informers, 0), ""
    while True:
        waiting = [asyncio.create_task(informer.changed(revisions[name])) for name, informer in informers.items()]
        try:
            await asyncio.wait([*waiting, *running], timeout=LOOK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        for ended in running:
            if ended.done():
                ended.result()  # raises what ended it: an informer ends by itself only by a fault of ours
        trouble = "; ".join(informer.trouble for informer in informers.values() if informer.trouble)
        if trouble and trouble != said:
            yield trouble
        await asyncio.sleep(SETTLE_SECONDS)
        seen = {name: informer.revision for name, informer in informers.items()}
        healed, said = bool(said) and not trouble, trouble
        if all(informer.whole for informer in informers.values()) and (seen != revisions or healed):
            revisions = seen
            yield [value | _identity(at[0]) for at, informer in informers.items() for value in informer.items.values()]


def _condition(value: _Value, standing: Standing) -> dict[str, Any]:
    """metav1.Condition `Ready`, which keeps the time at which it last changed."""
    status = "False" if standing.words else "True"
    before = next((one for one in _conditions(value) if one.get("type") == "Ready"), {})
    now = clock.rfc3339(int(clock.wall_clock()))
    return {
        "type": "Ready",
        "status": status,
        "reason": "Wrong" if standing.words else "InForce",
        "message": standing.words[:MOST_WORDS] or "Podium follows it.",
        "observedGeneration": value["metadata"].get("generation", 0),
        "lastTransitionTime": before["lastTransitionTime"] if before.get("status") == status else now,
    }


def _says(value: _Value, condition: Mapping[str, Any]) -> bool:
    return any(all(one.get(name) == said for name, said in condition.items()) for one in _conditions(value))


def _conditions(value: _Value) -> list[dict[str, Any]]:
    return (value.get("status") or {}).get("conditions") or []


def _where(kind: type[Document], namespace: str = "", name: str = "", subresource: str = "") -> Where:
    return Where(
        group=GROUP, version=VERSION, resource=kind.plural, namespace=namespace, name=name, subresource=subresource
    )


def _name(value: _Value) -> tuple[str, str]:
    return value["metadata"].get("namespace", ""), value["metadata"]["name"]


def _identity(kind: str) -> dict[str, str]:
    """Items of a list leave out what the list says of all of them."""
    return {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind}


def _not_installed(cluster: str, kind: str) -> Problem:
    expected = f"the kind {kind} of {GROUP}: `podium policy crds | kubectl apply -f -` installs it"
    return Problem(f"cluster {cluster}", 0, 0, "", expected, "an API server without it")
