"""HPAs, namespaces and managed fields on a Kubernetes API server. Which rights it needs: rights.py.

A floor is written as a merge patch that carries the version that was read: a change by anybody, or a later leader's
claim, refuses it (409). When it is given back, `minReplicas` is put back first, with that precondition; then Podium's
entry among the managed fields is taken away, so that nobody's next `kubectl apply --server-side` meets a conflict. A
field that is merely let go by a server-side applier would be removed, and minReplicas would become 1.
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from typing import Any, TypeVar

import msgspec

from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery
from podium.clients.kubernetes.where import Where
from podium.loop.adopt.original import ADOPTED
from podium.loop.clusters.port import Conflict, Permanent, StaleLeader, Temporary
from podium.loop.modes.surroundings import Around, Autoscaler, Noted, SetFloor
from podium.loop.orders.order import PAUSED
from podium.model import clock
from podium.model.identity import WorkloadKey

K = TypeVar("K")
T = TypeVar("T")

FLOOR = "podium.dev/floor"
EPOCH = "podium.dev/epoch"
US = "podium"  # how the API server calls us among the managed fields: our User-Agent up to its first slash
_AT_ONCE = 16


class _Owner(objects.Struct, frozen=True):
    kind: str = ""
    name: str = ""
    controller: bool = False


class _Metadata(objects.Metadata, frozen=True):
    owner_references: list[_Owner] | None = None
    managed_fields: list[dict[str, Any]] | None = None  # whole: they are written back


class _Target(objects.Struct, frozen=True):
    kind: str
    name: str
    api_version: str = ""


class _Rules(objects.Struct, frozen=True):
    select_policy: str = ""


class _Behavior(objects.Struct, frozen=True):
    scale_up: _Rules = _Rules()
    scale_down: _Rules = _Rules()


class _Spec(objects.Struct, frozen=True):
    scale_target_ref: _Target
    max_replicas: int
    min_replicas: int | None = None  # the API server writes the default 1
    behavior: _Behavior = _Behavior()

    @property
    def rests(self) -> bool:
        """Whether it changes nothing, in either direction."""
        return self.behavior.scale_up.select_policy == self.behavior.scale_down.select_policy == "Disabled"


class _Hpa(objects.Struct, frozen=True):
    metadata: _Metadata
    spec: _Spec


class _Any(objects.Struct, frozen=True):
    metadata: _Metadata


class KubernetesSurroundings:
    """One cluster behind `client`, which stays open."""

    def __init__(self, name: str, client: Client) -> None:
        self._name = name
        self._client = client
        self._discovery = Discovery(client)
        self._gate = asyncio.Semaphore(_AT_ONCE)

    async def autoscalers(self, namespaces: Collection[str]) -> Around:
        """See the port; an empty name asks for all namespaces."""
        listed = await self._each(dict.fromkeys(namespaces), lambda name: self._client.list_all(_where(name, ""), _Hpa))
        found: dict[WorkloadKey, tuple[Autoscaler, ...]] = {}
        troubles: dict[str, str] = {}
        for name, result in listed.items():
            if isinstance(result, Exception):
                troubles[name] = str(result)
                continue
            for one in result[0]:
                if ADOPTED in (one.metadata.annotations or {}) and one.spec.rests:
                    continue  # it gave way to a policy of ours
                read = self._read(one)
                found[read.target] = (*found.get(read.target, ()), read)
        return Around(found, troubles)

    async def set_floor(self, command: SetFloor) -> None:
        """See the port."""
        where = _where(command.key.namespace, command.autoscaler)
        note = None if command.note is None else _text(command.note)
        patch: dict[str, Any] = {
            "metadata": {"resourceVersion": command.resource_version, "annotations": {FLOOR: note}}
        }
        if command.minimum != command.current:
            patch["spec"] = {"minReplicas": command.minimum}
        with _translated(command.key):
            try:
                written = await self._client.merge_patch(where, patch, _Hpa)
            except errors.Conflict:
                _refuse(command.key, command.epoch, _epoch((await self._client.get(where, _Hpa)).metadata))
                raise
            if command.note is None:
                await self._release(where, written)

    async def claim(self, autoscalers: Collection[Autoscaler], epoch: int) -> None:
        """See the port. All are tried; then the first refusal is raised."""

        async def one(autoscaler: Autoscaler) -> None:
            where = _where(autoscaler.namespace, autoscaler.name)
            with _translated(autoscaler.target):
                _refuse(autoscaler.target, epoch, autoscaler.epoch)
                if autoscaler.epoch == epoch:
                    return
                metadata = {"resourceVersion": autoscaler.resource_version, "annotations": {EPOCH: str(epoch)}}
                await self._client.merge_patch(where, {"metadata": metadata}, _Hpa)

        results = await self._each(dict.fromkeys(autoscalers), one)
        for result in sorted(filter(None, results.values()), key=lambda one: not isinstance(one, StaleLeader)):
            raise result

    async def pauses(self, namespaces: Collection[str]) -> Mapping[str, str]:
        """See the port. One list; where that is forbidden, each namespace by itself."""
        everywhere = Where(group="", version="v1", resource="namespaces")
        wanted = dict.fromkeys(namespaces)
        try:
            items, _ = await self._client.list_all(everywhere, objects.Object)
            metadata = {one.metadata.name: one.metadata for one in items if one.metadata.name in wanted}
        except (errors.Forbidden, errors.Missing):
            one_by_one = await self._each(wanted, self._namespace)
            refused = [found for found in one_by_one.values() if isinstance(found, Exception)]
            if refused and len(refused) == len(one_by_one):
                raise Permanent(str(refused[0])) from None
            metadata = {name: found for name, found in one_by_one.items() if isinstance(found, objects.Metadata)}
        except (errors.Temporary, errors.Permanent) as error:
            raise Temporary(str(error)) from error
        written = {name: (found.annotations or {}).get(PAUSED) for name, found in metadata.items()}
        return {name: text for name, text in written.items() if text is not None}

    async def writer(self, key: WorkloadKey) -> str:
        """See the port."""
        with contextlib.suppress(errors.Temporary, errors.Permanent):
            served = await self._discovery.find(key.group, key.kind)
            found = await self._client.get(served.at(key.namespace, key.name), _Any)
            return last_writer(found.metadata.managed_fields or [])
        return ""

    async def _namespace(self, name: str) -> objects.Metadata:
        where = Where(group="", version="v1", resource="namespaces", name=name)
        return (await self._client.get(where, objects.Object, metadata_alone=True)).metadata

    async def _release(self, where: Where, written: _Hpa) -> None:
        """Take our entry out of the managed fields. What comes in between keeps it there, and harms nobody."""
        entries = written.metadata.managed_fields or []
        kept = [one for one in entries if one.get("manager") != US]
        if len(kept) == len(entries) or not kept:
            return
        metadata = {"resourceVersion": written.metadata.resource_version, "managedFields": kept}
        with contextlib.suppress(errors.Conflict, errors.Permanent):
            await self._client.merge_patch(where, {"metadata": metadata}, _Hpa)

    def _read(self, one: _Hpa) -> Autoscaler:
        target = one.spec.scale_target_ref
        group = target.api_version.rpartition("/")[0]
        owner = next((ref for ref in one.metadata.owner_references or () if ref.controller), None)
        return Autoscaler(
            namespace=one.metadata.namespace,
            name=one.metadata.name,
            target=WorkloadKey(self._name, one.metadata.namespace, target.kind.lower(), group, target.name),
            minimum=1 if one.spec.min_replicas is None else one.spec.min_replicas,
            maximum=one.spec.max_replicas,
            resource_version=one.metadata.resource_version,
            epoch=_epoch(one.metadata),
            floor=_noted((one.metadata.annotations or {}).get(FLOOR)),
            owner="" if owner is None else f"{owner.kind} {owner.name}",
        )

    async def _each(self, keys: Collection[K], ask: Callable[[K], Awaitable[T]]) -> dict[K, T | Exception]:
        async def one(key: K) -> T | Exception:
            async with self._gate:
                try:
                    return await ask(key)
                except (errors.Temporary, errors.Permanent, Temporary, Permanent, Conflict) as error:
                    return error

        return dict(zip(keys, await asyncio.gather(*map(one, keys)), strict=True))


def last_writer(entries: Collection[Mapping[str, Any]]) -> str:
    """Who of the managed fields wrote spec.replicas last, ourselves left out; "" where nobody else did."""
    others = [one for one in entries if one.get("manager") != US]
    writers = [one for one in others if "f:replicas" in one.get("fieldsV1", {}).get("f:spec", {})]
    newest = max(writers, key=lambda one: str(one.get("time", "")), default=None)  # RFC 3339 in UTC: they sort as text
    return "" if newest is None else str(newest.get("manager", ""))


def _where(namespace: str, name: str) -> Where:
    return Where(group="autoscaling", version="v2", resource="horizontalpodautoscalers", namespace=namespace, name=name)


def _text(note: Noted) -> str:
    until = clock.rfc3339(int(note.until))
    plain = {"original": note.original, "raised": note.raised, "until": until}
    return msgspec.json.encode(plain, order="deterministic").decode()


class _Note(msgspec.Struct, frozen=True):
    original: int
    raised: int
    until: datetime.datetime


def _noted(text: str | None) -> Noted | None:
    """What the annotation says. One that nobody can read is none: minReplicas is then the user's own."""
    if text is None:
        return None
    try:
        read = msgspec.json.decode(text, type=_Note)
    except msgspec.DecodeError:
        return None
    return Noted(original=read.original, raised=read.raised, until=read.until.timestamp())


def _epoch(metadata: objects.Metadata) -> int:
    text = (metadata.annotations or {}).get(EPOCH, "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else 0


def _refuse(key: WorkloadKey, epoch: int, claimed: int) -> None:
    if claimed > epoch:
        raise StaleLeader(f"the HPA of {key} is claimed by epoch {claimed}, later than {epoch}")


@contextlib.contextmanager
def _translated(key: WorkloadKey) -> Iterator[None]:
    """The client's errors in the words of the port."""
    try:
        yield
    except errors.Conflict as error:
        raise Conflict(f"the HPA of {key} has changed since it was read: {error}") from error
    except errors.Temporary as error:
        raise Temporary(str(error)) from error
    except errors.Permanent as error:
        raise Permanent(str(error)) from error
