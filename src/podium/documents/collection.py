"""Documents as one set: each key once, found by kind and name, and checked against each other."""

from __future__ import annotations

import dataclasses
import functools
import hashlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TypeAlias, TypeVar

from podium.documents.document import Document, Key
from podium.documents.problem import Invalid, Problem

D = TypeVar("D", bound=Document)


@dataclasses.dataclass(frozen=True)
class Documents:
    """An immutable set of documents in the order they were read."""

    all: tuple[Document, ...] = ()

    def __len__(self) -> int:
        return len(self.all)

    def __iter__(self) -> Iterator[Document]:
        return iter(self.all)

    def of(self, kind: type[D]) -> tuple[D, ...]:
        """Those of one kind."""
        return tuple(document for document in self.all if isinstance(document, kind))

    def find(self, kind: type[D], namespace: str, name: str) -> D | None:
        """One document by its key, if it is there."""
        for document in self._named.get((namespace, name), ()):
            if isinstance(document, kind):
                return document
        return None

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 over the digests of all documents in the order of their keys: changes when any request changes."""
        lines = sorted(f"{document.key} {document.digest()}" for document in self.all)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    @functools.cached_property
    def _named(self) -> dict[tuple[str, str], list[Document]]:
        named: dict[tuple[str, str], list[Document]] = {}
        for document in self.all:
            named.setdefault((document.namespace, document.metadata.name), []).append(document)
        return named


Check: TypeAlias = Callable[[Documents], Iterable[Problem]]
"""A rule between documents, brought by the package whose documents they are."""


def gather(documents: Iterable[Document], problems: Iterable[Problem], checks: Sequence[Check]) -> Documents:
    """The set of `documents`. Raises Invalid with `problems`, with keys written twice, and with what `checks` find."""
    every = Documents(tuple(documents))
    found = [*problems, *_repeated(every)]
    for check in checks:
        found += check(every)
    if found:
        raise Invalid(found)
    return every


def _repeated(documents: Documents) -> Iterator[Problem]:
    first: dict[Key, Document] = {}
    for document in documents:
        earlier = first.setdefault(document.key, document)
        if earlier is not document:
            yield Problem.at(
                document.source,
                ("metadata", "name"),
                f"a name that no other {document.kind} of the namespace has",
                f"{document.metadata.name}, as in {earlier.source}",
            )
