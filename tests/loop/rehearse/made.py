"""Small rehearsals of made loads, with the cheapest forecaster."""

from __future__ import annotations

import math

import numpy as np

from podium.loop.rehearse.rehearsal import Said, Wanted, rehearse
from podium.loop.rehearse.steps import Steps
from podium.loop.remember.anew import new_outlook
from podium.model.arrays import Float64s

DAY = 288  # steps of five minutes
FIRST = 5_934_240  # a midnight


def waves(days: int, seed: int = 1) -> Float64s:
    """A day's rhythm with noise."""
    steps = np.arange(days * DAY)
    noise = np.random.default_rng(seed).normal(1, 0.03, len(steps))
    return (500 - 380 * np.cos(steps * 2 * math.pi / DAY)) * noise


def on_steps(load: Float64s) -> Steps:
    """A load in steps of five minutes."""
    return Steps("web", 300.0, FIRST, load)


def said(load: Float64s, origins: int = 12, forecaster: str = "last-value", horizon: float = 1800.0) -> Said:
    """What was said of it."""
    wanted = Wanted(horizon, 300.0, origins)
    return rehearse(on_steps(load), wanted, new_outlook(forecaster, 300.0, 1))
