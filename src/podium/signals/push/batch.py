"""What one request brings, whatever its format: series by their labels, and samples of them."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable
from typing import TypeAlias

import numpy as np

from podium.model.arrays import Bools, Float64s, Int64s
from podium.signals.push.question import plain

Labels: TypeAlias = tuple[tuple[str, str], ...]  # by name; the metric's own name is that of `__name__`

NAME = "__name__"
MOST_LABELS = 64  # of a series
LONGEST_LABELS = 8192  # characters of all of them
# The NaN by which Prometheus says that a series has ended.
STALE_BITS = 0x7FF0000000000002
STALE = np.array([STALE_BITS], np.uint64).view(np.float64)


class Malformed(Exception):
    """What came can never be taken. The message says where and what was expected."""


@dataclasses.dataclass(frozen=True, slots=True)
class Batch:
    """s samples of k series; a series may come twice."""

    series: list[Labels]  # [k]
    counter: Bools  # [k] counts from a start on: its rate is what is read
    row: Int64s  # [s] which series
    at: Float64s  # [s] Unix seconds
    value: Float64s  # [s] STALE: the series has ended

    def __len__(self) -> int:
        return len(self.at)


def labels_of(pairs: Iterable[tuple[str, str]], where: str) -> Labels:
    """The labels of one series. Raises Malformed where they name no metric, repeat a name, or are too many."""
    found: dict[str, str] = {}
    size = 0
    for name, value in pairs:
        if not name or name in found:
            raise Malformed(f"{where}: a label {name!r} that is {'there twice' if name else 'without a name'}")
        found[name] = value
        size += len(name) + len(value)
    if not found.get(NAME):
        raise Malformed(f"{where}: no label {NAME}; expected the name of the metric")
    if len(found) > MOST_LABELS or size > LONGEST_LABELS:
        raise Malformed(
            f"{where}: {len(found)} labels of {size:,} characters; "
            f"expected at most {MOST_LABELS} of {LONGEST_LABELS:,} together"
        )
    found[NAME] = plain(found[NAME])
    # A hundred thousand series say `namespace` and `shop`: kept once, a series takes half of the memory.
    shared = ((sys.intern(plain(name)), sys.intern(value)) for name, value in found.items())
    return tuple(sorted(shared))


def ended(value: Float64s) -> Bools:
    """[s] whether each says that its series has ended."""
    out: Bools = np.ascontiguousarray(value).view(np.uint64) == STALE_BITS
    return out
