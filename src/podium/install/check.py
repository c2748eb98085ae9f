"""Is a cluster ready for an installation? Its version, the kinds there, and every right that the mode takes."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from podium import kinds
from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.where import Where
from podium.install import rbac, support, workload
from podium.install.plan import NAME, Plan
from podium.loop.clusters.kubernetes import rights

CRDS = Where(group="apiextensions.k8s.io", version="v1", resource="customresourcedefinitions")


class Finding(msgspec.Struct, frozen=True):
    """One thing looked at. `wrong`: Podium cannot do what it was planned for."""

    what: str
    words: str
    wrong: bool = False


async def findings(client: Client, plan: Plan, user: str = "") -> list[Finding]:
    """Everything there is to say, good and bad. `user`: whose rights are meant; "": those of whoever asks.

    Raises what the client raises when the cluster does not answer or does not know who asks.
    """
    version = await client.get_path("/version", dict[str, Any])
    words, wrong = support.objection(version)
    out = [Finding("version", words or f"Kubernetes {version.get('gitVersion')}", wrong)]
    out += await kinds_installed(client)
    if plan.serves_metrics:
        out.append(await _answerer(client, plan))
    lacking = await rights.refused(client, _wanted(plan), user)
    out += [Finding("rights", rights.said(right), wrong=True) for right in lacking]
    if not lacking:
        whose = user or "whoever asks"
        out.append(Finding("rights", f"{whose} has each of the {len(_wanted(plan))} that mode {plan.mode} takes"))
    return out


async def kinds_installed(client: Client) -> list[Finding]:
    """Whether each of our kinds is there, and is that of this version."""
    return list(await asyncio.gather(*(_kind(client, crd) for crd in kinds.crds())))


def _wanted(plan: Plan) -> list[rights.Right]:
    spaces = plan.namespaces or ("",)
    found: dict[rights.Right, None] = {}
    for need in rbac.granted(plan):
        for namespace in spaces:
            found |= dict.fromkeys(need.rights(namespace))
    return list(found)


async def _answerer(client: Client, plan: Plan) -> Finding:
    """Who answers external.metrics.k8s.io now: a cluster has one, and taking it over would leave its HPAs blind."""
    ours = workload.api_service(plan)
    name = ours["metadata"]["name"]
    where = Where(group="apiregistration.k8s.io", version="v1", resource="apiservices", name=name)
    try:
        service = (await client.get(where, dict[str, Any])).get("spec", {}).get("service") or {}
    except (errors.Missing, errors.Forbidden):
        return Finding("metrics", f"{name} is not answered by anybody yet")
    by = f"{service.get('namespace')}/{service.get('name')}"
    if by == f"{plan.namespace}/{NAME}":
        return Finding("metrics", f"{name} is answered by this Podium")
    words = f"{name} is answered by {by} already, and a cluster has one answerer: for KEDA install with --keda"
    return Finding("metrics", words, wrong=True)


async def _kind(client: Client, ours: dict[str, Any]) -> Finding:
    name = ours["metadata"]["name"]
    where = Where(group=CRDS.group, version=CRDS.version, resource=CRDS.resource, name=name)
    try:
        installed = await client.get(where, dict[str, Any])
    except errors.Missing:
        return Finding("kinds", f"{name} is not installed: podium install prints it", wrong=True)
    except errors.Forbidden:
        return Finding("kinds", f"{name}: not looked at, for want of the right to get customresourcedefinitions")
    words = support.skew(installed, ours)
    return Finding("kinds", words or f"{name} is that of this Podium", wrong=bool(words))
