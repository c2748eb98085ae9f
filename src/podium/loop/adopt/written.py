"""Documents as YAML that people read on: each field that was translated with where it comes from, as a comment."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from podium.loop.adopt.adoption import SHORT, Adoption

Path = tuple[str | int, ...]
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null"])  # what some reader takes for no text


def text(one: Adoption) -> str:
    """The Signals and the policy of a workload as one file."""
    parts = []
    for document in one.documents:
        origins = one.origins if document is one.policy else {}
        lines = [*_head(one)] if document is one.policy else []
        lines += _mapping(document, (), {("spec", *path): words for path, words in origins.items()})
        parts.append("\n".join(lines))
    return "\n---\n".join(parts) + "\n"


def _head(one: Adoption) -> Iterator[str]:
    yield f"# Adopted from {', '.join(original.key for original in one.originals)} by podium adopt."
    for original, lost in one.lost:
        yield f"# Not here: {SHORT[original.kind]} {original.name} {_line(str(lost))}"
    for note in one.notes:
        yield f"# Note: {_line(note)}"


def _mapping(value: Mapping[str, Any], at: Path, origins: Mapping[Path, str], indent: str = "") -> Iterator[str]:
    for name, inner in value.items():
        path = (*at, name)
        note = f"  # {_line(origins[path])}" if path in origins else ""
        key = f"{indent}{_scalar(name)}:"
        if isinstance(inner, Mapping) and inner:
            yield key + note
            yield from _mapping(inner, path, origins, indent + "  ")
        elif isinstance(inner, list) and inner:
            yield key + note
            yield from _items(inner, indent + "  ")
        else:
            yield f"{key} {_scalar(inner)}{note}"


def _items(values: list[Any], indent: str) -> Iterator[str]:
    for value in values:
        if isinstance(value, Mapping) and value:
            first, *rest = _mapping(value, (), {}, indent + "  ")
            yield f"{indent}- {first.lstrip()}"
            yield from rest
        else:
            yield f"{indent}- {_scalar(value)}"


def _scalar(value: Any) -> str:
    if isinstance(value, str) and _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    return json.dumps(value, ensure_ascii=False)


def _line(words: str) -> str:
    return " ".join(words.split())
