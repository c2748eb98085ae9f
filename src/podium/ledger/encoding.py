"""A column <-> fewer bytes, bit for bit: what a fleet's columns have in common is said once.

    plain     every element, byte-shuffled
    alike     one element: a timestamp of one scrape, the window of every sample
    counts    small unsigned integers above the smallest one: replicas, slots, moments in whole seconds
    decimals  the same of thousandths: what came from a Kubernetes quantity; NaN is the largest integer

Of the 730 bytes a turn holds of a workload 430 are alike and 240 fit two bytes each: that is what need not be shuffled
and compressed. Byte-shuffling writes the first bytes of all elements, then the second ones: neighbours of a fleet
differ in their low bytes and agree in the high ones, so that long runs are found.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

PLAIN, ALIKE, COUNTS, DECIMALS = "plain", "alike", "counts", "decimals"
_NARROW = tuple(np.dtype(f"<u{width}") for width in (1, 2, 4))
_NAN = np.array(np.nan, "<f8").view("<u8")
_SCALE = {COUNTS: 1.0, DECIMALS: 1000.0}
_EXACT = float(1 << 53)  # whole numbers up to here are exact in a float64
_LOOKED_AT = 64  # elements that tell, before all are looked at, whether it is worth it


class Form(NamedTuple):
    """How a column was written."""

    name: str
    dtype: str  # of the column itself
    shape: list[int]
    how: str
    stored: str = ""  # dtype of the integers of COUNTS and DECIMALS
    base: int = 0  # what they are counted from

    @property
    def elements(self) -> int:
        """How many elements the column has. Raises ValueError for a shape that is none."""
        if any(size < 0 for size in self.shape):
            raise ValueError(f"a column of shape {self.shape}")
        return math.prod(self.shape)

    @property
    def written_bytes(self) -> int:
        """How many bytes were written."""
        if self.how == ALIKE:
            return np.dtype(self.dtype).itemsize
        return self.elements * np.dtype(self.stored or self.dtype).itemsize


def encoded(name: str, array: NDArray[Any]) -> tuple[Form, bytes]:
    """The form and the bytes of a little-endian array in C order."""
    flat, shape = array.reshape(-1), list(array.shape)
    dtype = array.dtype.str
    if len(flat) > 1 and _alike(flat):
        return Form(name, dtype, shape, ALIKE), flat[:1].tobytes()
    if dtype[1] in "iu" and flat.itemsize > 1 and len(flat) > 1:
        found = _counted(flat)
        if found is not None:
            return Form(name, dtype, shape, COUNTS, found[0].dtype.str, found[1]), _shuffled(found[0])
    elif dtype == "<f8" and len(flat) > 1:
        for how, scale in _SCALE.items():
            found = _scaled(flat, scale)
            if found is not None:
                return Form(name, dtype, shape, how, found[0].dtype.str, found[1]), _shuffled(found[0])
    return Form(name, dtype, shape, PLAIN), _shuffled(flat)


def decoded(form: Form, raw: NDArray[np.uint8]) -> NDArray[Any]:
    """The column that `raw` was written from: an array of its own. Raises ValueError for a form that is none."""
    dtype = np.dtype(form.dtype)
    if form.how == PLAIN:
        return np.ndarray(form.shape, dtype, buffer=_unshuffled(raw, dtype.itemsize))
    if form.how == ALIKE:
        return np.full(form.shape, raw.view(dtype)[0], dtype)
    if form.how not in _SCALE or form.stored not in [one.str for one in _NARROW]:
        raise ValueError(f"a column written as {form.how} in {form.stored}")
    stored = np.ndarray(form.shape, form.stored, buffer=_unshuffled(raw, np.dtype(form.stored).itemsize))
    if dtype.kind in "iu":
        return (stored.astype(np.uint64) + np.uint64(form.base % (1 << 64))).astype(dtype)  # modulo 2^64: exact
    out = (stored.astype(np.float64) + form.base) / _SCALE[form.how]
    out[stored == np.iinfo(stored.dtype).max] = np.nan
    return out


def _alike(flat: NDArray[Any]) -> bool:
    words = flat.view(f"V{flat.itemsize}") if flat.dtype.kind == "S" else flat.view(f"u{flat.itemsize}")
    return bool(words[0] == words[-1] and words[0] == words[len(words) // 2] and (words == words[0]).all())


def _counted(flat: NDArray[Any]) -> tuple[NDArray[Any], int] | None:
    """Integers above the smallest one; None where they need as many bytes as before."""
    low, high = int(flat.min()), int(flat.max())
    for narrow in _NARROW:
        if narrow.itemsize < flat.itemsize and high - low <= np.iinfo(narrow).max:
            above = flat.astype(np.uint64) - np.uint64(low % (1 << 64))  # modulo 2^64: exact
            return above.astype(narrow), low
    return None


def _scaled(flat: NDArray[Any], scale: float) -> tuple[NDArray[Any], int] | None:
    """Floats that are all `integer / scale`, as integers above the smallest one; None where one is not."""
    some = flat[:: max(len(flat) // _LOOKED_AT, 1)]
    if _whole(some, scale) is None or (found := _whole(flat, scale)) is None:
        return None
    whole, known = found
    if not known.any():
        return None
    low, high = int(whole.min(where=known, initial=np.inf)), int(whole.max(where=known, initial=-np.inf))
    for narrow in _NARROW:
        largest = np.iinfo(narrow).max
        if high - low < largest:
            return np.where(known, whole - low, largest).astype(narrow), low
    return None


def _whole(flat: NDArray[Any], scale: float) -> tuple[NDArray[Any], NDArray[np.bool_]] | None:
    """([n] flat x scale, [n] which of them are no NaN) where dividing again gives the same bits, else None."""
    with np.errstate(invalid="ignore", over="ignore"):
        whole = np.rint(flat * scale) + 0.0  # -0.0 becomes 0.0, and is found to be another
        same = ((whole / scale).view("<u8") == flat.view("<u8")) & (np.abs(whole) < _EXACT)
    known = flat == flat  # noqa: PLR0124  (false for NaN alone)
    if not (same | (flat.view("<u8") == _NAN)).all():
        return None
    return whole, known


def _shuffled(flat: NDArray[Any]) -> bytes:
    width = flat.itemsize
    if width < 2 or not len(flat):
        return flat.tobytes()
    return flat.view(np.uint8).reshape(-1, width).T.tobytes()


def _unshuffled(raw: NDArray[np.uint8], width: int) -> bytearray:
    return bytearray((raw if width < 2 else raw.reshape(width, -1).T).tobytes())
