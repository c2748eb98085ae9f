"""How wrong forecasts tend to be at this half hour of the day, against the slot's usual error.

One number per half hour serves all horizons: the mean, over the outcomes of about ten days that fell into it, of error
/ usual error. A quiet night narrows the band and the morning rush widens it before the first error of the day is made.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float32s, Int64s

DAY_SECONDS = 86_400.0
PARTS = 48
PART_SECONDS = DAY_SECONDS / PARTS
DAYS = 10.0  # after which an outcome weighs 1/e
DOUBT_SECONDS = 1_800.0  # outcomes of so long at the usual error stand at the beginning
LARGEST = np.float32(10)  # times the usual error: one burst does not make an hour of bursts
SMALLEST = np.float32(0.05)
FIELDS = {
    "apart": Field((PARTS,), 1.0),
    "seen": Field((PARTS,), 0.0, np.float16),  # stays at 2,048, long after it stopped to matter
}


def part(step: Int64s | int, step_seconds: float) -> Int64s:
    """The half hour of the day that each step ends in."""
    # A step that ends at midnight belongs to the last half hour of the day before.
    return np.asarray(np.ceil(np.asarray(step) * step_seconds / PART_SECONDS - 1e-9) - 1).astype(np.int64) % PARTS


def learn(memory: Memory, step: int, errors: Float32s, usual: Float32s, step_seconds: float) -> None:
    """Take in [k, n] errors of forecasts for `step`, and the usual size [k, n] of each; NaN teaches nothing."""
    known = ~np.isnan(errors) & (usual > 0)
    relative = np.divide(np.abs(errors), usual, out=np.zeros_like(errors), where=known)
    count = known.sum(axis=0)
    mean = relative.sum(axis=0) / np.maximum(count, 1).astype(np.float32)
    row = int(part(step, step_seconds))
    apart, seen = memory["apart"][row], memory["seen"][row]
    seen += count > 0
    doubt = np.float32(DOUBT_SECONDS / step_seconds)
    weight = np.maximum(np.float32(step_seconds / (PART_SECONDS * DAYS)), 1 / (seen + doubt))
    np.add(apart, weight * (np.minimum(mean, LARGEST) - apart), out=apart, where=count > 0)


def factor(memory: Memory, steps: Int64s, step_seconds: float) -> Float32s:
    """[k, n] what to multiply the scale of an error at each of these steps by."""
    return np.asarray(np.sqrt(np.maximum(memory["apart"][part(steps, step_seconds)], SMALLEST)))
