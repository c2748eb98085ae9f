"""Where adopted policies are put: files in a folder, or objects in the cluster, by `documents.authority`."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import pathlib
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from podium.cli.outcome import BadInput

if TYPE_CHECKING:
    from podium.clients.kubernetes.client import Client
    from podium.clients.kubernetes.where import Where
    from podium.documents.document import Document
    from podium.loop.adopt.adoption import Adoption
    from podium.loop.policy import ScalingPolicy
    from podium.settings import Settings

LONGEST = 200  # of a file's name; file systems end at 255
OWNER = "podium-adopt"  # field manager of objects


@dataclasses.dataclass(frozen=True, slots=True)
class Placed:
    """A policy that is there. `made_from` are the keys of the originals; () where somebody else wrote it."""

    document: ScalingPolicy
    made_from: tuple[str, ...]
    shown: str  # where it lies, for people

    @property
    def workload(self) -> tuple[str, str, str]:
        """Namespace, kind in lower case, name."""
        key = self.document.workload("any")
        return key.namespace, key.kind, key.name


class Place(Protocol):
    """Where policies lie. What cannot be written is raised: BadInput, or what the Kubernetes client raises."""

    async def policies(self) -> list[Placed]:
        """All that are there."""

    async def signals(self) -> Mapping[str, set[str]]:
        """Names of Signals by namespace, but for those that an adoption made."""

    async def put(self, one: Adoption, mode: str) -> str:
        """Write a policy and its Signals; where they lie then."""

    async def set_mode(self, one: Placed, mode: str) -> None:
        """Change the mode of a policy alone."""

    async def remove(self, one: Placed) -> None:
        """Take away what an adoption wrote: the policy and the Signals that came with it."""

    def problems(self, found: Sequence[Adoption]) -> list[str]:
        """What would keep these from being in force beside what is there."""


def _placed(document: ScalingPolicy, shown: str) -> Placed:
    from podium.loop.adopt.adoption import FROM

    text = document.metadata.annotations.get(FROM, "")
    return Placed(document, tuple(part for part in text.split(",") if part), shown)


def _in_mode(one: Adoption, mode: str) -> Adoption:
    policy = one.policy | {"spec": one.policy["spec"] | {"mode": mode}}
    return dataclasses.replace(one, documents=(*one.documents[:-1], policy))


class InFolder:
    """Files, one for each workload. `settings` add what must hold between documents and sources."""

    def __init__(self, folder: pathlib.Path, settings: Settings | None) -> None:
        self.folder = folder
        self._settings = settings

    async def policies(self) -> list[Placed]:
        """See Place."""
        from podium.loop.policy import ScalingPolicy

        return [_placed(one, str(one.source)) for one in self._read() if isinstance(one, ScalingPolicy)]

    async def signals(self) -> Mapping[str, set[str]]:
        """See Place."""
        from podium.loop.adopt.adoption import FROM
        from podium.signals.signal import Signal

        out: dict[str, set[str]] = {}
        for one in self._read():
            if isinstance(one, Signal) and FROM not in one.metadata.annotations:
                out.setdefault(one.namespace, set()).add(one.metadata.name)
        return out

    async def put(self, one: Adoption, mode: str) -> str:
        """See Place. A file of that name that is somebody's is never overwritten."""
        from podium.loop.adopt import written

        file = self.file(one)
        text = written.text(_in_mode(one, mode))
        if file.exists():
            raise BadInput(f"{file}: is there already, and is not an adopted policy of {one.shown}")
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            _write(file, text.encode())
        except OSError as error:
            raise BadInput(f"{file}: cannot be written: {error.strerror}") from error
        return str(file)

    async def set_mode(self, one: Placed, mode: str) -> None:
        """See Place. What people changed around it stays."""
        _edited(one, mode)

    async def remove(self, one: Placed) -> None:
        """See Place. A file in which somebody has written something else is left, and named."""
        from podium.loop.adopt.adoption import FROM

        file = pathlib.Path(one.document.source.file)
        others = [
            document.key
            for document in self._read()
            if document.source.file == str(file) and FROM not in document.metadata.annotations
        ]
        if others:
            names = ", ".join(map(str, others))
            raise BadInput(f"{file}: also holds {names}; take the adopted policy out by hand")
        _removed(file)

    def problems(self, found: Sequence[Adoption]) -> list[str]:
        """See Place. A folder is followed whole or not at all."""
        from podium import kinds
        from podium.documents.collection import gather
        from podium.documents.problem import Invalid

        there = self._read()
        keys = {one.key for one in there}
        new = [one for one in documents_of(found) if one.key not in keys]
        try:
            gather([*there, *new], (), kinds.all_checks(self._settings))
        except Invalid as error:
            return list(map(str, error.problems))
        return []

    def file(self, one: Adoption) -> pathlib.Path:
        """Where a workload's policy goes."""
        namespace, kind, name = one.workload
        stem = f"{namespace}.{name}" + ("" if kind == "deployment" else f".{kind}")  # a namespace has no dots
        return self.folder / f"{stem if len(stem) <= LONGEST else hashlib.sha256(stem.encode()).hexdigest()}.yaml"

    def _read(self) -> list[Document]:
        from podium import kinds
        from podium.documents.problem import Invalid

        if not self.folder.exists():
            return []
        documents, problems = kinds.folder(self.folder).read()
        if problems:
            raise Invalid(problems)
        return documents


