"""The port: who is told of every turn and each of its steps while they happen. Untold by default."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Protocol, TypeAlias

Facts: TypeAlias = Mapping[str, str | int | float | bool]


class Span(Protocol):
    """A stretch of time that is being told of."""

    def note(self, facts: Facts) -> None:
        """Say more about it."""


class Tracer(Protocol):
    """Never raises, never waits, and lets what is raised inside a span pass."""

    def span(self, name: str) -> AbstractContextManager[Span]:
        """From now until the block ends; one inside another is its child."""


class Untold:
    """Tells nobody."""

    def span(self, name: str) -> AbstractContextManager[Span]:  # noqa: ARG002  its port's
        """A span of which nobody hears."""
        return contextlib.nullcontext(_Unheard())


class _Unheard:
    def note(self, facts: Facts) -> None:
        """Nobody hears it."""


UNTOLD = Untold()
