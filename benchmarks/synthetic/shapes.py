"""Loads of our own making: nine days of minutes, of which the last two hold what is to be met.

A replica serves 1. On ordinary days the load follows a day between 10 and 40 replicas with three per cent of noise.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Load = NDArray[np.float64]
DAY = 1440
DAYS = 9
EVENT = 7 * DAY + 12 * 60  # noon of the eighth day


def shapes(lead_minutes: int) -> dict[str, Load]:
    """Name -> load per minute. NaN: the source says nothing."""
    minute = np.arange(DAYS * DAY)
    usual = ordinary(minute)
    after = minute >= EVENT
    square = np.where((minute // lead_minutes) % 2 == 0, 40.0, 10.0)
    saw = 10 + 30 * (minute % 5) / 4
    spike = minute == EVENT
    silent = (minute >= EVENT) & (minute < EVENT + 60)
    sale = (minute >= 8 * DAY) & (minute < 9 * DAY)
    flat = noise(minute, 25.0)
    return {
        "an ordinary day": usual,
        "step x10": np.where(after, 10 * flat, flat),
        "square wave at the lead time": square,
        "ramp x5 in half an hour": flat * (1 + 4 * np.clip((minute - EVENT) / 30, 0, 1)),
        "sawtooth at the stabilisation window": saw,
        "single spike x10": np.where(spike, 10 * flat, flat),
        "source silent for an hour": np.where(silent, np.nan, usual),
        "daylight saving: an hour earlier": np.where(minute >= 7 * DAY, ordinary(minute + 60), usual),
        "a Black Friday without precedent (x6)": np.where(sale, 6 * usual, usual),
    }


def ordinary(minute: NDArray[np.int64]) -> Load:
    """A day as the days before."""
    return noise(minute, 25 - 15 * np.cos(2 * np.pi * minute / DAY))


def noise(minute: NDArray[np.int64], mean: float | Load) -> Load:
    """Three per cent of log-normal noise, the same at every call."""
    return np.asarray(mean * np.exp(0.03 * np.random.default_rng(1).standard_normal(len(minute))))