def documents_of(found: Iterable[Adoption]) -> list[Document]:
    """The documents as the loop reads them, in files that are not written yet."""
    from podium import kinds
    from podium.documents.document import Document
    from podium.documents.loading import interpret
    from podium.documents.problem import Invalid
    from podium.documents.source import Source

    out: list[Document] = []
    for one in found:
        for value in one.documents:
            document = interpret(json.loads(json.dumps(value)), Source(f"adopted {one.shown}"), kinds.KINDS)
            if not isinstance(document, Document):
                raise Invalid(document)
            out.append(document)
    return out


def _edited(one: Placed, mode: str) -> None:
    from podium.documents import edit, reading
    from podium.documents.source import Mark

    source = one.document.source
    file = pathlib.Path(source.file)
    try:
        new = edit.edited(file.read_bytes(), source.at() or Mark(1, 1), {("spec", "mode"): mode})
        edit.replace(file, new)
    except (OSError, edit.Uneditable, reading.Unreadable) as error:
        raise BadInput(f"{file}: its mode cannot be changed to {mode}: {error}") from error


def _removed(file: pathlib.Path) -> None:
    try:
        file.unlink(missing_ok=True)
    except OSError as error:
        raise BadInput(f"{file}: cannot be removed: {error.strerror}") from error


def _write(file: pathlib.Path, data: bytes) -> None:
    """A new file, there whole or not at all. Raises OSError."""
    number, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=file.parent)
    try:
        with os.fdopen(number, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        pathlib.Path(name).chmod(0o644)
        pathlib.Path(name).replace(file)
    except OSError:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


class InCluster:
    """Objects in the cluster whose workloads they are about."""

    def __init__(self, client: Client, namespace: str) -> None:
        self._client = client
        self._namespace = namespace

    async def policies(self) -> list[Placed]:
        """See Place."""
        from podium.documents.document import Document
        from podium.documents.loading import interpret
        from podium.documents.source import Source
        from podium.loop.policy import ScalingPolicy

        out = []
        for value in await self._listed(ScalingPolicy):
            document = interpret(value, Source("the cluster"), {"ScalingPolicy": ScalingPolicy})
            if isinstance(document, Document):  # a wrong one is not in force
                out.append(_placed(document, f"the object {document.key}"))  # type: ignore[arg-type]
        return out

    async def signals(self) -> Mapping[str, set[str]]:
        """See Place."""
        from podium.loop.adopt.adoption import FROM
        from podium.signals.signal import Signal

        out: dict[str, set[str]] = {}
        for value in await self._listed(Signal):
            metadata = value["metadata"]
            if FROM not in (metadata.get("annotations") or {}):
                out.setdefault(metadata["namespace"], set()).add(metadata["name"])
        return out

    async def put(self, one: Adoption, mode: str) -> str:
        """See Place. Signals come before the policy that names them."""
        for value in _in_mode(one, mode).documents:
            metadata = value["metadata"]
            where = self._where(value["kind"], metadata["namespace"], metadata["name"])
            await self._client.apply(where, value, dict[str, Any], owner=OWNER)
        return f"the objects ScalingPolicy {one.workload[0]}/{one.policy['metadata']['name']} and its Signals"

    async def set_mode(self, one: Placed, mode: str) -> None:
        """See Place."""
        where = self._where("ScalingPolicy", one.document.namespace, one.document.metadata.name)
        await self._client.merge_patch(where, {"spec": {"mode": mode}}, dict[str, Any])

    async def remove(self, one: Placed) -> None:
        """See Place. The policy goes before the Signals that it names."""
        from podium.clients.kubernetes import errors
        from podium.loop.adopt.adoption import FROM
        from podium.signals.signal import Signal

        places = [self._where("ScalingPolicy", one.document.namespace, one.document.metadata.name)]
        for value in await self._listed(Signal):
            metadata = value["metadata"]
            text = (metadata.get("annotations") or {}).get(FROM, "")
            if metadata["namespace"] == one.document.namespace and tuple(text.split(",")) == one.made_from:
                places.append(self._where("Signal", metadata["namespace"], metadata["name"]))
        for place in places:
            try:
                await self._client.delete(place)
            except errors.Missing:
                continue

    def problems(self, found: Sequence[Adoption]) -> list[str]:
        """See Place. Each object stands for itself, and says in its status what is wrong with it."""
        del found
        return []

    async def _listed(self, kind: type[Document]) -> list[dict[str, Any]]:
        from podium.clients.kubernetes import errors

        where = dataclasses.replace(self._where(kind.__name__, "", ""), namespace=self._namespace)
        try:
            values, _ = await self._client.list_all(where, dict[str, Any])
        except errors.Missing as error:
            raise BadInput(
                f"{self._client.access.server}: has no {kind.__name__}; `podium policy crds | kubectl apply -f -` "
                "brings the kinds"
            ) from error
        from podium.documents.document import API_VERSION

        return [{"apiVersion": API_VERSION, "kind": kind.__name__} | value for value in values]

    @staticmethod
    def _where(kind: str, namespace: str, name: str) -> Where:
        from podium import kinds
        from podium.clients.kubernetes.where import Where
        from podium.documents.document import GROUP, VERSION

        return Where(group=GROUP, version=VERSION, resource=kinds.KINDS[kind].plural, namespace=namespace, name=name)
