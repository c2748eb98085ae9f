"""The port to a simulated world's surroundings: HPAs that hold their minimum and nothing else, and annotations.

They live as long as this object. A person's hand is `install`, `edit` and `annotate`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Mapping

from podium.loop.clusters.port import Conflict, Permanent, StaleLeader
from podium.loop.clusters.simulated.cluster import SimulatedCluster
from podium.loop.modes.surroundings import Around, Autoscaler, SetFloor
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

Name = tuple[str, str]  # namespace and name


class SimulatedSurroundings:
    """What stands around the workloads of `cluster`."""

    def __init__(self, cluster: SimulatedCluster) -> None:
        self._cluster = cluster
        self._hpas: dict[Name, Autoscaler] = {}
        self._paused: dict[str, str] = {}
        self._version = 0

    async def autoscalers(self, namespaces: Collection[str]) -> Around:
        """See the port."""
        found: dict[WorkloadKey, tuple[Autoscaler, ...]] = {}
        for (namespace, _), one in sorted(self._hpas.items()):
            if namespace in namespaces or "" in namespaces:
                found[one.target] = (*found.get(one.target, ()), one)
        return Around(found, {})

    async def set_floor(self, command: SetFloor) -> None:
        """See the port."""
        one = self._hpa((command.key.namespace, command.autoscaler))
        if one.epoch > command.epoch:
            raise _outdated(one, command.epoch)
        if one.resource_version != command.resource_version:
            raise Conflict(f"the HPA of {command.key} has changed since it was read")
        await self._write(dataclasses.replace(one, minimum=command.minimum, floor=command.note))

    async def claim(self, autoscalers: Collection[Autoscaler], epoch: int) -> None:
        """See the port."""
        for given in autoscalers:
            one = self._hpa((given.namespace, given.name))
            if one.epoch > epoch:
                raise _outdated(one, epoch)
            if one.epoch < epoch:
                await self._write(dataclasses.replace(one, epoch=epoch))

    async def pauses(self, namespaces: Collection[str]) -> Mapping[str, str]:
        """See the port."""
        return {name: text for name, text in self._paused.items() if name in namespaces}

    async def writer(self, key: WorkloadKey) -> str:
        """See the port: whoever is not Podium is a person here."""
        writes = [one for one in self._cluster.writes() if one.workload == str(key) and not one.refusal]
        return "kubectl" if writes and writes[-1].action == "edit" else ""

    async def install(
        self, target: WorkloadKey, minimum: int, maximum: int, *, name: str = "", owner: str = ""
    ) -> None:
        """A person's `kubectl apply` of an HPA."""
        name = name or target.name
        made = Autoscaler(
            namespace=target.namespace, name=name, target=target, minimum=minimum, maximum=maximum,
            resource_version="", epoch=0, floor=None, owner=owner,
        )  # fmt: skip
        await self._write(made)

    async def edit(self, target: WorkloadKey, minimum: int) -> None:
        """A person writes another minReplicas."""
        (one,) = (await self.autoscalers([target.namespace])).autoscalers[target]
        await self._write(dataclasses.replace(one, minimum=minimum))

    def annotate(self, namespace: str, paused: str | None) -> None:
        """A person's `kubectl annotate namespace`."""
        self._paused.pop(namespace, None)
        if paused is not None:
            self._paused[namespace] = paused

    def _hpa(self, name: Name) -> Autoscaler:
        if name not in self._hpas:
            raise Permanent(f"there is no HPA {'/'.join(name)} in the simulated cluster")
        return self._hpas[name]

    async def _write(self, one: Autoscaler) -> None:
        self._version += 1
        self._hpas[one.namespace, one.name] = dataclasses.replace(one, resource_version=str(self._version))
        seen = await self._cluster.observe(Fleet().revised({one.target: ""}))
        if 0 < seen.replicas[0] < one.minimum:  # as the HPA controller does at once
            await self._cluster.edit(one.target, one.minimum)


def _outdated(one: Autoscaler, epoch: int) -> StaleLeader:
    return StaleLeader(f"the HPA of {one.target}: is claimed by epoch {one.epoch}, later than {epoch}")
