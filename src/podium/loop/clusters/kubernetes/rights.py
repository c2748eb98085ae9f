"""Which rights Podium needs on an API server, in which mode, and which of them whoever asks does not have.

`needs` is the one list. `podium run` and `podium doctor` ask for the part of it that the policies at hand cannot do
without; `podium install` prints the roles that grant all of it, and `podium install --check` asks for all of it.
"""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal

import msgspec

from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery
from podium.clients.kubernetes.where import Where
from podium.documents.document import GROUP
from podium.loop.policy import Mode, ScalingPolicy

Right = tuple[str, Where]  # a verb, and what it is done to
Scope = Literal["workloads", "names"]

MODES: tuple[Mode, ...] = ("recommend", "metric", "floor", "own")  # each may do all that those before it may
WORKLOADS = ("deployments.apps", "statefulsets.apps")
_AT_ONCE = 16  # reviews under way: they are asked before anything else, and need not be fast


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """Verbs on resources of one group, from which mode on, and what for."""

    since: Mode
    verbs: tuple[str, ...]
    group: str
    resources: tuple[str, ...]  # as RBAC has them, `deployments/scale`
    why: str
    scope: Scope = "workloads"  # names: namespaces themselves, of which only `get` can be granted inside one
    tells: bool = False  # only says how things stand: without it Podium decides just as well

    def rights(self, namespace: str) -> Iterator[Right]:
        """Each verb on each resource, in `namespace` ("": everywhere)."""
        for resource in self.resources:
            plural, _, part = resource.partition("/")
            where = Where(group=self.group, version="", resource=plural, subresource=part, namespace=namespace)
            yield from ((verb, where) for verb in self.verbs)


def needs(
    mode: Mode, *, workloads: Sequence[str] = WORKLOADS, documents: Sequence[str] = (), tell: bool = True
) -> tuple[Need, ...]:
    """The one list, as far as `mode` goes.

    `workloads` are resources with a scale (`rollouts.argoproj.io`), `documents` the plurals of those kinds of ours that
    lie in the cluster. Without `tell` it may read alone in mode recommend, and says nothing in the cluster.
    """
    every = [need for text in workloads for need in of_workload(text)]
    every += _ALWAYS
    every += _of_documents(tuple(documents)) if documents else ()
    return tuple(need for need in every if within(need, mode) and (tell or not need.tells))


_ALWAYS = (
    Need(since="recommend", verbs=("get", "list", "watch"), group="", resources=("pods",), why="which pods are ready"),
    Need(since="recommend", verbs=("list",), group="metrics.k8s.io", resources=("pods",), why="what pods use"),
    Need(
        since="recommend", verbs=("get", "list"), group="", resources=("namespaces",), why="whether one is paused",
        scope="names",
    ),
    Need(
        since="recommend", verbs=("create", "patch"), group="events.k8s.io", resources=("events",),
        why="to say what happened", tells=True,
    ),
    Need(
        since="metric", verbs=("get", "list", "watch"), group="autoscaling", resources=("horizontalpodautoscalers",),
        why="which HPAs there are",
    ),
    Need(
        since="floor", verbs=("patch", "update"), group="autoscaling", resources=("horizontalpodautoscalers",),
        why="to raise minReplicas and to give it back",
    ),
    Need(since="own", verbs=("list",), group="", resources=("resourcequotas",), why="how much a namespace has left"),
    Need(
        since="own", verbs=("list",), group="policy", resources=("poddisruptionbudgets",),
        why="how many pods are to be available",
    ),
    Need(since="own", verbs=("patch",), group="", resources=("pods",), why="to say which pod may go first"),
)  # fmt: skip
METRICS_APIS = tuple(
    Need(since="recommend", verbs=("get", "list"), group=group, resources=("*",), why="what policies measure there")
    for group in ("custom.metrics.k8s.io", "external.metrics.k8s.io")
)


