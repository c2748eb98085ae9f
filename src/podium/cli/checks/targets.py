"""The policies: whether what they scale is there, and whether this version does all they ask."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping

from podium.cli.checks.row import Row
from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery, Served
from podium.documents.collection import Documents
from podium.loop import unbuilt
from podium.loop.clusters.simulated.scenario import Scenario
from podium.loop.policy import ScalingPolicy
from podium.model.identity import WorkloadKey

_AT_ONCE = 16  # requests to one API server: the doctor asks, it does not load
_REMEDY = "deploy it, or correct the policy's targetRef"


def of(documents: Documents, cluster: str) -> dict[WorkloadKey, ScalingPolicy]:
    """The workloads that policies speak of, as keys of `cluster`."""
    return {policy.workload(cluster): policy for policy in documents.of(ScalingPolicy)}


def unacted(documents: Documents) -> Iterator[Row]:
    """Policies with fields that are valid and do nothing yet."""
    for policy in documents.of(ScalingPolicy):
        if words := unbuilt.not_yet(policy.spec):
            yield Row(_what(policy), "hint", f"this version does not act on {', '.join(words)} yet")


def simulated(scenario: Scenario, cluster: str, documents: Documents) -> Iterator[Row]:
    """Policies whose workload the scenario does not have."""
    there = {workload.key(cluster) for workload in scenario.spec.workloads}
    for key, policy in of(documents, cluster).items():
        if key not in there:
            yield _gone(key, policy, f"the scenario {scenario.metadata.name}")


async def kubernetes(client: Client, discovery: Discovery, cluster: str, documents: Documents) -> list[Row]:
    """Policies whose workload the API server does not have. What may not be read is told among the rights."""
    wanted, gate = of(documents, cluster), asyncio.Semaphore(_AT_ONCE)
    served = await _served(discovery, wanted)

    async def is_gone(key: WorkloadKey) -> bool:
        async with gate:
            try:
                await client.get(served[key].at(key.namespace, key.name), objects.Object, metadata_alone=True)
            except errors.Missing:
                return True
            except errors.Forbidden:
                return False
        return False

    gone = await asyncio.gather(*map(is_gone, served))
    return [_gone(key, wanted[key], f"cluster {cluster}") for key, is_it in zip(served, gone, strict=True) if is_it]


async def _served(discovery: Discovery, wanted: Mapping[WorkloadKey, ScalingPolicy]) -> dict[WorkloadKey, Served]:
    """Where the objects of known kinds are; a kind that is not served at all is told with the rights."""
    out = {}
    for key in wanted:
        try:
            out[key] = await discovery.find(key.group, key.kind)
        except errors.Missing:
            continue
    return out


def _what(policy: ScalingPolicy) -> str:
    return f"policy {policy.namespace}/{policy.metadata.name}"


def _gone(key: WorkloadKey, policy: ScalingPolicy, where: str) -> Row:
    words = f"{key.kind} {key.namespace}/{key.name} does not exist in {where}, so nothing is scaled"
    return Row(_what(policy), "wrong", words, _REMEDY)
