"""What is wrong with what somebody wrote: all of it, each with its place, what was expected and what was found."""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Iterable, Sequence
from typing import Any

from podium.documents.source import Path, Source

MISSING = "it is missing"  # what was found in place of a value that must be written


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake. `origin` is a file or the name of a variable or flag; line and column are 0 where there are none."""

    origin: str
    line: int
    column: int
    path: str  # `spec.metrics[0].resource.name`; "" for the document itself
    expected: str
    got: str

    @classmethod
    def at(cls, source: Source, path: Path, expected: str, got: str) -> Problem:
        """A mistake at a field of a document."""
        mark = source.at(path)
        return cls(source.file, mark.line if mark else 0, mark.column if mark else 0, dotted(path), expected, got)

    def __str__(self) -> str:
        place = f"{self.origin}:{self.line}:{self.column}" if self.line else self.origin
        parts = [place] if place.endswith(f" {self.path}") else [part for part in (place, self.path) if part]
        found = self.got if self.got == MISSING else f"got {self.got}"
        return ": ".join([*parts, f"expected {self.expected}; {found}"])

    def as_json(self) -> dict[str, Any]:
        """The form that the API and `--format json` use."""
        return {
            "path": self.path,
            "file": self.origin,
            "line": self.line or None,
            "column": self.column or None,
            "expected": self.expected,
            "got": self.got,
        }


class Invalid(Exception):
    """What was written cannot be used. `problems` holds every mistake, in the order of the text."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(map(str, self.problems)))

    def as_json(self) -> list[dict[str, Any]]:
        """All mistakes, for machines."""
        return [problem.as_json() for problem in self.problems]


def dotted(path: Path) -> str:
    """`("spec", "metrics", 0, "type")` -> `spec.metrics[0].type`."""
    out = ""
    for part in path:
        out += f"[{part}]" if isinstance(part, int) else f".{part}" if out else part
    return out


def shown(value: object) -> str:
    """A value in a message, as JSON and short enough for a line."""
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return f"a list of {len(value)}" if value else "an empty list"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 80 else text[:76] + "…" + text[-1]


def unreadable(error: OSError) -> str:
    """What the system says of a file that cannot be read, as part of a sentence: `no such file`."""
    if isinstance(error, FileNotFoundError):
        return "no such file"
    said = error.strerror or str(error)
    return said[:1].lower() + said[1:]


def nearest(word: str, known: Sequence[str], *, cutoff: float = 0.6) -> str:
    """`; did you mean replicas?` when one of `known` is as close to `word` as `cutoff` (0 to 1) asks, else ""."""
    by_fold = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), list(by_fold), n=1, cutoff=cutoff)
    return f"; did you mean {by_fold[close[0]]}?" if close else ""
