"""One document: what kind it is, its metadata, its spec, and where it was written."""

from __future__ import annotations

import hashlib
import json
from typing import Any, ClassVar, Literal, NamedTuple

from pydantic import Field, PrivateAttr

from podium.documents.shape import Shape
from podium.documents.source import Source
from podium.documents.values import Label, ObjectName

ApiVersion = Literal["podium.dev/v1alpha1"]
API_VERSION: ApiVersion = "podium.dev/v1alpha1"
GROUP, VERSION = API_VERSION.split("/")


class Metadata(Shape):
    """Kubernetes' ObjectMeta. What people write comes first; what the API server adds is accepted and left alone."""

    name: ObjectName
    """The document's name, unique among those of its kind in the namespace."""
    namespace: Label | None = None
    """The namespace the document acts on; `default` when it is left out of a namespaced document."""
    labels: dict[str, str] = Field(default_factory=dict)
    """Words to select documents by."""
    annotations: dict[str, str] = Field(default_factory=dict)
    """Notes for people and other programs."""

    generate_name: str | None = Field(None, repr=False)
    uid: str | None = Field(None, repr=False)
    resource_version: str | None = Field(None, repr=False)
    generation: int | None = Field(None, repr=False)
    creation_timestamp: str | None = Field(None, repr=False)
    deletion_timestamp: str | None = Field(None, repr=False)
    deletion_grace_period_seconds: int | None = Field(None, repr=False)
    finalizers: tuple[str, ...] = Field((), repr=False)
    owner_references: tuple[dict[str, Any], ...] = Field((), repr=False)
    managed_fields: tuple[dict[str, Any], ...] = Field((), repr=False)
    self_link: str | None = Field(None, repr=False)


class Key(NamedTuple):
    """What makes a document one of a kind. `namespace` is "" for kinds of the whole cluster."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"


class Document(Shape):
    """The base of every kind with metadata and a spec. Namespaced, unless `cluster_scoped` says otherwise.

    A kind narrows `kind` to a Literal of its own name and declares its `spec`.
    """

    api_version: ApiVersion = API_VERSION
    kind: str
    metadata: Metadata
    spec: Shape
    status: dict[str, Any] | None = Field(None, repr=False)
    """Written by Podium into the cluster, never read from a file."""

    _source: Source = PrivateAttr(default_factory=Source)

    plural: ClassVar[str]
    """How URLs and kubectl name many of them."""
    short_names: ClassVar[tuple[str, ...]] = ()
    """What kubectl takes instead."""
    columns: ClassVar[tuple[tuple[str, str, str], ...]] = ()
    """(name, type, JSONPath) of what `kubectl get` prints."""

    @classmethod
    def cluster_scoped(cls) -> bool:
        """Whether documents of this kind live outside namespaces."""
        return False

    @property
    def source(self) -> Source:
        """Where the document was written."""
        return self._source

    @property
    def namespace(self) -> str:
        """The namespace it acts on; "" for kinds of the whole cluster."""
        return "" if self.cluster_scoped() else self.metadata.namespace or "default"

    @property
    def key(self) -> Key:
        """Kind, namespace and name."""
        return Key(self.kind, self.namespace, self.metadata.name)

    def digest(self) -> str:
        """SHA-256 of what the document asks for: kind, key and spec with defaults filled in; not notes or places."""
        asked = [*self.key, self.spec.model_dump(mode="json", by_alias=True)]
        return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).hexdigest()

    def written_at(self, source: Source) -> None:
        """Remember where the document was written; called once, by whoever read it."""
        object.__setattr__(self, "__pydantic_private__", {"_source": source})
