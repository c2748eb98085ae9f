"""Which rights the policies need on an API server, and which of them whoever asks does not have."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Collection, Iterable, Iterator

import msgspec

from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client, Where
from podium.clients.kubernetes.discovery import Discovery
from podium.loop.policy import ScalingPolicy
from podium.model.identity import WorkloadKey

Right = tuple[str, Where]  # a verb, and what it is done to

_AT_ONCE = 16  # reviews under way: they are asked before anything else, and need not be fast


@dataclasses.dataclass(frozen=True, slots=True)
class Use:
    """What one workload is wanted for."""

    key: WorkloadKey
    written: bool  # its replicas are set, not only watched


def uses(policies: Iterable[ScalingPolicy], cluster: str, most: str) -> Iterator[Use]:
    """What each policy wants of its workload, when `most` is the most that any mode may do."""
    for policy in policies:
        yield Use(policy.workload(cluster), written=policy.spec.mode == most == "own")


async def missing(client: Client, discovery: Discovery, uses: Collection[Use]) -> list[str]:
    """A sentence for each right that is missing; a kind that is not served needs none.

    Raises what the client raises; Forbidden when not even the question is allowed.
    """
    needed, gate = list(dict.fromkeys(await _needed(discovery, uses))), asyncio.Semaphore(_AT_ONCE)

    async def allowed(right: Right) -> bool:
        async with gate:
            return await _allowed(client, *right)

    answers = await asyncio.gather(*map(allowed, needed))
    return [
        f"the right to {verb} {where.right} is missing"
        for (verb, where), yes in zip(needed, answers, strict=True)
        if not yes
    ]


async def _needed(discovery: Discovery, uses: Collection[Use]) -> list[Right]:
    rights: list[Right] = []
    for use in sorted(uses, key=lambda one: str(one.key)):
        try:
            served = await discovery.find(use.key.group, use.key.kind)
        except errors.Missing:
            continue
        namespace = use.key.namespace
        where = served.at(namespace)
        scale = dataclasses.replace(where, subresource="scale")
        rights += [("get", where), ("list", where), ("get", scale)]
        if use.written:
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
