"""The forecasters at hand: ours and those of other packages, all through the entry-point group `podium.forecasters`.

An entry point names a function of (step_seconds, size) that returns a Forecaster.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable

from podium.foresight.forecaster import Forecaster

GROUP = "podium.forecasters"
Build = Callable[[float, int], Forecaster]


class Unknown(LookupError):
    """No installed package offers a forecaster of this name."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"no forecaster is called {name!r}; installed are {', '.join(known) or 'none'}")


def names() -> tuple[str, ...]:
    """What can be asked of `load`, in alphabetical order."""
    return tuple(sorted(point.name for point in importlib.metadata.entry_points(group=GROUP)))


def load(name: str) -> Build:
    """What builds the forecaster of this name. Raises Unknown, or ImportError when its package is broken."""
    found = importlib.metadata.entry_points(group=GROUP, name=name)
    if not found:
        raise Unknown(name, names())
    build: Build = next(iter(found)).load()
    return build
