"""What is not stored yet: the rows of one window in memory, a row per moment and signal over the whole fleet."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from podium.model.arrays import Float64s, Int64s
from podium.model.clock import microseconds
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.signals.history.chunk import BLOCK, Chunk, Float32s


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

    def fleets(self) -> list[Fleet]:
        """Every fleet that the rows are of."""
        return list({id(fleet): fleet for fleet, _ in self._rows.values()}.values())

    def signals(self) -> list[str]:
        """Every signal of any row."""
        return sorted({signal for _, row in self._rows.values() for signal in row})

    def chunks(self, signal: str, ids: Mapping[str, int]) -> Iterator[tuple[int, Chunk]]:
        """(block, its chunk) for every block of `ids` that has values. A block is full, or mostly, but for the last."""
        rows = sorted((at_us, fleet, row[signal]) for at_us, (fleet, row) in self._rows.items() if signal in row)
        places = {id(fleet): _places(fleet, ids) for _, fleet, _ in rows}
        at_us: Int64s = np.array([at for at, _, _ in rows], np.int64)
        blocks = np.unique(np.concatenate([numbers // BLOCK for _, numbers in places.values()]))
        value = np.full((len(blocks), BLOCK, len(rows)), np.nan, np.float32)
        for column, (_, fleet, row) in enumerate(rows):
            slots, numbers = places[id(fleet)]
            value[np.searchsorted(blocks, numbers // BLOCK), numbers % BLOCK, column] = row[slots]
        for place, block in enumerate(blocks.tolist()):
            known = ~np.isnan(value[place]).all(axis=0)
            if known.any():
                yield block, Chunk(at_us[known], np.ascontiguousarray(value[place][:, known]))

    def series(self, signal: str, key: WorkloadKey) -> tuple[Float64s, Float64s]:
        """The times and values of one workload that are here."""
        found = sorted(
            (at_us / 1e6, float(row[signal][slot]))
            for at_us, (fleet, row) in list(self._rows.items())
            if signal in row and (slot := fleet.index.get(key)) is not None
        )
        return np.array([at for at, _ in found]), np.array([value for _, value in found])


def _places(fleet: Fleet, ids: Mapping[str, int]) -> tuple[Int64s, Int64s]:
    """([k] slots with a workload, [k] its id)."""
    slots = np.fromiter(fleet.index.values(), np.int64, len(fleet.index))
    return slots, np.fromiter((ids[str(key)] for key in fleet.index), np.int64, len(fleet.index))
