"""What a forecaster remembers: named arrays whose last axis is the slots, so that slots can be forgotten and added."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import Columns, Int64s

Array = NDArray[Any]


@dataclasses.dataclass(frozen=True, slots=True)
class Field:
    """One array of a memory: the shape before the slots, its element type, and what a slot that knows nothing holds."""

    shape: tuple[int, ...] = ()
    fill: float | Array = np.nan  # a number, or an array of `shape`
    dtype: type[np.generic] = np.float32

    def blank(self, slots: int) -> Array:
        """The array of `slots` slots that know nothing."""
        fill = np.asarray(self.fill, self.dtype)
        return np.array(np.broadcast_to(fill[..., None], (*self.shape, slots)), order="C")


class Memory:
    """Arrays by name; `part` and `inside` give views of some slots and of some names."""

    def __init__(self, fields: dict[str, Field], size: int = 0) -> None:
        self.fields = fields
        self.size = size
        self._arrays = {name: field.blank(size) for name, field in fields.items()}
        self._insides: dict[
            str, Memory
        ] = {}  # views by prefix, made once: they cost more than small fleets' arithmetic

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def part(self, slots: slice) -> Memory:
        """The same memory, seen through some slots: writing into its arrays writes here."""
        part = Memory.__new__(Memory)
        part.fields = self.fields
        part._arrays = {name: array[..., slots] for name, array in self._arrays.items()}  # noqa: SLF001  (its own class)
        part._insides = {}  # noqa: SLF001
        part.size = len(range(*slots.indices(self.size)))
        return part

    def inside(self, prefix: str) -> Memory:
        """The arrays named `prefix.*` by the rest of their name, as a memory: the same arrays, not copies."""
        if prefix in self._insides:
            return self._insides[prefix]
        start = prefix + "."
        inside = Memory.__new__(Memory)
        inside.fields = {name[len(start) :]: field for name, field in self.fields.items() if name.startswith(start)}
        inside._arrays = {name: self._arrays[start + name] for name in inside.fields}  # noqa: SLF001
        inside._insides = {}  # noqa: SLF001
        inside.size = self.size
        self._insides[prefix] = inside
        return inside

    def forget(self, slots: Int64s) -> None:
        """Make these slots know nothing."""
        for name, field in self.fields.items():
            self._arrays[name][..., slots] = field.blank(len(slots))

    def resize(self, size: int) -> None:
        """Grow or shrink to `size` slots; new ones know nothing."""
        kept = min(size, self.size)
        for name, field in self.fields.items():
            array = field.blank(size)
            array[..., :kept] = self._arrays[name][..., :kept]
            self._arrays[name] = array
        self._insides.clear()
        self.size = size

    def state(self, prefix: str) -> Columns:
        """Copies of all arrays, named `prefix.name`; float16 as its bits, since the ledger's columns have no halves."""
        return {f"{prefix}.{name}": array.copy().view(_stored(array.dtype)) for name, array in self._arrays.items()}

    def restore(self, state: Columns, prefix: str) -> None:
        """Take over `state`. Raises ValueError for a column missing or of another shape or type: nothing changes."""
        arrays: dict[str, Array] = {}
        sizes = set()
        for name, field in self.fields.items():
            array = state.get(f"{prefix}.{name}")
            if array is None:
                raise ValueError(f"{prefix}.{name}: missing in the stored state")
            if array.shape[:-1] != field.shape or array.dtype != _stored(field.dtype) or array.ndim == 0:
                raise ValueError(
                    f"{prefix}.{name}: expected {_stored(field.dtype)} {[*field.shape, 'slots']}, "
                    f"got {array.dtype} {list(array.shape)}"
                )
            arrays[name] = np.array(array).view(field.dtype)
            sizes.add(array.shape[-1])
        if len(sizes) > 1:
            raise ValueError(f"{prefix}: its columns disagree about the number of slots: {sorted(sizes)}")
        self._arrays = arrays
        self._insides.clear()
        self.size = sizes.pop() if sizes else self.size


def _stored(dtype: Any) -> np.dtype[Any]:
    """The type in which a column of `dtype` is kept."""
    return np.dtype(np.uint16) if np.dtype(dtype) == np.float16 else np.dtype(dtype)
