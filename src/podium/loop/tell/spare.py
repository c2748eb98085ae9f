"""The burst reserve of one workload in words: the replicas for what nobody could foresee, and their price."""

from __future__ import annotations

import math

import numpy as np

from podium.loop.policy import ScalingPolicySpec
from podium.loop.prices.price import MICRO, Price
from podium.loop.remember.record import Turn
from podium.loop.reserve import reserve
from podium.loop.tell.beside import rates
from podium.loop.tell.words import number
from podium.model.arrays import UNKNOWN


def told(turn: Turn, spec: ScalingPolicySpec, slot: int, price: Price | None) -> str | None:
    """`3 of 14 replicas, for what nobody could foresee: loads from 900 to 1190`.

    None where no forecast has a say, or what it expected was not recorded.
    """
    forecast, given = turn.forecast, int(turn.decisions.replicas[slot])
    if spec.load is None or not spec.forecast.enabled or not len(forecast.floor) or not len(forecast.expected):
        return None
    floor, expected = float(forecast.floor[slot]), float(forecast.expected[slot])
    level = turn.snapshot.signals.get(spec.load.signal)
    load = math.nan if level is None else float(level.value[slot])
    one = (
        np.array([given]),
        np.array([floor]),
        np.array([expected]),
        np.array([load]),
        np.array([_capacity(turn, spec, slot)]),
    )
    spare = int(reserve(*one)[0])
    if spare == UNKNOWN:
        return None
    if not spare:
        return f"none of {given} replicas"
    foreseen = max(expected, load) if not math.isnan(load) else expected
    words = (
        f"{spare} of {given} replicas, for what nobody could foresee: loads from {number(foreseen)} to {number(floor)}"
    )
    rate = int(rates(turn.snapshot.pods, len(turn.ready), price)[slot]) if price is not None else UNKNOWN
    return (
        words if price is None or rate == UNKNOWN else f"{words}; {spare * rate / MICRO:.2f} {price.currency} an hour"
    )


def _capacity(turn: Turn, spec: ScalingPolicySpec, slot: int) -> float:
    """What a replica serves: as it is written, else as it was learned; NaN: not known."""
    if spec.load is not None and spec.load.capacity_per_replica is not None:
        return spec.load.capacity_per_replica
    row = int(np.searchsorted(turn.learned.slots, slot))
    there = row < len(turn.learned.slots) and turn.learned.slots[row] == slot
    return float(turn.learned.used[row]) if there else math.nan
