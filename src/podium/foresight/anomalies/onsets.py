"""The moments worth waking somebody: the first rows of what is surprising, not all of them.

After an onset the next 100 rows must surprise by more: by STEP, fading to nothing at their end. And who is woken often
gets used to it: each onset raises the bar by its own height x HABIT, which halves within HABIT_ROWS.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float64s

FLOOR = 1.0  # less is nothing
REST_ROWS = 100
STEP = 0.7
HABIT = 0.3
HABIT_ROWS = 2_000.0
MOST_HABIT = 2.0  # that one onset adds, however high it is
FIELDS = {
    "last": Field((), -1, np.int64),
    "height": Field((), 0.0, np.float64),
    "habit": Field((), 0.0, np.float64),
}


def onsets(memory: Memory, row: int, surprise: Float64s) -> Float64s:
    """[rows, n] the height of each onset above the bar, FLOOR or less: none. `row` is the number of the first."""
    out = np.zeros(surprise.shape)
    last, height, habit = (memory[name] for name in FIELDS)
    for ahead, slot in np.argwhere(surprise > FLOOR).tolist():
        now, value = row + ahead, float(surprise[ahead, slot])
        before, used = int(last[slot]), 0.0
        age = now - before
        if before >= 0:
            used = float(habit[slot]) / (1.0 + age / HABIT_ROWS)
            value -= HABIT * used
            if value <= FLOOR:
                continue
        resting = before >= 0 and age < REST_ROWS
        if resting and value <= float(height[slot]) + STEP * (1.0 - age / REST_ROWS):
            continue
        out[ahead, slot] = value
        habit[slot] = used if resting else used + min(value - FLOOR, MOST_HABIT)
        last[slot], height[slot] = now, value
    return out
