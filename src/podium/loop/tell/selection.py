"""Which workloads somebody wants to see, in which order, from where on: a question to the columns of a sheet."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from podium.loop.tell.sheet import MODES, PAUSED, STATES, Sheet
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s

SORTS = ("key", "tenant", "state", "replicas", "ready", "wanted", "load", "use")
WORDS: Mapping[str, tuple[str, ...]] = {  # fields that hold one of a few words
    "mode": MODES,
    "state": STATES,
    "paused": PAUSED,
    "trusted": ("no", "yes"),
    "troubled": ("no", "yes"),
    "doubted": ("no", "yes"),
}
FIELDS = ("tenant", "cluster", "namespace", "kind", "name", *WORDS)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """All of `words` are in a workload's key or tenant, each field of `fields` is one of its values.

    `after` is the place of the last workload seen: its value in the column that sorts (None: unknown), and its key.
    """

    words: tuple[str, ...] = ()
    fields: tuple[tuple[str, tuple[str, ...]], ...] = ()
    sort: str = "key"
    descending: bool = False
    limit: int = 100
    after: tuple[float | str | None, str] | None = None
    recent_seconds: float = 0.0


@dataclasses.dataclass(frozen=True, slots=True)
class Found:
    """The rows of a sheet that were asked for."""

    total: int  # that the selection lets through
    rows: Int64s
    last: tuple[float | str | None, str] | None  # where the next page goes on; None: there is none


def find(sheet: Sheet, wanted: Selection) -> Found:
    """The page of `wanted`."""
    rows = np.flatnonzero(_chosen(sheet, wanted))
    ranks = _ranks(sheet, wanted)
    order = rows if ranks is None else rows[np.argsort(ranks[rows], kind="stable")]
    if wanted.sort == "key" and wanted.descending:
        order = order[::-1]
    begin = 0 if wanted.after is None else _place(sheet, wanted, order, ranks)
    page = order[begin : begin + wanted.limit]
    more = begin + wanted.limit < len(order)
    return Found(len(rows), page, _mark(sheet, wanted, int(page[-1])) if more else None)


def _chosen(sheet: Sheet, wanted: Selection) -> Bools:
    chosen = np.ones(len(sheet.roll), np.bool_)
    for field, values in wanted.fields:
        chosen &= _is(sheet, field, values)
    if wanted.words:
        text = sheet.roll.text
        for word in wanted.words:
            small = word.lower()
            chosen &= np.fromiter((small in one for one in text), np.bool_, len(text))
    return chosen


def _is(sheet: Sheet, field: str, values: tuple[str, ...]) -> Bools:
    roll = sheet.roll
    if field in WORDS:
        column = roll.mode if field == "mode" else getattr(sheet, field)
        return np.isin(column, [WORDS[field].index(value) for value in values])
    if field == "tenant":
        return np.isin(roll.tenant, [number for number, name in enumerate(roll.tenants) if name in values])
    part = roll.parts[field]
    found = np.zeros(len(roll), np.bool_)
    for value in values:
        found |= part == value
    return found


def _ranks(sheet: Sheet, wanted: Selection) -> Float64s | None:
    """A number per row that rises in the asked order, infinite where the value is unknown; None: keys sort."""
    if wanted.sort == "key":
        return None
    values = _values(sheet, wanted.sort)
    return np.where(np.isnan(values), np.inf, -values if wanted.descending else values)


def _values(sheet: Sheet, sort: str) -> Float64s:
    roll = sheet.roll
    if sort == "tenant":
        place = np.argsort(np.argsort(np.array(roll.tenants, object)))
        return place[roll.tenant].astype(np.float64)
    column: NDArray[np.generic] = getattr(sheet, sort)
    values = column.astype(np.float64)
    if sort in ("replicas", "ready", "wanted"):
        values[column == UNKNOWN] = np.nan
    return np.minimum(
        values, np.finfo(np.float64).max
    )  # nobody ready under a load: the largest use of all, not unknown


def _mark(sheet: Sheet, wanted: Selection, row: int) -> tuple[float | str | None, str]:
    """Where `row` lies in the order, in words that outlive the turn."""
    key = sheet.roll.key[row]
    if wanted.sort == "key":
        return None, key
    if wanted.sort == "tenant":
        return sheet.roll.tenants[sheet.roll.tenant[row]], key
    value = float(_values(sheet, wanted.sort)[row])
    return None if np.isnan(value) else value, key


def _place(sheet: Sheet, wanted: Selection, order: Int64s, ranks: Float64s | None) -> int:
    """How many of `order` come at or before the mark: equals are ordered by key."""
    value, key = wanted.after or (None, "")
    keys, begin, end = sheet.roll.key, 0, len(order)
    if ranks is not None:
        mark = _rank(sheet, wanted, value)
        begin, end = (int(np.searchsorted(ranks[order], mark, side)) for side in ("left", "right"))
    backwards = wanted.sort == "key" and wanted.descending
    while begin < end:
        middle = (begin + end) // 2
        seen = keys[order[middle]]
        begin, end = (middle + 1, end) if (seen >= key if backwards else seen <= key) else (begin, middle)
    return begin


def _rank(sheet: Sheet, wanted: Selection, value: float | str | None) -> float:
    """The number of a mark's value among the ranks, also when no workload has that value any more."""
    if value is None:
        return float("inf")
    if isinstance(value, str):
        names = sorted(sheet.roll.tenants)
        value = float(np.searchsorted(names, value)) - (0.0 if value in names else 0.5)
    return -value if wanted.descending else value
