"""Podium leaves a cluster: its marks come off the workloads first, then its own objects go. No replica changes.

What people wrote stays unless it is asked for: the documents (their CustomResourceDefinitions take them along) and the
ledger (the namespace takes the volume along).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec

from podium import kinds
from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery
from podium.clients.kubernetes.where import Where
from podium.documents.document import GROUP, VERSION
from podium.install import manifest
from podium.install.plan import EPOCH, Plan
from podium.install.texts import SELECTOR

KEPT = ("Namespace", "CustomResourceDefinition", "PersistentVolumeClaim")  # they hold what people wrote, or the ledger
_ATTEMPTS = 5


class Step(msgspec.Struct, frozen=True):
    """One thing that was done, or is to be done."""

    verb: str  # unmark, delete, keep
    what: str  # as in deployments.apps shop/web


async def remove(client: Client, plan: Plan, *, everything: bool, dry: bool) -> AsyncIterator[Step]:
    """Take an installation away, step by step; `dry` only says the steps. Raises what the client raises.

    Podium ends first: a running one would mark its workloads anew.
    """
    every = manifest.objects(plan)
    running = [one for one in every if one["kind"] == "Deployment"]
    async for step in _deleted(client, running, dry=dry):
        yield step
    async for step in _unmarked(client, dry=dry):
        yield step
    rest = [one for one in reversed(every) if one["kind"] != "Deployment"]
    going = [one for one in rest if everything or one["kind"] not in KEPT]
    async for step in _deleted(client, going, dry=dry):
        yield step
    for one in rest:
        if one not in going and await _there(client, one):
            yield Step("keep", _words(one))


async def _unmarked(client: Client, *, dry: bool) -> AsyncIterator[Step]:
    for where in await _scaled(client):
        found, _ = await client.list_all(where, objects.Object)
        for one in found:
            if EPOCH not in (one.metadata.annotations or {}):
                continue
            at = Where(
                group=where.group,
                version=where.version,
                resource=where.resource,
                namespace=one.metadata.namespace,
                name=one.metadata.name,
            )
            if not dry:
                await _unmark(client, at)
            group = f".{where.group}" if where.group else ""
            yield Step("unmark", f"{where.resource}{group} {at.namespace}/{at.name}")


async def _scaled(client: Client) -> list[Where]:
    """The resources that may carry a mark: the usual ones, and what the policies in the cluster name."""
    discovery, out = Discovery(client), dict[Where, None]()
    wanted = {("apps", "deployment"), ("apps", "statefulset"), ("apps", "replicaset")}
    policies = Where(group=GROUP, version=VERSION, resource=kinds.KINDS["ScalingPolicy"].plural)
    with contextlib.suppress(errors.Missing):
        for value in (await client.list_all(policies, dict[str, Any]))[0]:
            target = value.get("spec", {}).get("targetRef", {})
            group, slash, _ = str(target.get("apiVersion", "")).partition("/")
            wanted.add((group if slash else "", str(target.get("kind", "")).lower()))
    for group, kind in sorted(wanted):
        with contextlib.suppress(errors.Missing):
            out[(await discovery.find(group, kind)).at("")] = None
    return list(out)


async def _unmark(client: Client, where: Where) -> None:
    """Take the annotation off, and nothing else: the write carries the version that was read."""
    for attempt in range(_ATTEMPTS):
        found = await client.get(where, objects.Object, metadata_alone=True)
        if EPOCH not in (found.metadata.annotations or {}):
            return
        version = found.metadata.resource_version
        patch = {"metadata": {"resourceVersion": version, "annotations": {EPOCH: None}}}
        try:
            await client.merge_patch(where, patch, objects.Object)
            return
        except errors.Conflict:
            if attempt == _ATTEMPTS - 1:
                raise


async def _deleted(client: Client, some: Sequence[dict[str, Any]], *, dry: bool) -> AsyncIterator[Step]:
    for one in some:
        if not await _there(client, one):
            continue
        if not dry:
            await client.delete(_where(one))
        yield Step("delete", _words(one))


async def _there(client: Client, one: dict[str, Any]) -> bool:
    """Whether it is there, and ours: what only has the name of one of our objects is left alone."""
    try:
        found = await client.get(_where(one), objects.Object, metadata_alone=True)
    except errors.Missing:
        return False
    if found.metadata.deletion_timestamp is not None:
        return False  # it is on its way
    return one["kind"] == "CustomResourceDefinition" or SELECTOR.items() <= (found.metadata.labels or {}).items()


def _where(one: dict[str, Any]) -> Where:
    group, slash, version = one["apiVersion"].partition("/")
    return Where(
        group=group if slash else "",
        version=version if slash else group,
        resource=_PLURALS.get(one["kind"], f"{one['kind'].lower()}s"),
        namespace=one["metadata"].get("namespace", ""),
        name=one["metadata"]["name"],
    )


def _words(one: dict[str, Any]) -> str:
    metadata = one["metadata"]
    name = f"{metadata['namespace']}/{metadata['name']}" if "namespace" in metadata else metadata["name"]
    return f"{one['kind']} {name}"


_PLURALS = {"NetworkPolicy": "networkpolicies"}
