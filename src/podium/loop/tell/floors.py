"""Floors in words: what a turn meant to write under HPAs."""

from __future__ import annotations

from podium.loop.modes.floors import Floors
from podium.model.arrays import UNKNOWN


def told(floors: Floors) -> dict[int, str]:
    """Slot -> what was to be written, as in `minReplicas of its HPA 2 -> 9 (its own: 2)`; only where something was."""
    rows = zip(
        floors.slots.tolist(), floors.minimum.tolist(), floors.original.tolist(), floors.planned.tolist(), strict=True
    )
    return {slot: _words(minimum, original, planned) for slot, minimum, original, planned in rows if planned != UNKNOWN}


def _words(minimum: int, original: int, planned: int) -> str:
    if planned == minimum:
        return f"minReplicas of its HPA stays {minimum} (its own: {original})"
    if planned == original:
        return f"minReplicas of its HPA {minimum} -> {original}, given back"
    return f"minReplicas of its HPA {minimum} -> {planned} (its own: {original})"
