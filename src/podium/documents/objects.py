"""Documents that lie in a cluster, each standing for itself: a wrong one is not in force, and the others still are.

A folder is one person's work and is taken whole or not at all. Objects are many people's: nobody's mistake may keep
another's change from being followed. Where two of them contradict each other, the older one holds.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from podium.documents.collection import Check, Documents
from podium.documents.document import Document, Key
from podium.documents.loading import Kinds, interpret
from podium.documents.problem import Problem
from podium.documents.source import Source

Object = Mapping[str, Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Standing:
    """What became of one object."""

    key: Key
    words: str  # why it is not in force; "": it is


def gathered(
    objects: Iterable[Object], cluster: str, kinds: Kinds, checks: Sequence[Check]
) -> tuple[Documents, list[Standing]]:
    """The set of those that are right, alone and together, and how each object stands, oldest first."""
    right: dict[str, Document] = {}
    wrong: dict[str, list[Problem]] = {}
    keys: dict[str, Key] = {}
    for value in sorted(objects, key=_age):
        key = _key(value)
        source = Source(f"cluster {cluster}: {key}")
        keys[source.file] = key
        found = interpret(dict(value), source, kinds)
        if isinstance(found, Document):
            right[source.file] = found
        else:
            wrong[source.file] = found
    while contradicted := _contradicted(right, checks):
        for origin in contradicted:
            del right[origin]
        wrong |= contradicted
    standings = [Standing(key, "; ".join(map(_words, wrong.get(origin, ())))) for origin, key in keys.items()]
    return Documents(tuple(right.values())), standings


def _contradicted(right: Mapping[str, Document], checks: Sequence[Check]) -> dict[str, list[Problem]]:
    """Problems between documents, by the one that each names."""
    documents, out = Documents(tuple(right.values())), dict[str, list[Problem]]()
    for check in checks:
        for problem in check(documents):
            if problem.origin not in right:
                raise LookupError(f"{problem}: names none of the objects that were checked")
            out.setdefault(problem.origin, []).append(problem)
    return out


def _words(problem: Problem) -> str:
    """A problem for somebody who looks at the object itself."""
    return str(dataclasses.replace(problem, origin=""))


def _age(value: Object) -> tuple[str, str, str]:
    metadata = value.get("metadata", {})
    return metadata.get("creationTimestamp") or "", metadata.get("namespace") or "", metadata.get("name") or ""


def _key(value: Object) -> Key:
    metadata = value.get("metadata", {})
    return Key(str(value.get("kind", "")), metadata.get("namespace") or "", metadata.get("name") or "")
