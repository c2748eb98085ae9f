"""What one replica serves, as it was learned: a recorded input of decisions, as forecasts are."""

from __future__ import annotations

import dataclasses
import enum

import numpy as np
from numpy.typing import NDArray

from podium.model.arrays import Float32s, Float64s, Int32s


class Basis(enum.IntEnum):
    """What tells that a replica is full."""

    CPU = 0
    LATENCY = 1
    SATURATION = 2


@dataclasses.dataclass(frozen=True, slots=True)
class Learned:
    """The load that a replica serves in m slots whose policies leave that to be learned."""

    slots: Int32s  # [m] rising
    used: Float64s  # [m] what is decided with: the lower end of the estimate; NaN: not known yet
    estimate: Float32s  # [m] NaN: no idea
    margin: Float32s  # [m] half the width of what the estimate may be off by
    seconds: Float32s  # [m] of measurements behind it
    reached: Float32s  # [m] the highest share of the limit (CPU target, latency bound) that was seen served well
    basis: NDArray[np.int8]  # [m] Basis


def nothing_learned() -> Learned:
    """Nobody leaves a capacity to be learned."""
    few = np.empty(0, np.float32)
    return Learned(np.empty(0, np.int32), np.empty(0), few, few, few, few, np.empty(0, np.int8))
