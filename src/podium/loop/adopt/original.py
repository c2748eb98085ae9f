"""An HPA, VPA or ScaledObject as it stands, in a file or in a cluster, and what an earlier adoption wrote on it."""

from __future__ import annotations

import copy
import dataclasses
import json
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from podium.clients.kubernetes import errors
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.where import Where
from podium.documents import reading
from podium.documents.problem import Invalid, Problem, shown, unreadable

ADOPTED = "podium.dev/adopted"  # annotation on the original: what it was before it was handed over
HPA, VPA, SCALED = "HorizontalPodAutoscaler", "VerticalPodAutoscaler", "ScaledObject"
KINDS: Mapping[str, tuple[str, tuple[str, ...], str]] = {  # kind -> group, versions that are read, resource
    HPA: ("autoscaling", ("v2", "v2beta2", "v1"), "horizontalpodautoscalers"),
    VPA: ("autoscaling.k8s.io", ("v1", "v1beta2"), "verticalpodautoscalers"),
    SCALED: ("keda.sh", ("v1alpha1",), "scaledobjects"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """What was there before the hand-over: the whole spec, and the annotations that were changed (None: not there)."""

    spec: dict[str, Any]
    annotations: dict[str, str | None]

    def text(self) -> str:
        """As it is written into the annotation."""
        return json.dumps({"spec": self.spec, "annotations": self.annotations}, separators=(",", ":"))


@dataclasses.dataclass(frozen=True, slots=True)
class Original:
    """One of them. `value` is what it was before any hand-over, `live` what stands there now."""

    kind: str
    namespace: str
    name: str
    origin: str  # shop.yaml:3, or the cluster
    value: dict[str, Any]
    live: dict[str, Any]
    record: Record | None = None  # of a hand-over that took place

    @property
    def key(self) -> str:
        """`HorizontalPodAutoscaler/shop/web`."""
        return f"{self.kind}/{self.namespace}/{self.name}"

    @property
    def spec(self) -> dict[str, Any]:
        """Its spec, before any hand-over."""
        found = self.value.get("spec")
        return found if isinstance(found, dict) else {}

    @property
    def annotations(self) -> dict[str, str]:
        """Its annotations, before any hand-over."""
        return self.value.get("metadata", {}).get("annotations") or {}

    @property
    def version(self) -> str:
        """The resource version that was read; "" of a file."""
        return str(self.live.get("metadata", {}).get("resourceVersion", ""))

    @property
    def target(self) -> dict[str, Any]:
        """What it scales, as it names it."""
        found = self.spec.get("targetRef" if self.kind == VPA else "scaleTargetRef")
        return found if isinstance(found, dict) else {}

    @property
    def made_by_keda(self) -> bool:
        """Whether KEDA made this HPA for a ScaledObject, which is then the one to read."""
        owners = self.live.get("metadata", {}).get("ownerReferences") or ()
        return self.kind == HPA and any(one.get("kind") == SCALED for one in owners)

    @property
    def where(self) -> Where:
        """The object in its API, in the version that writes are made in."""
        group, versions, resource = KINDS[self.kind]
        return Where(group=group, version=versions[0], resource=resource, namespace=self.namespace, name=self.name)


def of(value: dict[str, Any], origin: str) -> Original:
    """One object. Raises ValueError where its record cannot be read."""
    metadata = value.get("metadata") or {}
    name, namespace = str(metadata.get("name", "")), str(metadata.get("namespace") or "default")
    text = (metadata.get("annotations") or {}).get(ADOPTED)
    if text is None:
        return Original(value["kind"], namespace, name, origin, value, value)
    try:
        written = json.loads(text)
        record = Record(dict(written["spec"]), dict(written["annotations"]))
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{value['kind']} {namespace}/{name}: its annotation {ADOPTED} is not what podium adopt wrote"
        ) from error
    before = copy.deepcopy(value)
    before["spec"] = record.spec
    notes = before["metadata"]["annotations"]
    del notes[ADOPTED]
    for name_of, was in record.annotations.items():
        notes.pop(name_of, None)
        if was is not None:
            notes[name_of] = was
    return Original(value["kind"], namespace, name, origin, before, value, record)


def from_files(files: Sequence[pathlib.Path], namespace: str) -> list[Original]:
    """Every one in these files and folders; other kinds are passed over. Raises Invalid with every problem."""
    found: list[Original] = []
    problems: list[Problem] = []
    for file in _files(files):
        try:
            for value, line in _values(file.read_bytes()):
                if isinstance(value, dict) and value.get("kind") in KINDS:
                    found += _checked(value, file, line, problems)
        except OSError as error:
            problems.append(Problem(str(file), 0, 0, "", "a file that can be read", unreadable(error)))
        except reading.Unreadable as error:
            problems.append(Problem(str(file), error.mark.line, error.mark.column, "", error.expected, error.got))
    if problems:
        raise Invalid(problems)
    return [one for one in found if namespace in ("", one.namespace)]


def _files(paths: Iterable[pathlib.Path]) -> Iterator[pathlib.Path]:
    for path in paths:
        if path.is_dir():
            named = (one for one in path.rglob("*") if one.suffix.lower() in (".yaml", ".yml", ".json"))
            yield from sorted(one for one in named if one.is_file())  # a pipe would be waited for
        else:
            yield path


def _values(data: bytes) -> Iterator[tuple[Any, int]]:
    """Each document, or each item of a List, with its line."""
    for parsed in reading.read(data):
        value: Any = parsed.value
        marks = parsed.marks
        kind = value.get("kind") if isinstance(value, dict) else None
        if isinstance(kind, str) and kind.removesuffix("List") in ("", *KINDS) and isinstance(value.get("items"), list):
            for number, item in enumerate(value["items"]):
                mark = marks.get(("items", number))
                yield item, mark.line if mark else 1
        elif value is not None:
            yield value, marks[()].line if () in marks else 1


def _checked(value: dict[str, Any], file: pathlib.Path, line: int, problems: list[Problem]) -> list[Original]:
    """It, if what names it and what it scales are there, in a version that is read."""
    group, versions, _ = KINDS[value["kind"]]
    known = [f"{group}/{version}" for version in versions]
    before = len(problems)
    if value.get("apiVersion") not in known:
        expected = " or ".join(known)
        problems.append(Problem(str(file), line, 1, "apiVersion", expected, shown(value.get("apiVersion"))))
    metadata = value.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(metadata.get("name"), str):
        problems.append(Problem(str(file), line, 1, "metadata.name", "a name", "nothing"))
    notes = metadata.get("annotations") if isinstance(metadata, dict) else None
    if notes is not None and not (isinstance(notes, dict) and all(isinstance(one, str) for one in notes.values())):
        problems.append(Problem(str(file), line, 1, "metadata.annotations", "a mapping of text", shown(notes)))
    if not isinstance(value.get("spec"), dict):
        problems.append(Problem(str(file), line, 1, "spec", "a mapping", shown(value.get("spec"))))
    if len(problems) > before:
        return []
    try:
        return [of(value, f"{file}:{line}")]
    except ValueError as error:
        problems.append(Problem(str(file), line, 1, f"metadata.annotations.{ADOPTED}", "its record", str(error)))
        return []


async def from_cluster(client: Client, namespace: str) -> tuple[list[Original], list[str]]:
    """Every one that may be seen, and sentences about what may not. Raises what the client raises otherwise."""
    found: list[Original] = []
    missing: list[str] = []
    for kind, (group, versions, resource) in KINDS.items():
        where = Where(group=group, version=versions[0], resource=resource, namespace=namespace)
        try:
            values, _ = await client.list_all(where, dict[str, Any])
        except errors.Unauthorized:
            raise
        except errors.Forbidden:
            missing.append(f"the right to list {where.right} is missing")
            continue
        except errors.Missing:
            continue  # VPA and KEDA are not installed everywhere
        for value in values:
            try:
                found.append(of({"apiVersion": f"{group}/{versions[0]}", "kind": kind} | value, "the cluster"))
            except ValueError as error:
                missing.append(str(error))
    return found, missing
