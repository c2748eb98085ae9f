"""What is not stored yet: the rows of one window in memory, a row per moment and signal over the whole fleet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

import numpy as np

from podium.model.arrays import Float64s, Int64s
from podium.model.clock import microseconds
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.signals.history.chunk import BLOCK, Chunk, Float32s

Places: TypeAlias = dict[int, tuple[Int64s, Int64s]]  # of each fleet: [k] slots with a workload, [k] the workload's id


class Window:
    """Rows as they come, in any order of time; 100,000 workloads with three signals take 1.2 MB a row."""

    def __init__(self, begin_us: int) -> None:
        self.begin_us = begin_us
        self._rows: dict[int, tuple[Fleet, dict[str, Float32s]]] = {}  # by time

    def add(self, now: float, fleet: Fleet, values: Mapping[str, Float64s]) -> None:
        """The values at one moment, a row per slot."""
        with np.errstate(over="ignore"):  # what four bytes cannot hold becomes infinite, and is left out when read
            row = {signal: value.astype(np.float32) for signal, value in values.items()}
        self._rows[microseconds(now)] = (fleet, row)

    def absorb(self, other: Window) -> None:
        """The rows of another window of the same time that this one has not."""
        self._rows = other._rows | self._rows

    def places(self, ids_of: Callable[[list[str]], Mapping[str, int]]) -> Places:
        """Which slots of each fleet have a workload, and its id, asked for by the workloads' keys."""
        fleets = {id(fleet): fleet for fleet, _ in self._rows.values()}
        keys = {number: list(map(str, fleet.index)) for number, fleet in fleets.items()}
        ids = ids_of([key for some in keys.values() for key in some])
        return {
            number: (
                np.fromiter(fleet.index.values(), np.int64, len(fleet.index)),
                np.fromiter(map(ids.__getitem__, keys[number]), np.int64, len(fleet.index)),
            )
            for number, fleet in fleets.items()
        }

    def signals(self) -> list[str]:
        """Every signal of any row."""
        return sorted({signal for _, row in self._rows.values() for signal in row})

    def chunks(self, signal: str, places: Places) -> Iterator[tuple[int, Chunk]]:
        """(block, its chunk) for every block of ids that has values."""
        rows = sorted((at_us, id(fleet), row[signal]) for at_us, (fleet, row) in self._rows.items() if signal in row)
        at_us: Int64s = np.array([at for at, _, _ in rows], np.int64)
        blocks = np.unique(np.concatenate([numbers // BLOCK for _, numbers in places.values()]))
        value = np.full((len(blocks) * BLOCK, len(rows)), np.nan, np.float32)
        for column, (_, fleet, row) in enumerate(rows):
            slots, numbers = places[fleet]
            value[np.searchsorted(blocks, numbers // BLOCK) * BLOCK + numbers % BLOCK, column] = row[slots]
        for place, block in enumerate(blocks.tolist()):
            mine = value[place * BLOCK : (place + 1) * BLOCK]
            known = ~np.isnan(mine).all(axis=0)
            if known.any():
                yield block, Chunk(at_us[known], np.ascontiguousarray(mine[:, known]))

    def series(self, signal: str, key: WorkloadKey) -> tuple[Float64s, Float64s]:
        """The times and values of one workload that are here."""
        found = sorted(
            (at_us / 1e6, float(row[signal][slot]))
            for at_us, (fleet, row) in list(self._rows.items())
            if signal in row and (slot := fleet.index.get(key)) is not None
        )
        return np.array([at for at, _ in found]), np.array([value for _, value in found])
