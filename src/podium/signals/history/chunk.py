"""One chunk: the values of a block of workloads over one window, a row each, as 4-byte floats.

Rows lie one after the other, byte-shuffled and compressed (`podium.ledger.columns`): measured values take 2 to 3 bytes
a sample, counts and what hardly changes less than one. Seven digits are kept.
"""

from __future__ import annotations

import dataclasses

import numpy as np
from numpy.typing import NDArray

from podium.ledger.columns import pack, unpack
from podium.model.arrays import Int64s

BLOCK = 256  # workloads in a chunk: reading one of them unpacks 30 kB for each half hour

Float32s = NDArray[np.float32]


@dataclasses.dataclass(frozen=True, slots=True)
class Chunk:
    """Values [BLOCK, t] at rising times [t] (Unix microseconds); NaN: unknown, or nobody has that row."""

    at_us: Int64s
    value: Float32s

    @property
    def samples(self) -> int:
        """How many values are known."""
        return int(np.count_nonzero(~np.isnan(self.value)))

    def packed(self) -> bytes:
        """As it is stored."""
        return pack({}, {"at_us": self.at_us, "value": self.value})

    def merged(self, newer: Chunk) -> Chunk:
        """Both together; where both know a value, the newer one's counts."""
        at_us = np.union1d(self.at_us, newer.at_us)
        value = np.full((BLOCK, len(at_us)), np.nan, np.float32)
        value[:, np.searchsorted(at_us, self.at_us)] = self.value
        places = np.searchsorted(at_us, newer.at_us)
        value[:, places] = np.where(np.isnan(newer.value), value[:, places], newer.value)
        return Chunk(at_us, value)


def unpacked(payload: bytes) -> Chunk:
    """The chunk that was packed. Raises ValueError when it is damaged."""
    _, columns = unpack(payload)
    try:
        at_us, value = columns["at_us"], columns["value"]
    except KeyError as error:
        raise ValueError(f"the chunk has no column {error}; it is corrupt") from error
    if value.shape != (BLOCK, len(at_us)):
        raise ValueError(f"the chunk holds {value.shape} values at {len(at_us)} times; it is corrupt")
    return Chunk(at_us.astype(np.int64), value.astype(np.float32))
