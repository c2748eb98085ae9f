"""Where something is written: file, line and column of every field."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import NamedTuple, TypeAlias

Path: TypeAlias = tuple[str | int, ...]


class Mark(NamedTuple):
    """A place in a text, counted from 1."""

    line: int
    column: int


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """Where a document stands. `marks` holds the place of every field by its path; `()` is the document itself."""

    file: str = ""  # a path, or what the document came from ("cluster local"); "" when it was made by code
    marks: Mapping[Path, Mark] = dataclasses.field(default_factory=dict, repr=False, compare=False)

    def at(self, path: Path = ()) -> Mark | None:
        """The place of `path`, or of the nearest thing around it that is written; None when nothing was written."""
        for length in range(len(path), -1, -1):
            mark = self.marks.get(path[:length])
            if mark is not None:
                return mark
        return None

    def __str__(self) -> str:
        mark = self.at()
        return self.file if mark is None else f"{self.file}:{mark.line}"
