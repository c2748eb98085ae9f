"""The recent past of the fleet for charts: every turn of the last hours, and behind them a coarser day or week.

Both are rings of rows over n slots, float32, NaN where unknown. Their memory is bounded: 10,000 workloads keep each
turn for 50 minutes and one row in 11 minutes for a day; 100 workloads keep each turn for a day, and minutes for a week.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import Float32s, Float64s, Int64s

HOLE = 3.0  # usual intervals without a turn
FINE_BYTES = 64 * 2**20
COARSE_BYTES = 48 * 2**20
MOST_TURNS = 5760  # a day at the usual pace
COARSE_SECONDS = 86400.0  # that the coarse ring reaches back at least, unless its memory holds fewer than …
FEWEST_BUCKETS = 24  # … so many rows
SHORTEST_BUCKET = 60.0
MOST_BUCKETS = 10_080  # a week of minutes
FIELDS = ("load", "replicas", "ready", "wanted", "capacity", "expected", "lead", "hpa")
_LOAD = FIELDS.index("load")


class Ring:
    """`depth` rows of moments; a row is [fields, n]."""

    def __init__(self, depth: int, fields: int, size: int) -> None:
        self.at = np.full(depth, np.nan)
        self.rows: Float32s = np.full((depth, fields, size), np.nan, np.float32)
        self._count = 0
        self._newest = 0

    @property
    def size(self) -> int:
        """How many slots a row has."""
        return int(self.rows.shape[2])

    @property
    def full(self) -> bool:
        """One more row would take the place of the oldest."""
        return self._count >= len(self.at)

    @property
    def oldest(self) -> float:
        """The first moment that is remembered; infinite when there is none."""
        return float(np.nanmin(self.at)) if self._count else np.inf

    @property
    def last(self) -> float:
        """The newest moment; NaN when there is none."""
        return float(self.at[self._newest])

    def add(self, at: float, columns: Sequence[NDArray[np.generic]]) -> Float32s:
        """One more row of a value per field and slot, over the oldest when the ring is full. Returns it."""
        place = int(np.argmin(self.at)) if self.full else self._count
        row: Float32s = self.rows[place]
        for target, column in zip(row, columns, strict=True):
            target[: len(column)] = column
        self.at[place] = at
        self._count += 1
        if not at < self.last:
            self._newest = place
        return row

    def newest(self) -> Float32s:
        """The newest row, to be changed in place."""
        row: Float32s = self.rows[self._newest]
        return row

    def between(self, since: float, until: float, slot: int) -> tuple[Float64s, Float64s]:
        """Moments [t] in order, and one slot's values [t, fields]."""
        order = np.argsort(self.at)  # NaN last
        order = order[(self.at[order] >= since) & (self.at[order] <= until)]
        if not len(order) or slot >= self.size:
            return np.empty(0), np.empty((0, self.rows.shape[1]))
        return self.at[order], self.rows[order, :, slot].astype(np.float64)

    def resized(self, depth: int, size: int) -> Ring:
        """The same past for another number of slots; the newest rows where there is no room for all."""
        out = Ring(depth, self.rows.shape[1], size)
        shared = min(size, self.size)
        order = np.argsort(self.at)[: np.count_nonzero(~np.isnan(self.at))][-depth:]
        for place in order.tolist():
            out.add(float(self.at[place]), tuple(self.rows[place, :, :shared]))  # in the order of time
        return out

    def forget(self, slots: Int64s) -> None:
        """These slots belong to other workloads now."""
        self.rows[:, :, slots] = np.nan


