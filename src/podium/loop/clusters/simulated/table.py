"""All pods as columns that grow and shrink in place, so that one more pod costs nothing at ten thousand workloads."""

from __future__ import annotations

from typing import Any

import numpy as np

from podium.model.arrays import Bools, Columns, Float64s, Int32s, Int64s

NOWHERE = -1  # node of a pod that no node had room for
NEVER = np.inf

_COLUMNS: dict[str, Any] = {
    "workload": np.int32,
    "serial": np.int64,
    "node": np.int32,
    "restarts": np.int32,
    "created": np.float64,
    "scheduled": np.float64,  # NEVER while no node has room
    "running": np.float64,
    "ready": np.float64,
    "deleted": np.float64,
    "gone": np.float64,
    "name": object,  # (namespace, name)
}


class PodTable:
    """Columns of equal length. Moments are Unix seconds, in the future where they are still to come."""

    def __init__(self) -> None:
        self._size = 0
        self._columns = {name: np.empty(64, kind) for name, kind in _COLUMNS.items()}

    def __len__(self) -> int:
        return self._size

    def add(self, **values: Any) -> int:
        """Append one pod; returns its row."""
        if self._size == len(self._columns["serial"]):
            for name, column in self._columns.items():
                self._columns[name] = np.concatenate([column, np.empty_like(column)])
        for name, column in self._columns.items():
            column[self._size] = values[name]
        self._size += 1
        return self._size - 1

    def keep(self, mask: Bools) -> None:
        """Drop every row that is not marked; the others keep their order."""
        kept = int(mask.sum())
        for column in self._columns.values():
            column[:kept] = column[: self._size][mask]
        self._columns["name"][kept : self._size] = None
        self._size = kept

    def _view(self, name: str) -> Any:
        return self._columns[name][: self._size]

    @property
    def workload(self) -> Int32s:
        """Number of the workload in the world."""
        return self._view("workload")  # type: ignore[no-any-return]

    @property
    def serial(self) -> Int64s:
        """Unique number of the pod, never used again."""
        return self._view("serial")  # type: ignore[no-any-return]

    @property
    def node(self) -> Int32s:
        """Number of the node, or NOWHERE."""
        return self._view("node")  # type: ignore[no-any-return]

    @property
    def restarts(self) -> Int32s:
        """How often its container will have crashed before it is Ready."""
        return self._view("restarts")  # type: ignore[no-any-return]

    @property
    def created(self) -> Float64s:
        """When the pod was asked for."""
        return self._view("created")  # type: ignore[no-any-return]

    @property
    def scheduled(self) -> Float64s:
        """When a node had room for it."""
        return self._view("scheduled")  # type: ignore[no-any-return]

    @property
    def running(self) -> Float64s:
        """When its image is there and its container first starts."""
        return self._view("running")  # type: ignore[no-any-return]

    @property
    def ready(self) -> Float64s:
        """When it turns Ready."""
        return self._view("ready")  # type: ignore[no-any-return]

    @property
    def deleted(self) -> Float64s:
        """When it was told to end."""
        return self._view("deleted")  # type: ignore[no-any-return]

    @property
    def gone(self) -> Float64s:
        """When it is no more."""
        return self._view("gone")  # type: ignore[no-any-return]

    @property
    def names(self) -> np.ndarray[Any, np.dtype[np.object_]]:
        """(namespace, name) of each pod."""
        return self._view("name")  # type: ignore[no-any-return]

    def columns(self) -> Columns:
        """A copy of everything but the names, to be saved."""
        return {name: self._view(name).copy() for name in _COLUMNS if name != "name"}
