"""Podium leaves a cluster: its marks come off the workloads first, then its own objects go. No replica changes.

What people wrote stays unless it is asked for: the documents (their CustomResourceDefinitions take them along) and the
ledger (the namespace takes the volume along).
"""

from __future__ import annotations

import asyncio
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
from podium.loop.act.carry_out import Fate
from podium.loop.clusters.kubernetes.surroundings import KubernetesSurroundings
from podium.loop.modes import returning

KEPT = ("Namespace", "CustomResourceDefinition", "PersistentVolumeClaim")  # they hold what people wrote, or the ledger
FAILED = "failed"
_ATTEMPTS = 5
_LOOKS = 60  # a second apart: twice the grace that a pod has


class Step(msgspec.Struct, frozen=True):
    """One thing that was done, or is to be done."""

    verb: str  # give back, unmark, delete, keep, failed
    what: str  # as in deployments.apps shop/web


async def remove(client: Client, plan: Plan, now: float, *, everything: bool, dry: bool) -> AsyncIterator[Step]:
    """Take an installation away, step by step; `dry` only says the steps. Raises what the client raises.

    Podium ends first: a running one would raise its floors and mark its workloads anew.
    """
    every = manifest.objects(plan)
    running = [one for one in every if one["kind"] == "Deployment"]
    async for step in _deleted(client, running, dry=dry):
        yield step
    if not dry:
        await _ended(client, plan)
    async for step in _floors(client, now, dry=dry):
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


async def _ended(client: Client, plan: Plan) -> None:
    """Wait for the last process of Podium. Raises Temporary when one does not end."""
    pods = Where(group="", version="v1", resource="pods", namespace=plan.namespace)
    selector = ",".join(f"{name}={value}" for name, value in SELECTOR.items())
    for _ in range(_LOOKS):
        found, _ = await client.list_all(pods, objects.Object, label_selector=selector)
        if not found:
            return
        await asyncio.sleep(1.0)
    raise errors.Temporary(f"the pod {found[0].metadata.name} in namespace {plan.namespace} still runs; try again")


async def _floors(client: Client, now: float, *, dry: bool) -> AsyncIterator[Step]:
    """Every HPA gets its own minReplicas back, as far as nobody changes it meanwhile."""
    around = KubernetesSurroundings("local", client)
    async for given in returning.given_back(around, [""], "all", now, dry=dry):
        about = f"HorizontalPodAutoscaler {given.command.key.namespace}/{given.command.autoscaler}"
        if given.fate is Fate.WRITTEN or dry:
            yield Step("give back", f"{about}: {given.command.words}")
        else:
            yield Step(FAILED, f"{about}: {given.words}")


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
    wanted = {("apps", kind) for kind in ("deployment", "statefulset", "replicaset")}
    wanted.add(("autoscaling", "horizontalpodautoscaler"))  # they carry the mark in mode floor
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
