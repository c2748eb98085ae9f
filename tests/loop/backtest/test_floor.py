"""Loads that are hard to meet: whatever the forecast says, nothing lies below what the metrics alone would have."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.loop.backtest import made

from podium.loop.backtest.contender import Ahead, Limits, document, parse, table
from podium.loop.backtest.foresee import Foreseen, foresee
from podium.loop.simulate import REPLICA, simulate

MINUTE = np.arange(2000)
NOON = 1720
SHAPES = {
    "step": np.where(MINUTE < NOON, 10.0, 100.0),
    "square wave at the lead time": np.where(MINUTE // 2 % 2 == 0, 40.0, 10.0),
    "ramp": 10.0 * (1 + 4 * np.clip((MINUTE - NOON) / 30, 0, 1)),
    "sawtooth at the stabilisation window": 10 + 7.5 * (MINUTE % 5),
    "single spike": np.where(MINUTE == NOON, 100.0, 10.0),
    "silent for an hour": np.where((MINUTE >= NOON) & (MINUTE < NOON + 60), np.nan, 25.0 + MINUTE % 7),
    "the clocks change": 25 - 15 * np.cos(2 * np.pi * (MINUTE + 60 * (MINUTE >= NOON)) / 1440),
    "six times what any day had": np.where(MINUTE < NOON, 1.0, 6.0) * (25 - 15 * np.cos(2 * np.pi * MINUTE / 1440)),
}


def ordered(loads: NDArray[np.float64], foreseen: Foreseen, size: int) -> NDArray[np.int32]:
    """[t, n] the replicas of Podium under `loads` with what is foreseen."""
    documents = [document(parse("podium", 0.001), number, Limits(), 120.0) for number in range(size)]
    decide = Ahead(table(documents), foreseen, np.zeros(size, np.int64), np.arange(size))
    return simulate(loads, made.MONDAY * 60.0, decide, np.full(size, 120.0), pods=True).ordered


def reactive(load: NDArray[np.float64]) -> NDArray[np.float64]:
    """What the load of each minute and of the five before it needs, as an HPA would hold it."""
    needed = np.ceil(np.pad(np.nan_to_num(load), (5, 0)) - 1e-9)
    return np.lib.stride_tricks.sliding_window_view(needed, 6).max(axis=1)


def test_nothing_lies_below_what_the_load_of_the_last_five_minutes_needs() -> None:
    loads = np.column_stack([load * REPLICA for load in SHAPES.values()])
    size = loads.shape[1]
    lead, risk, since = np.full(size, 120.0), np.full(size, 0.001), np.zeros(size, np.int64)
    ours = ordered(loads, foresee(loads, made.MONDAY, lead, risk, since, made.memory), size)
    for number, (name, load) in enumerate(SHAPES.items()):
        assert (ours[:, number] >= reactive(load)).all(), name


@pytest.mark.slow
@pytest.mark.parametrize("name", ["step", "six times what any day had"])
def test_what_nobody_foresaw_is_followed_within_the_lead_time_and_some_minutes(name: str) -> None:
    loads = SHAPES[name][:, None] * REPLICA
    since = np.zeros(1, np.int64)
    foreseen = foresee(loads, made.MONDAY, np.full(1, 120.0), np.full(1, 0.001), since, made.memory)
    replicas = ordered(loads, foreseen, 1)[:, 0]
    assert (replicas[NOON + 5 :] >= np.ceil(SHAPES[name][NOON + 5 :] - 1e-6)).all()
