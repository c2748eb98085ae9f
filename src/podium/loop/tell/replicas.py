"""What one replica serves, where that is learned: its numbers and a sentence."""

from __future__ import annotations

import math

import numpy as np

from podium.loop.capacity.asked import cpu_target
from podium.loop.policy import ScalingPolicySpec
from podium.loop.tell import words
from podium.loop.tell.figures import Capacity
from podium.model import clock
from podium.model.capacity import Basis, Learned


def learned(told: Learned, slot: int, spec: ScalingPolicySpec | None, unit: str) -> Capacity | None:
    """What is known of one slot; None: nothing is learned of it."""
    row = int(np.searchsorted(told.slots, slot))
    if spec is None or row >= len(told.slots) or told.slots[row] != slot:
        return None
    estimate, margin, reached = (float(one[row]) for one in (told.estimate, told.margin, told.reached))
    basis, seconds = Basis(int(told.basis[row])), float(told.seconds[row])
    return Capacity(
        estimate=_known(estimate),
        margin=_known(margin),
        basis=basis.name.lower(),
        reached=_known(reached),
        measured_seconds=seconds,
        words=_sentence(float(told.used[row]), estimate, margin, seconds, _at(basis, reached, spec), unit),
    )


def _sentence(used: float, estimate: float, margin: float, seconds: float, at: str, unit: str) -> str:
    source = f"{words.spent(seconds)} of {at}"
    if math.isnan(used):
        return f"not known yet what a replica serves, after {source}"
    per = "/s" if unit == "per_second" else ""
    if math.isnan(estimate):
        return f"a replica is taken to serve {words.number(used)}{per}, less than before: its CPU per load has changed"
    counted = f"counted on are {words.number(used)}{per}"
    return f"a replica serves {words.at_least(estimate, margin)}{per}, learned from {source}; {counted}"


def _at(basis: Basis, reached: float, spec: ScalingPolicySpec) -> str:
    """`CPU at up to 71 %`, `latency at up to 180ms of 250ms`."""
    unknown = math.isnan(reached)
    match basis:
        case Basis.CPU:
            target = cpu_target(spec) or math.nan
            return "CPU" if unknown else f"CPU at up to {100 * reached * target:.0f} % of the request"
        case Basis.LATENCY if spec.objective.latency is not None:
            below = spec.objective.latency.below
            told = f"latency at up to {clock.duration(min(reached, 1.0) * below)} of {clock.duration(below)}"
            return "latency" if unknown else told
        case _:
            return "saturation" if unknown else f"saturation at up to {100 * min(reached, 1.0):.0f} % of its bound"


def _known(value: float) -> float | None:
    return value if math.isfinite(value) else None
