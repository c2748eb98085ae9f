"""What is remembered of some slots alone: named arrays with a row for each slot that ever asked for it.

A fleet of 100,000 of which ten ask pays for ten.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from podium.foresight.memory import Field
from podium.model.arrays import Columns, Int32s, Int64s

Arrays: TypeAlias = dict[str, NDArray[Any]]


class Rows:
    """Arrays by name, whose last axis is the rows; `slots` are theirs, and rise."""

    def __init__(self, fields: Mapping[str, Field]) -> None:
        self._fields = fields
        self._arrays = self._blank(0)
        self.slots: Int32s = np.empty(0, np.int32)

    def __len__(self) -> int:
        return len(self.slots)

    def __getitem__(self, name: str) -> NDArray[Any]:
        return self._arrays[name]

    def places(self, slots: Int32s | Int64s) -> Int64s:
        """[m] the rows of `slots` [m]; who is new gets one that knows nothing."""
        new = np.setdiff1d(slots, self.slots)
        if len(new):
            joined = np.concatenate([self.slots, new]).astype(np.int32)
            order, blank = np.argsort(joined), self._blank(len(new))
            self.slots = joined[order]
            self._arrays = {
                name: np.concatenate([array, blank[name]], axis=-1)[..., order] for name, array in self._arrays.items()
            }
        return np.searchsorted(self.slots, slots).astype(np.int64)

    def copied(self, rows: Int64s) -> Arrays:
        """Copies of some rows of all arrays."""
        return {name: array[..., rows] for name, array in self._arrays.items()}

    def put(self, rows: Int64s, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write these rows of the arrays that are given."""
        for name, array in arrays.items():
            self._arrays[name][..., rows] = array

    def clear(self, *names: str) -> None:
        """Every row of these arrays knows nothing."""
        for name in names:
            self._arrays[name] = self._fields[name].blank(len(self))

    def forget(self, slots: Int64s) -> None:
        """These slots belong to other workloads now."""
        kept = ~np.isin(self.slots, slots)
        if not kept.all():
            self.slots = self.slots[kept]
            self._arrays = {name: array[..., kept] for name, array in self._arrays.items()}

    def checkpoint(self) -> Columns:
        """Everything, as columns; copies."""
        own: Columns = {"slots": self.slots.copy()}
        return own | {f"rows.{name}": array.copy() for name, array in self._arrays.items()}

    def restore(self, stored: Columns) -> None:
        """Take over what `checkpoint` returned; where nothing was stored, nothing is known of anybody."""
        self.slots, self._arrays = np.empty(0, np.int32), self._blank(0)
        if "slots" in stored:
            self.slots = np.array(stored["slots"], np.int32)
            self._arrays = {name: np.array(stored[f"rows.{name}"], field.dtype) for name, field in self._fields.items()}

    def _blank(self, size: int) -> Arrays:
        return {name: field.blank(size) for name, field in self._fields.items()}
