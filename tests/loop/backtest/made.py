"""Small made loads, and back-tests of them."""

from __future__ import annotations

import math

import numpy as np

from podium.foresight import installed
from podium.foresight.calibration import Calibration
from podium.foresight.outlook import Outlook
from podium.loop.backtest.contender import parse
from podium.loop.backtest.run import Case, Field, Ran, Rules, backtest
from podium.loop.backtest.trace import DAY, Trace
from podium.loop.remember.memory import Memory
from podium.model.arrays import Float64s

MONDAY = 20_000 * DAY  # a minute


def memory() -> Memory:
    """Nothing learned; the cheapest forecaster."""
    return Memory.empty(Outlook(installed.load("last-value")(60.0, 0), Calibration(), 0))


def waves(days: int, *, seed: int = 1, highest: float = 900.0) -> Float64s:
    """A day's rhythm with noise, per minute."""
    minutes = np.arange(days * DAY)
    noise = np.random.default_rng(seed).normal(1, 0.05, len(minutes))
    return np.maximum((0.55 - 0.45 * np.cos(minutes * 2 * math.pi / DAY)) * highest * noise, 0)


def case(load: Float64s, *, capacity: float = 30.0, startup: float = 120.0, first: int = MONDAY) -> Case:
    """A load as a case."""
    return Case(Trace("made", first, load), capacity, startup)


def ran(cases: list[Case], *names: str, history_minutes: int = DAY) -> list[Ran]:
    """The back-test of some policies."""
    field = Field(cases, Rules(history_minutes))
    return list(backtest(field, [parse(name, 0.001) for name in names], memory))
