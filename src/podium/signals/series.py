"""Recorded series in memory: rising times with finite values, and the newest value before a moment for all at once."""

from __future__ import annotations

import dataclasses
import tempfile
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, TypeAlias

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import Float64s, Int64s
from podium.signals.source import Permanent

MEMORY_ROWS = 16_000_000  # longer columns live in a memory map of a temporary file: 128 MB each


@dataclasses.dataclass(frozen=True, slots=True)
class Series:
    """One recorded series [t]: times rise strictly, values are finite. A gap is the absence of rows."""

    at: Float64s  # Unix seconds
    value: Float64s
    origin: str  # "recorded: <dataset>" or "synthetic: …"

    def __len__(self) -> int:
        return len(self.at)

    @property
    def step_seconds(self) -> float:
        """The usual distance of two rows (their median); NaN with fewer than two."""
        return float(np.median(np.diff(self.at))) if len(self.at) > 1 else float("nan")

    @property
    def span_seconds(self) -> float:
        """From the first row to where the row after the last would be: the natural period of a repetition."""
        return float(self.at[-1] - self.at[0]) + self.step_seconds if len(self.at) > 1 else float("nan")


class Column:
    """A float64 column that grows by chunks and moves to disk when it outgrows `MEMORY_ROWS`."""

    def __init__(self) -> None:
        self._chunks: list[Float64s] = []
        self._rows = 0
        self._file: IO[bytes] | None = None

    def append(self, chunk: Float64s) -> None:
        """Add rows at the end."""
        self._chunks.append(chunk)
        self._rows += len(chunk)
        if self._rows > MEMORY_ROWS:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="podium-series-")  # noqa: SIM115  closed with the column
                weakref.finalize(self, self._file.close)
            for part in self._chunks:
                self._file.write(part.tobytes())
            self._chunks = []

    def array(self) -> Float64s:
        """All rows: in memory, or mapped (the map outlives the column and its file)."""
        if self._file is None:
            return np.concatenate(self._chunks) if self._chunks else np.empty(0)
        self._file.flush()
        return np.memmap(self._file, np.float64, "r+", shape=(self._rows,))


def in_order(at: Float64s, value: Float64s, path: Path) -> tuple[Float64s, Float64s]:
    """Rows in any order, with gaps as NaN -> rising times and finite values. Of equal times the last row wins.

    Raises Permanent that names `path` when there are too many rows to put them in order in memory.
    """
    if not all((at[rows][1:] > at[rows][:-1]).all() for rows in _blocks(len(at))):
        if len(at) > MEMORY_ROWS:
            raise Permanent(f"{path}: its {len(at)} rows are out of order and too many to sort; expected rising times")
        order = np.argsort(at, kind="stable")
        at, value = at[order], value[order]
        last = np.append(at[1:] != at[:-1], True)
        at, value = at[last], value[last]
    if not any(np.isnan(value[rows]).any() for rows in _blocks(len(at))):
        return at, value
    kept_at, kept = Column(), Column()
    for start in range(0, len(at), MEMORY_ROWS):
        block = value[start : start + MEMORY_ROWS]
        known = ~np.isnan(block)
        kept_at.append(at[start : start + MEMORY_ROWS][known])
        kept.append(block[known])
    return kept_at.array(), kept.array()


def as_written(at: Float64s, value: Float64s, path: Path) -> tuple[Float64s, Float64s]:
    """Rows as they lie in the file, gaps as NaN: in place of `in_order` for who answers row by row."""
    del path
    return at, value


Order: TypeAlias = Callable[[Float64s, Float64s, Path], tuple[Float64s, Float64s]]


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of a file of series, and how its rows are put in order."""

    path: Path
    time_column: str
    columns: Sequence[str] | None  # or the series of a file in long form; None: all
    origin: str
    order: Order = in_order

    def names(self, found: Sequence[str]) -> list[str]:
        """What is wanted of what there is. Raises Permanent that names what is missing, and what there is."""
        names = list(found if self.columns is None else self.columns)
        if missing := [name for name in names if name not in set(found)]:
            there = ", ".join(map(repr, found[:20])) + (" …" if len(found) > 20 else "") if found else "none"
            raise Permanent(f"{self.path}: no column or series {', '.join(map(repr, missing))}; it has {there}")
        return names

    def one(self, at: Float64s, value: Float64s) -> Series:
        """The rows of one series."""
        return Series(*self.order(at, value, self.path), self.origin)

    def split(
        self, code: NDArray[np.generic], at: Float64s, value: Float64s, codes: dict[str, int]
    ) -> dict[str, Series]:
        """The rows of many series, each with the code of its name; rows keep their order within a series."""
        names = self.names(list(codes))
        if len(code) > MEMORY_ROWS:
            raise Permanent(f"{self.path}: {len(code)} rows in long form are too many; expected a column per series")
        sorted_ = np.argsort(code, kind="stable")
        wanted = np.array([codes[name] for name in names])
        begins = np.searchsorted(code, wanted, "left", sorter=sorted_).tolist()
        ends = np.searchsorted(code, wanted, "right", sorter=sorted_).tolist()
        return {
            name: self.one(at[sorted_[begin:end]], value[sorted_[begin:end]])
            for name, begin, end in zip(names, begins, ends, strict=True)
        }


def _blocks(length: int) -> Iterator[slice]:
    """Slices that overlap by one row, so that every pair of neighbours is inside one of them."""
    for start in range(0, length, MEMORY_ROWS):
        yield slice(max(start - 1, 0), start + MEMORY_ROWS)


class Ragged:
    """Many series end to end, searched together: n binary searches in log2(longest) steps of whole arrays."""

    def __init__(self, series: Sequence[Series]) -> None:
        lengths = np.array([len(one) for one in series], np.int64)
        self._end: Int64s = np.cumsum(lengths)
        self._begin: Int64s = self._end - lengths
        # One series alone is not copied: it may be a memory map larger than the machine's memory.
        self._at: Float64s = _joined([one.at for one in series])
        self._value: Float64s = _joined([one.value for one in series])

    def newest(self, times: Float64s) -> tuple[Float64s, Float64s]:
        """([n] times, [n] values) of the last row at or before `times[n]` of each series; NaN before the first row."""
        low, high = self._begin.copy(), self._end.copy()
        while (open_ := low < high).any():
            middle = (low + high) // 2
            right = open_ & (self._at[np.minimum(middle, len(self._at) - 1)] <= times)
            low = np.where(right, middle + 1, low)
            high = np.where(open_ & ~right, middle, high)
        row = low - 1
        found = row >= self._begin
        at, value = np.full(len(row), np.nan), np.full(len(row), np.nan)
        at[found], value[found] = self._at[row[found]], self._value[row[found]]
        return at, value


def _joined(parts: list[Float64s]) -> Float64s:
    if len(parts) == 1:
        return parts[0]
    return np.concatenate(parts) if parts else np.empty(0)
