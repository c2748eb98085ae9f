"""Days like today: the days before, each weighted by how closely its last hours resembled those of today.

A Saturday picks the Saturday before, a holiday the Sunday, a week after a change of regime the days since then, without
a calendar. Two resemblances: of the load itself within the last hour, and of its shape (whatever the level) within the
last two. The weight of a day is 1 / (mean distance + 5 % of the usual distance)^2.
"""

from __future__ import annotations

import numpy as np

from podium.foresight.memory import Array, Field, Memory
from podium.model.arrays import Float32s

DAYS = 7
LEVEL_BINS = np.float32(12)  # an hour of resemblance by level
SHAPE_BINS = np.float32(24)  # two hours by shape
NEVER_NEARER = np.float32(0.05)  # of the usual distance: no day is a perfect copy
SMALLEST = np.float32(1e-9)


def fields(days: int) -> dict[str, Field]:
    """What is remembered per slot: how far each day before lies from today."""
    return {"apart": Field((days,), 0.0), "by_level": Field((days,)), "by_shape": Field((days,))}


def learn(memory: Memory, before: Float32s, now: Float32s) -> None:
    """Compare the loads [n] of now with those of the same time on the days before, [d, n]; NaN compares nothing."""
    apart = before - now
    known = ~np.isnan(apart)
    mean = memory["apart"]
    np.add(mean, (apart - mean) / SHAPE_BINS, out=mean, where=known)
    _blend(memory["by_level"], np.abs(apart), known, LEVEL_BINS)
    _blend(memory["by_shape"], np.abs(apart - mean), known, SHAPE_BINS)


def expected(memory: Memory, before: Float32s, later: Array, now: Float32s) -> list[Float32s]:
    """For each resemblance [1 + q, n]: the load now on days like today less `now`, and how it went on from there.

    `later` [q, d, n] are the loads on the days before at q times to come. NaN where no day is known.
    """
    parts = np.concatenate((before[None] - now, later - before))
    known = ~np.isnan(parts)
    parts[~known] = 0
    counted = known.astype(np.float32)
    out: list[Float32s] = []
    for name in ("by_level", "by_shape"):
        weight = _weights(memory[name], before)
        total = np.einsum("dn,qdn->qn", weight, counted)
        summed = np.einsum("dn,qdn->qn", weight, parts)
        out.append(np.divide(summed, total, out=np.full_like(summed, np.nan), where=total > 0))
    return out


def _weights(distance: Float32s, before: Float32s) -> Float32s:
    """[d, n] 0 for a day of which nothing is known."""
    known = ~(np.isnan(distance) | np.isnan(before))
    filled = np.where(known, distance, 0)
    usual = filled.sum(axis=0) / np.maximum(known.sum(axis=0), 1).astype(np.float32)
    near = filled + NEVER_NEARER * usual + SMALLEST
    out: Float32s = known / (near * near)
    return out


def _blend(mean: Float32s, values: Float32s, known: Array, length: np.float32) -> None:
    np.copyto(mean, values, where=known & np.isnan(mean))
    np.add(mean, (values - mean) / length, out=mean, where=known)
