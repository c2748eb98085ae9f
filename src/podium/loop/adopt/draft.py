"""A policy in the making: every field with where it comes from, and every field of the original that found no place."""

from __future__ import annotations

import dataclasses
from typing import Any

Path = tuple[str | int, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Lost:
    """A field of the original without a counterpart. `decides`: without it other replicas may be decided."""

    field: str  # spec.fallback, as the original has it
    words: str
    decides: bool = False

    def __str__(self) -> str:
        return f"{self.field}: {self.words}"


@dataclasses.dataclass(slots=True)
class Draft:
    """Spec and Signals, as they will be written."""

    spec: dict[str, Any] = dataclasses.field(default_factory=dict)
    signals: dict[str, dict[str, Any]] = dataclasses.field(default_factory=dict)  # name -> spec
    origins: dict[Path, str] = dataclasses.field(default_factory=dict)  # path in the policy -> words
    lost: list[Lost] = dataclasses.field(default_factory=list)
    notes: list[str] = dataclasses.field(default_factory=list)

    def put(self, path: Path, value: Any, origin: str) -> None:
        """Write a field; lists are written whole."""
        place: Any = self.spec
        for part in path[:-1]:
            place = place.setdefault(part, {})
        place[path[-1]] = value
        self.origins[path] = origin

    def lose(self, field: str, words: str, *, decides: bool = False) -> None:
        """Name a field that found no place."""
        self.lost.append(Lost(field, words, decides))

    def rest(self, given: dict[str, Any], known: tuple[str, ...], at: str) -> None:
        """Name every field of `given` that nobody looked at."""
        for name in given:
            if name not in known:
                self.lose(f"{at}.{name}", "is not known to Podium", decides=True)
