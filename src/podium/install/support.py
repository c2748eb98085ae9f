"""Which clusters Podium supports, and whether the kinds installed in one are those of this version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import podium
from podium.documents.schemas import WRITTEN_BY

OLDEST = (1, 29)  # the first in which the rules of custom resources (CEL) are not to be switched on first
NEWEST = (1, 36)  # the one that the tests run on
_MINOR = re.compile(r"v?(\d+)\.(\d+)")


def release(version: Mapping[str, Any]) -> tuple[int, int] | None:
    """(1, 36) of what `/version` answers; None where it says nothing that can be read."""
    match = _MINOR.match(str(version.get("gitVersion", "")))
    return (int(match[1]), int(match[2])) if match else None


def objection(version: Mapping[str, Any]) -> tuple[str, bool]:
    """What there is to say against a cluster of this version ("" nothing), and whether Podium cannot run there."""
    found = release(version)
    said, span = version.get("gitVersion", "of an unknown version"), f"{_words(OLDEST)} to {_words(NEWEST)}"
    if found is None:
        return f"Kubernetes {said}: supported are {span}", False
    if found < OLDEST:
        return f"Kubernetes {said} is older than supported ({span}): it does not know the rules of our kinds", True
    if found > NEWEST:
        return f"Kubernetes {said} is newer than what this Podium was tried on ({span})", False
    return "", False


def _words(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def skew(installed: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """How the installed CustomResourceDefinition differs from ours, in words; "" when it does not."""
    lacks, more = _fields(ours) - _fields(installed), _fields(installed) - _fields(ours)
    by = (installed.get("metadata", {}).get("annotations") or {}).get(WRITTEN_BY, "an unknown version")
    name = ours["metadata"]["name"]
    if lacks:
        return f"{name} is older (of Podium {by}) than this Podium {podium.__version__}: it drops {_some(lacks)}"
    if more:
        return f"{name} is newer (of Podium {by}) than this Podium {podium.__version__}, which refuses {_some(more)}"
    if _rules(installed) != _rules(ours):
        return f"{name} (of Podium {by}) has other rules than this Podium {podium.__version__}"
    return ""


def _some(fields: set[str]) -> str:
    first = sorted(fields)
    return ", ".join(first[:3]) + (f" and {len(first) - 3} more" if len(first) > 3 else "")


def _schema(crd: Mapping[str, Any]) -> Mapping[str, Any]:
    stored: Mapping[str, Any] = next((one for one in crd["spec"]["versions"] if one.get("storage")), {})
    found: Mapping[str, Any] = stored.get("schema", {}).get("openAPIV3Schema", {})
    return found


def _fields(crd: Mapping[str, Any]) -> set[str]:
    return {path for path, _ in _walk(_schema(crd), "")}


def _rules(crd: Mapping[str, Any]) -> dict[str, list[str]]:
    found = {path: [one["rule"] for one in part.get("x-kubernetes-validations", ())] for path, part in _all(crd)}
    return {path: rules for path, rules in found.items() if rules}


def _all(crd: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    yield "", _schema(crd)
    yield from _walk(_schema(crd), "")


def _walk(schema: Mapping[str, Any], path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every field with its path, as in `spec.rules[].when`."""
    for name, inner in schema.get("properties", {}).items():
        at = f"{path}.{name}" if path else name
        yield at, inner
        yield from _walk(inner, at)
    if isinstance(schema.get("items"), Mapping):
        yield from _walk(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _walk(schema["additionalProperties"], f"{path}.*")
