"""The element types of the fleet's arrays, and the few operations that all of them need."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Bools: TypeAlias = NDArray[np.bool_]
Int32s: TypeAlias = NDArray[np.int32]
Int64s: TypeAlias = NDArray[np.int64]
Float32s: TypeAlias = NDArray[np.float32]
Float64s: TypeAlias = NDArray[np.float64]
Columns: TypeAlias = dict[str, NDArray[np.generic]]

UNKNOWN = -1  # in integer arrays of counts; floats use NaN


def sum_by_slot(values: Int64s, slots: Int32s | Int64s, size: int) -> Int64s:
    """Exact int64 sums of `values` per slot; slots without a row are 0."""
    out = np.zeros(size, np.int64)
    np.add.at(out, slots, values)
    return out


def count_by_slot(mask: Bools, slots: Int32s | Int64s, size: int) -> Int64s:
    """How many rows of each slot are marked."""
    return np.bincount(slots[mask], minlength=size).astype(np.int64)
