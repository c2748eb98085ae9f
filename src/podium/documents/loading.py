"""Text -> documents: each of a known kind, each mistake named, however many documents the text holds."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from podium.documents import checking, reading
from podium.documents.document import API_VERSION, Document
from podium.documents.problem import Invalid, Problem, nearest, shown
from podium.documents.source import Mark, Path, Source

Kinds: TypeAlias = Mapping[str, type[Document]]

Asides: TypeAlias = Mapping[str, Callable[[dict[str, Any], Source], Iterable[Problem]]]
"""Kinds that may lie beside documents and are no part of their set -> what is wrong with one."""


def loads(data: bytes, file: str, kinds: Kinds) -> tuple[Document, ...]:
    """All documents of a text. Raises Invalid with every problem of every document."""
    documents, problems = parse(data, file, kinds)
    if problems:
        raise Invalid(problems)
    return documents


def parse(
    data: bytes, file: str, kinds: Kinds, asides: Asides | None = None
) -> tuple[tuple[Document, ...], tuple[Problem, ...]]:
    """The documents of a text that are right, and every problem of those that are not, `asides` included."""
    documents: list[Document] = []
    problems: list[Problem] = []
    for value, source in _values(data, file, problems):
        aside = (asides or {}).get(str(value.get("kind"))) if isinstance(value, dict) else None
        found = interpret(value, source, kinds) if aside is None else list(aside(value, source))
        if isinstance(found, Document):
            documents.append(found)
        else:
            problems += found
    return tuple(documents), tuple(problems)


def interpret(value: Any, source: Source, kinds: Kinds) -> Document | list[Problem]:
    """One value as a document of one of `kinds`, or its problems. Objects read from a cluster come in here, too."""
    wrong = _identity_problems(value, source, kinds)
    if wrong:
        return wrong
    found = checking.check(kinds[value["kind"]], value)
    if isinstance(found, list):
        return checking.placed(found, source)
    found.written_at(source)
    return found


def _values(data: bytes, file: str, problems: list[Problem]) -> Iterator[tuple[Any, Source]]:
    try:
        for parsed in reading.read(data):
            yield from _items(parsed.value, Source(file, parsed.marks))
    except reading.Unreadable as error:
        problems.append(Problem(file, error.mark.line, error.mark.column, "", error.expected, error.got))


def _items(value: Any, source: Source) -> Iterator[tuple[Any, Source]]:
    """The documents inside a `kind: List`, as `kubectl get -o yaml` prints them, or the document itself."""
    if not (isinstance(value, dict) and value.get("kind") == "List" and isinstance(value.get("items"), list)):
        yield value, source
        return
    for number, item in enumerate(value["items"]):
        prefix: Path = ("items", number)
        marks = {path[2:]: mark for path, mark in source.marks.items() if path[:2] == prefix}
        yield item, Source(source.file, marks or {(): Mark(1, 1)})


def _identity_problems(value: Any, source: Source, kinds: Kinds) -> list[Problem]:
    if not isinstance(value, dict):
        return [Problem.at(source, (), "a document with apiVersion, kind, metadata and spec", shown(value))]
    problems = []
    version, kind = value.get("apiVersion"), value.get("kind")
    if version != API_VERSION:
        got = "nothing" if version is None else shown(version)
        problems.append(Problem.at(source, ("apiVersion",), API_VERSION, got))
    if not isinstance(kind, str) or kind not in kinds:
        known = checking.alternatives(sorted(kinds))
        hint = nearest(kind, list(kinds)) if isinstance(kind, str) else ""
        got = "nothing" if kind is None else shown(kind)
        problems.append(Problem.at(source, ("kind",), f"the kind {known}{hint}", got))
    return problems
