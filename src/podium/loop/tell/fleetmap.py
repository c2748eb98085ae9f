"""The whole fleet as columns, for a map of 1 to 100,000 workloads: once whole, then what moved."""

from __future__ import annotations

import msgspec


class MapColumns(msgspec.Struct, frozen=True, kw_only=True):
    """A value per workload in every column."""

    slot: tuple[int, ...]  # the number by which later changes name it
    key: tuple[str, ...]
    tenant: tuple[int, ...]  # index into `tenants`
    mode: tuple[int, ...]  # index into `modes`
    state: tuple[int, ...]  # index into `states`
    replicas: tuple[int | None, ...]
    ready: tuple[int | None, ...]
    wanted: tuple[int | None, ...]
    use: tuple[float | None, ...]  # as in a row, to two digits
    paused: tuple[int, ...]  # 0: not, 1: up, 2: down, 3: both
    doubted: tuple[bool, ...]  # a source of its signals is silent or not believed


class MapView(msgspec.Struct, frozen=True, kw_only=True):
    """The whole fleet as columns."""

    at: float
    tick: int
    fleet: str  # as in the fleet's view
    tenants: tuple[str, ...]
    modes: tuple[str, ...]
    states: tuple[str, ...]
    columns: MapColumns


class ChangedColumns(msgspec.Struct, frozen=True, kw_only=True):
    """A value per changed workload in every column."""

    state: tuple[int, ...]
    replicas: tuple[int | None, ...]
    ready: tuple[int | None, ...]
    wanted: tuple[int | None, ...]
    use: tuple[float | None, ...]
    paused: tuple[int, ...]
    doubted: tuple[bool, ...]


class MapChange(msgspec.Struct, frozen=True, kw_only=True):
    """What moved on the map since the last event about it: whole values, not differences."""

    at: float
    tick: int
    fleet: str  # the one of the map it belongs to
    slots: tuple[int, ...]  # rising
    columns: ChangedColumns
