"""The fleet as columns to look at, a row per workload in the order of their keys: what maps, lists and sums are of.

A fleet of 100,000 is never turned into objects: whoever looks takes the rows that are on the screen.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.loop.tell.figures import Comparison, Totals
from podium.loop.tell.fleetmap import MapColumns, MapView
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s
from podium.model.identity import WorkloadKey

Int8s = NDArray[np.int8]

MODES = ("recommend", "metric", "floor", "own")
PAUSED = ("none", "up", "down", "both")
DIGITS = 2  # of `use` on the map: a pixel is not finer


class Standing(enum.IntEnum):
    """How a workload stands, worst first: the first that is true of it."""

    UNKNOWN = 0  # the cluster did not say how many replicas there are
    TROUBLED = 1  # it is not led as its policy asks
    SHORT = 2  # its load is more than its ready replicas can serve
    LIMITED = 3  # it asks for more than its maximum
    HELD = 4  # something keeps it from the number it would go to
    GROWING = 5
    SHRINKING = 6
    OFF = 7  # a person scaled it to zero
    STEADY = 8


STATES = tuple(one.name.lower() for one in Standing)


@dataclasses.dataclass(frozen=True)
class Roll:
    """Who is there: m workloads in the order of their keys. It changes only with the documents."""

    fleet: str  # a digest: another one means other workloads, tenants or modes
    slot: Int64s  # [m] in the fleet's arrays
    key: tuple[str, ...]
    tenants: tuple[str, ...]
    tenant: NDArray[np.int32]  # [m] index into `tenants`
    mode: Int8s  # [m] index into MODES

    def __len__(self) -> int:
        return len(self.key)

    @functools.cached_property
    def row(self) -> Mapping[str, int]:
        """The row of a key."""
        return {key: number for number, key in enumerate(self.key)}

    @functools.cached_property
    def text(self) -> tuple[str, ...]:
        """What a word of a filter is looked for in: key and tenant in lower case."""
        tenants = [name.lower() for name in self.tenants]
        rows = zip(self.key, self.tenant.tolist(), strict=True)
        return tuple(f"{key.lower()} {tenants[tenant]}" for key, tenant in rows)

    @functools.cached_property
    def parts(self) -> Mapping[str, NDArray[np.object_]]:
        """The parts of the keys, each as a column."""
        keys = [WorkloadKey.parse(key) for key in self.key]
        names = ("cluster", "namespace", "kind", "name")
        return {name: np.array([getattr(key, name) for key in keys], object) for name in names}


@dataclasses.dataclass(frozen=True)
class Sheet:
    """One turn's columns, [m] each; UNKNOWN and NaN are what is not known."""

    at: float
    tick: int
    roll: Roll
    state: Int8s  # Standing
    replicas: Int64s
    ready: Int64s
    wanted: Int64s
    load: Float64s
    use: Float64s  # load over what the ready replicas can serve; infinite where none is ready
    paused: Int8s  # index into PAUSED
    trusted: Bools
    troubled: Bools  # there are words about what holds it
    doubted: Bools  # a source of its signals is silent or not believed


def _nothing(kind: Any) -> Any:
    return np.empty(0, kind)


NOBODY = Sheet(
    at=0.0,
    tick=0,
    roll=Roll("", _nothing(np.int64), (), (), _nothing(np.int32), _nothing(np.int8)),
    state=_nothing(np.int8),
    replicas=_nothing(np.int64),
    ready=_nothing(np.int64),
    wanted=_nothing(np.int64),
    load=_nothing(np.float64),
    use=_nothing(np.float64),
    paused=_nothing(np.int8),
    trusted=_nothing(np.bool_),
    troubled=_nothing(np.bool_),
    doubted=_nothing(np.bool_),
)  # before the first turn


def picture(sheet: Sheet) -> MapView:
    """The whole map."""
    roll = sheet.roll
    return MapView(
        at=sheet.at,
        tick=sheet.tick,
        fleet=roll.fleet,
        tenants=roll.tenants,
        modes=MODES,
        states=STATES,
        columns=MapColumns(
            slot=roll.slot.tolist(),
            key=roll.key,
            tenant=roll.tenant.tolist(),
            mode=roll.mode.tolist(),
            state=sheet.state.tolist(),
            replicas=counts(sheet.replicas),
            ready=counts(sheet.ready),
            wanted=counts(sheet.wanted),
            use=shares(sheet.use),
            paused=sheet.paused.tolist(),
            doubted=sheet.doubted.tolist(),
        ),
    )


def totals(sheet: Sheet, shadows: Mapping[str, Comparison] | None = None) -> tuple[Totals, tuple[Totals, ...]]:
    """The fleet's sums, and each tenant's, most workloads first. `shadows` by tenant; "" is the whole fleet's."""
    roll, shadows = sheet.roll, shadows or {}
    size = len(roll.tenants)
    sums = {name: _by_tenant(roll, getattr(sheet, name)) for name in ("replicas", "ready", "wanted")}
    workloads = np.bincount(roll.tenant, minlength=size)
    unknown = np.bincount(roll.tenant[sheet.replicas == UNKNOWN], minlength=size)
    states = np.bincount(roll.tenant * len(STATES) + sheet.state, minlength=size * len(STATES)).reshape(
        size, len(STATES)
    )

    def told(tenant: str, pick: Any) -> Totals:
        return Totals(
            tenant=tenant,
            workloads=int(pick(workloads)),
            unknown=int(pick(unknown)),
            states={name: int(count) for name, count in zip(STATES, pick(states).tolist(), strict=True) if count},
            shadow=shadows.get(tenant),
            **{name: int(pick(column)) for name, column in sums.items()},
        )

    order = np.lexsort((np.arange(size), -workloads))
    each = tuple(told(roll.tenants[one], lambda column, one=one: column[one]) for one in order.tolist())
    return told("", lambda column: column.sum(axis=0)), each


def _by_tenant(roll: Roll, column: Int64s) -> Int64s:
    known = column != UNKNOWN
    return np.bincount(roll.tenant[known], weights=column[known], minlength=len(roll.tenants)).astype(np.int64)


def counts(column: Int64s) -> Any:
    """Whole numbers as JSON has them: null where unknown."""
    if not (column == UNKNOWN).any():
        return column.tolist()
    return [None if value == UNKNOWN else value for value in column.tolist()]


def shares(column: Float64s) -> Any:
    """Shares to two digits; null where unknown. What is infinite (a load, and nobody ready) is unknown as a number."""
    rounded = np.round(column, DIGITS)
    if np.isfinite(rounded).all():
        return rounded.tolist()
    known = np.isfinite(rounded).tolist()
    return [value if finite else None for value, finite in zip(rounded.tolist(), known, strict=True)]
