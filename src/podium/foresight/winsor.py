"""Bounds what one reading may teach: a single 1e9 among hundreds is taken for a few times the recent peak.

A value is believed up to `TIMES` x the larger of the recent peak and the reading before it. So one absurd reading
is cut down (peak 100: 1e9 is learned as 500), while a real surge is believed whole from its second reading on.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Field, Memory
from podium.model.arrays import Float32s

TIMES = np.float32(5)
PEAK_MEMORY_SECONDS = 86_400.0  # the recent peak fades by 1/e a day: yesterday's rush hour is no surprise today
FIELDS = {"peak": Field(), "before": Field()}


def bounded(memory: Memory, values: Float32s, step_seconds: float) -> Float32s:
    """[n] `values` as far as they are believed; NaN stays NaN. Remembers them. Infinite values are unknown."""
    peak, before = memory["peak"], memory["before"]
    raw = np.where(np.isfinite(values), values, np.float32(np.nan))
    size = np.abs(raw)
    bound = TIMES * np.fmax(peak, before)
    out = np.fmin(np.fmax(raw, -bound), bound)
    out[np.isnan(raw)] = np.nan
    fade = np.float32(1 - min(step_seconds / PEAK_MEMORY_SECONDS, 1.0))
    np.fmax(peak * fade, np.abs(out), out=peak)
    np.copyto(before, size, where=size == size)  # noqa: PLR0124  (false for NaN alone)
    return out
