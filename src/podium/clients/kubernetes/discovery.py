"""Which resource serves a kind: `deployment` of `apps` -> `/apis/apps/v1/…/deployments`, with or without a scale."""

from __future__ import annotations

import dataclasses

from podium.clients.kubernetes import objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.errors import Missing
from podium.clients.kubernetes.where import Where


@dataclasses.dataclass(frozen=True, slots=True)
class Served:
    """One namespaced resource."""

    group: str
    version: str
    resource: str
    scalable: bool

    def at(self, namespace: str, name: str = "") -> Where:
        """The resource in a namespace, or one object there."""
        where = Where(group=self.group, version=self.version, resource=self.resource)
        return dataclasses.replace(where, namespace=namespace, name=name)


class Discovery:
    """What the API server serves, asked for when it is needed and kept until `forget`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known: dict[tuple[str, str], Served] = {}

    async def find(self, group: str, kind: str) -> Served:
        """The resource of a kind (in any case). Raises Missing when the API server has no such kind."""
        wanted = (group, kind.lower())
        if wanted not in self._known:
            self._known |= await self._read(group, kind)
        if wanted not in self._known:
            where = f"group {group}" if group else "the core group"
            raise Missing(f"{self._client.access.server}: there is no kind {kind} in {where}")
        return self._known[wanted]

    def forget(self, group: str) -> None:
        """Ask anew for a group: something of it was not found where it used to be."""
        self._known = {key: served for key, served in self._known.items() if key[0] != group}

    async def _read(self, group: str, kind: str) -> dict[tuple[str, str], Served]:
        if not group:
            return await self._version("", "v1", "/api/v1")
        answer = await self._client.get_path(f"/apis/{group}", objects.Group)
        first = answer.preferred_version
        # Each kind in its preferred version; some kinds exist in older or younger versions alone.
        for version in [first, *(one for one in answer.versions if one != first)]:
            found = await self._version(group, version.version, f"/apis/{version.group_version}")
            if (group, kind.lower()) in found:
                return found
        return {}

    async def _version(self, group: str, version: str, path: str) -> dict[tuple[str, str], Served]:
        answer = await self._client.get_path(path, objects.ResourceList)
        names = {resource.name for resource in answer.resources}
        return {
            (group, resource.kind.lower()): Served(group, version, resource.name, f"{resource.name}/scale" in names)
            for resource in answer.resources
            if "/" not in resource.name and resource.namespaced
        }
