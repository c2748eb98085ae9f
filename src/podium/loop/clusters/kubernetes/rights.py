"""Which rights the policies need on an API server, and which of them whoever asks does not have."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable

import msgspec

from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery
from podium.clients.kubernetes.where import Where
from podium.loop.policy import ScalingPolicy

Right = tuple[str, Where]  # a verb, and what it is done to

_AT_ONCE = 16  # reviews under way: they are asked before anything else, and need not be fast


async def missing(
    client: Client, discovery: Discovery, policies: Iterable[ScalingPolicy], cluster: str, most: str
) -> list[str]:
    """A sentence for each right that is missing, when `most` is the most that any mode may do.

    A kind that is not served needs none. Raises what the client raises: Forbidden when not even asking is allowed.
    """
    needed, gate = list(dict.fromkeys(await _needed(discovery, policies, cluster, most))), asyncio.Semaphore(_AT_ONCE)

    async def allowed(right: Right) -> bool:
        async with gate:
            return await _allowed(client, *right)

    answers = await asyncio.gather(*map(allowed, needed))
    return [
        f"the right to {verb} {where.right} is missing"
        for (verb, where), yes in zip(needed, answers, strict=True)
        if not yes
    ]


async def _needed(discovery: Discovery, policies: Iterable[ScalingPolicy], cluster: str, most: str) -> list[Right]:
    rights: list[Right] = []
    written = {policy.workload(cluster): policy.spec.mode == most == "own" for policy in policies}
    for key in sorted(written, key=str):
        try:
            served = await discovery.find(key.group, key.kind)
        except errors.Missing:
            continue
        namespace = key.namespace
        where = served.at(namespace)
        scale = dataclasses.replace(where, subresource="scale")
        rights += [("get", where), ("list", where), ("get", scale)]
        if written[key]:
            rights += [("patch", where), ("update", scale)]
        pods = Where(group="", version="v1", resource="pods", namespace=namespace)
        metrics = dataclasses.replace(pods, group="metrics.k8s.io", version="v1beta1")
        rights += [("list", pods), ("list", metrics)]
    return rights


class _Attributes(msgspec.Struct, frozen=True):
    """Whether an access would be allowed."""

    allowed: bool = False


class _Review(msgspec.Struct, frozen=True):
    """authorization.k8s.io/v1 SelfSubjectAccessReview, its answer."""

    status: _Attributes = _Attributes()


async def _allowed(client: Client, verb: str, where: Where) -> bool:
    attributes = {
        "verb": verb, "group": where.group, "version": where.version, "resource": where.resource,
        "subresource": where.subresource, "namespace": where.namespace,
    }  # fmt: skip
    document = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": attributes},
    }
    reviews = Where(group="authorization.k8s.io", version="v1", resource="selfsubjectaccessreviews")
    return (await client.create(reviews, document, _Review)).status.allowed