class Recent:
    """Turns as rows of FIELDS, for n slots."""

    def __init__(self) -> None:
        self._size = 0
        self._fine, self._coarse, self.bucket_seconds = _rings(0)

    def adopt(self, size: int, changed: Int64s) -> None:
        """A fleet of `size` slots from now on, of which `changed` belong to other workloads than before."""
        if size != self._size:
            fine, coarse, self.bucket_seconds = _rings(size)
            self._fine = self._fine.resized(len(fine.at), size)
            self._coarse = self._coarse.resized(len(coarse.at), size)
            self._size = size
        if len(changed):
            self._fine.forget(changed)
            self._coarse.forget(changed)

    def add(self, at: float, columns: Sequence[NDArray[np.generic]]) -> None:
        """Remember one turn: for each of FIELDS a value per slot."""
        row = self._fine.add(at, columns)
        bucket = at // self.bucket_seconds * self.bucket_seconds
        if self._coarse.last == bucket:
            _merge(self._coarse.newest(), row)
        else:
            self._coarse.add(bucket, (*row, row[_LOAD]))

    @property
    def oldest(self) -> float:
        """The first moment that anything is known of; infinite when nothing is."""
        return min(self._fine.oldest, self._coarse.oldest)

    @property
    def full(self) -> bool:
        """There is no room for an older past than is known."""
        return self._coarse.full

    def fill(self, at: float, columns: Sequence[NDArray[np.generic]]) -> None:
        """Remember one moment of a past before everything known: a recorded turn that stands for its bucket."""
        self._coarse.add(at // self.bucket_seconds * self.bucket_seconds, (*columns, columns[_LOAD]))

    def loads(self, slots: list[int], since: float, until: float) -> tuple[Float64s, Float64s]:
        """Several slots' loads within a span, each turn while turns are known: moments [t], and loads [t, slots]."""
        order = np.argsort(self._fine.at)
        order = order[(self._fine.at[order] >= since) & (self._fine.at[order] <= until)]
        return self._fine.at[order], self._fine.rows[order[:, None], _LOAD, np.array(slots, np.int64)[None, :]].astype(
            np.float64
        )

    def since(self, slot: int, since: float, until: float) -> tuple[Float64s, dict[str, Float64s]]:
        """One slot within a span: moments [t], and a column [t] for each of FIELDS."""
        at, values = self._fine.between(since, until, slot)
        begin = min(self._fine.oldest, until)
        old_at, old = self._coarse.between(since, np.nextafter(begin, -np.inf), slot)
        usual = float(np.median(np.diff(at))) if len(at) > 1 else np.inf
        at, values = _holed(at, values, usual)
        if len(old_at):
            old_at, old = _holed(old_at, old, self.bucket_seconds)
            old_at, old = _unfolded(old_at, old, self.bucket_seconds)
            early = old_at < begin
            at, values = np.concatenate([old_at[early], at]), np.concatenate([old[early], values])
        return at, {name: values[:, number] for number, name in enumerate(FIELDS)}


def _rings(size: int) -> tuple[Ring, Ring, float]:
    row = 4 * len(FIELDS) * max(size, 1)
    depth = min(MOST_TURNS, max(2, FINE_BYTES // row))
    buckets = min(MOST_BUCKETS, max(FEWEST_BUCKETS, COARSE_BYTES // (row + 4 * max(size, 1))))
    seconds = max(SHORTEST_BUCKET, np.ceil(COARSE_SECONDS / buckets / 60.0) * 60.0)
    return Ring(depth, len(FIELDS), size), Ring(buckets, len(FIELDS) + 1, size), float(seconds)


def _merge(bucket: Float32s, row: Float32s) -> None:
    """Counts are the last of their bucket, ready and capacity the least; the load has its lowest and its highest."""
    lowest, highest = np.fmin(bucket[_LOAD], row[_LOAD]), np.fmax(bucket[-1], row[_LOAD])
    least = {name: np.fmin(bucket[FIELDS.index(name)], row[FIELDS.index(name)]) for name in ("ready", "capacity")}
    bucket[:-1] = row
    bucket[_LOAD], bucket[-1] = lowest, highest
    for name, values in least.items():
        bucket[FIELDS.index(name)] = values


def _holed(at: Float64s, values: Float64s, usual: float) -> tuple[Float64s, Float64s]:
    """Where the loop did not run, an empty row keeps the line from bridging the time that nobody saw."""
    holes = np.flatnonzero(np.diff(at) > HOLE * usual)
    if not len(holes):
        return at, values
    return np.insert(at, holes + 1, at[holes] + usual), np.insert(values, holes + 1, np.nan, axis=0)


def _unfolded(at: Float64s, values: Float64s, bucket_seconds: float) -> tuple[Float64s, Float64s]:
    """Two rows for every bucket: the lowest load at its beginning, the highest in its middle."""
    twice = np.repeat(values[:, :-1], 2, axis=0)
    twice[1::2, _LOAD] = values[:, -1]
    return np.repeat(at, 2) + np.tile([0.0, bucket_seconds / 2], len(at)), twice


def thin(at: Float64s, columns: dict[str, Float64s], points: int) -> Int64s:
    """Which at most `points` of t moments to keep, so that no peak is lost: rising indices.

    The time is cut into stretches with as many moments each; of every stretch stay the lowest and the highest load, and
    the lowest and the highest number of ready replicas. Rows nobody saw stay as well, while there is room.
    """
    count = len(at)
    if count <= points:
        return np.arange(count)
    stretches = np.array_split(np.arange(count), max(points // 5, 1))
    kept: set[int] = set()
    for stretch in stretches:
        for name in ("load", "ready"):
            values = columns[name][stretch]
            if not np.isnan(values).all():
                kept |= {int(stretch[np.nanargmin(values)]), int(stretch[np.nanargmax(values)])}
        unseen = stretch[np.isnan(columns["replicas"][stretch]) & np.isnan(columns["load"][stretch])]
        kept |= set(unseen[:1].tolist())
    return np.array(sorted(kept), np.int64)