def of_workload(text: str) -> Iterator[Need]:
    """What one resource with a scale takes: `deployments.apps`."""
    plural, _, group = text.partition(".")
    whole, scale = (plural,), (f"{plural}/scale",)
    yield Need(since="recommend", verbs=("get", "list", "watch"), group=group, resources=whole, why="which there are")
    yield Need(since="recommend", verbs=("get",), group=group, resources=scale, why="how many replicas there are")
    yield Need(since="own", verbs=("patch",), group=group, resources=whole, why="to mark a workload as led")
    yield Need(since="own", verbs=("update",), group=group, resources=scale, why="to write replicas")


def _of_documents(plurals: tuple[str, ...]) -> Iterator[Need]:
    states = tuple(f"{plural}/status" for plural in plurals)
    read = ("get", "list", "watch")
    yield Need(since="recommend", verbs=read, group=GROUP, resources=plurals, why="what is asked for")
    yield Need(since="recommend", verbs=("patch",), group=GROUP, resources=states, why="how each stands", tells=True)


def within(need: Need, mode: Mode) -> bool:
    """Whether `mode` needs it."""
    return MODES.index(need.since) <= MODES.index(mode)


async def missing(
    client: Client, discovery: Discovery, policies: Iterable[ScalingPolicy], cluster: str, most: str
) -> list[str]:
    """A sentence for each right that is missing, when `most` is the most that any mode may do.

    A kind that is not served needs none. Raises what the client raises: Forbidden when not even asking is allowed.
    """
    needed = dict.fromkeys(await _needed(discovery, policies, cluster, most))
    return [said(right) for right in await refused(client, list(needed))]


def said(right: Right) -> str:
    """A missing right in words."""
    verb, where = right
    return f"the right to {verb} {where.right} is missing"


async def refused(client: Client, wanted: Sequence[Right], user: str = "") -> list[Right]:
    """Those of the rights that whoever asks does not have, or that `user` does not have (a service account's name).

    Raises what the client raises: Forbidden when not even asking is allowed.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def allowed(right: Right) -> bool:
        async with gate:
            return await _allowed(client, *right, user)

    answers = await asyncio.gather(*map(allowed, wanted))
    return [right for right, yes in zip(wanted, answers, strict=True) if not yes]


async def _needed(discovery: Discovery, policies: Iterable[ScalingPolicy], cluster: str, most: str) -> list[Right]:
    """What nothing can be decided without."""
    found: list[Right] = []
    written = {policy.workload(cluster): policy.spec.mode == most == "own" for policy in policies}
    for key in sorted(written, key=str):
        try:
            served = await discovery.find(key.group, key.kind)
        except errors.Missing:
            continue
        text = f"{served.resource}.{served.group}" if served.group else served.resource
        asked = [need for need in of_workload(text) if need.since == "recommend" or written[key]]
        found += [right for need in asked for right in need.rights(key.namespace)]
        pods = Where(group="", version="v1", resource="pods", namespace=key.namespace)
        metrics = dataclasses.replace(pods, group="metrics.k8s.io", version="v1beta1")
        found += [("list", pods), ("watch", pods), ("list", metrics)]
    return found


class _Attributes(msgspec.Struct, frozen=True):
    """Whether an access would be allowed."""

    allowed: bool = False


class _Review(msgspec.Struct, frozen=True):
    """authorization.k8s.io/v1 SelfSubjectAccessReview or SubjectAccessReview, its answer."""

    status: _Attributes = _Attributes()


async def _allowed(client: Client, verb: str, where: Where, user: str) -> bool:
    attributes = {
        "verb": verb, "group": where.group, "version": where.version or "*", "resource": where.resource,
        "subresource": where.subresource, "namespace": where.namespace, "name": where.name,
    }  # fmt: skip
    spec = {"resourceAttributes": attributes, **_about(user)}
    kind = "SubjectAccessReview" if user else "SelfSubjectAccessReview"
    document = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    reviews = Where(group="authorization.k8s.io", version="v1", resource=f"{kind.lower()}s")
    return (await client.create(reviews, document, _Review)).status.allowed


def _about(user: str) -> Mapping[str, Any]:
    """Whom a review is about, with the groups that every service account is in."""
    if not user:
        return {}
    namespace = user.removeprefix("system:serviceaccount:").partition(":")[0]
    groups = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
    return {"user": user, "groups": groups if user.startswith("system:serviceaccount:") else groups[2:]}
