"""A resource of the API, one object of it, or a subresource of that."""

from __future__ import annotations

import dataclasses
from urllib.parse import quote

from podium.clients.kubernetes.errors import Permanent


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """A resource, or one object of it, or a subresource of that. `group` is "" for the core API."""

    group: str
    version: str
    resource: str  # plural, as in deployments
    namespace: str = ""  # "": the whole cluster
    name: str = ""
    subresource: str = ""

    @property
    def path(self) -> str:
        """The path on the API server. Raises Permanent for a name that would lead elsewhere."""
        start = ["apis", self.group] if self.group else ["api"]
        within = ["namespaces", self.namespace] if self.namespace else []
        parts = [*start, self.version, *within, self.resource, self.name, self.subresource]
        if {".", ".."} & set(parts):  # a URL reads them as steps; Kubernetes allows neither
            raise Permanent(f"{'/'.join(parts)}: '.' or '..' is not a name")
        return "/" + "/".join(quote(part, safe="") for part in parts if part)

    @property
    def right(self) -> str:
        """How RBAC calls it: `deployments/scale.apps in namespace shop`."""
        resource = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        group = f".{self.group}" if self.group else ""
        return f"{resource}{group} in " + (f"namespace {self.namespace}" if self.namespace else "all namespaces")
