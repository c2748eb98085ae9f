"""A cluster read once, list by list, with the right to list alone: what may not be seen is named, and left out."""

from __future__ import annotations

import asyncio
import dataclasses
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.where import Where
from podium.loop.survey import objects

T = TypeVar("T")

OLDEST = (1, 23)  # autoscaling/v2, policy/v1 and metrics.k8s.io/v1beta1 are all there from it on
KINDS = {"deployment": "deployments", "statefulset": "statefulsets"}


@dataclasses.dataclass(frozen=True, slots=True)
class Seen:
    """What was read at one moment. None: it could not be read, and `missing` says why."""

    server: str
    version: str
    namespace: str  # "": all of them
    workloads: tuple[tuple[str, objects.Workload], ...]  # (kind in lower case, object)
    pods: tuple[objects.Pod, ...] | None
    hpas: tuple[objects.Hpa, ...] | None
    budgets: tuple[objects.Budget, ...] | None
    nodes: tuple[objects.Node, ...] | None
    usage: tuple[objects.PodMetrics, ...] | None
    missing: tuple[str, ...]


async def read(client: Client, namespace: str = "") -> Seen:
    """Everything at once. Raises what the client raises where nobody answers, or no workload may be seen."""
    version = await _version(client)
    places = [(resource, "apps", "v1", objects.Workload) for resource in KINDS.values()]
    others = [
        ("pods", "", "v1", objects.Pod),
        ("horizontalpodautoscalers", "autoscaling", "v2", objects.Hpa),
        ("poddisruptionbudgets", "policy", "v1", objects.Budget),
        ("nodes", "", "v1", objects.Node),
        ("pods", "metrics.k8s.io", "v1beta1", objects.PodMetrics),
    ]
    wheres = [
        (Where(group=group, version=api, resource=name, namespace="" if name == "nodes" else namespace), item)
        for name, group, api, item in [*places, *others]
    ]
    answers = await asyncio.gather(*(_listed(client, where, item) for where, item in wheres))
    deployments, sets, *rest = [None if isinstance(answer, str) else tuple(answer) for answer in answers]
    missing = tuple(answer for answer in answers if isinstance(answer, str))
    if deployments is None and sets is None:
        less = "" if namespace else "; --namespace NAME asks for one namespace alone"
        raise errors.Forbidden("; ".join(missing[:2]) + less)
    found = [(kind, one) for kind, some in zip(KINDS, (deployments, sets), strict=True) for one in some or () if some]
    pods, hpas, budgets, nodes, usage = rest
    return Seen(client.access.server, version, namespace, tuple(found), pods, hpas, budgets, nodes, usage, missing)


async def _version(client: Client) -> str:
    """The server's version. Raises Permanent for one that is too old; one that tells nothing is taken as it is."""
    try:
        told = await client.get_path("/version", objects.Version)
    except (errors.Forbidden, errors.Missing):
        return ""
    numbers = [re.match(r"\d+", part) for part in (told.major, told.minor)]
    known = tuple(int(one[0]) for one in numbers if one is not None)
    if len(known) == 2 and known < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise errors.Permanent(
            f"{client.access.server}: is Kubernetes {told.git_version}; expected {oldest} or newer, which has "
            "autoscaling/v2 and policy/v1"
        )
    return told.git_version


async def _listed(client: Client, where: Where, item: type[Any]) -> Sequence[Any] | str:
    """All objects, or why they cannot be seen. Raises where the server itself is out of reach, or does not know us."""
    try:
        found, _ = await client.list_all(where, item)
    except errors.Unauthorized:
        raise
    except errors.Forbidden:
        return f"the right to list {where.right} is missing"
    except errors.Missing:
        return f"{where.resource} of {where.group} are not served here{_what(where)}"
    except errors.Temporary as error:
        if where.group != "metrics.k8s.io":
            raise
        return f"metrics.k8s.io does not answer{_what(where)}: {error}"  # an API service of its own, which may be down
    return found


def _what(where: Where) -> str:
    return ": what pods use is not known; metrics-server brings it" if where.group == "metrics.k8s.io" else ""
