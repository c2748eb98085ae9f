"""Replay: decide a recorded turn again from its recorded inputs, and compare bit for bit.

Forecasts are recorded inputs of a decision. They are recomputed as well, from the memory before the turn, to show how
far another machine's floating point (or another version of a forecaster) is from what was recorded.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.ledger.ledger import Ledger
from podium.loop import record
from podium.loop.memory import Memory
from podium.loop.record import Turn
from podium.loop.restore import Library, restore
from podium.model import clock, columns
from podium.model.decision import Decisions

FORECAST_TOLERANCE = 1e-4  # relative: float32 state and another order of additions


@dataclasses.dataclass(frozen=True, slots=True)
class Replayed:
    """What deciding again gave."""

    turn: Turn
    epoch: int
    decisions: Decisions
    differences: tuple[str, ...]  # names of the columns of the decision that differ in any bit
    same_state: bool  # the state of deciding afterwards is the recorded one
    forecast_difference: float  # the largest relative one; NaN where there was nothing to compare

    @property
    def identical(self) -> bool:
        """The same decision, bit for bit, and the same state."""
        return not self.differences and self.same_state

    @property
    def forecast_agrees(self) -> bool:
        """The recomputed forecasts are those recorded, within the tolerance."""
        return not self.forecast_difference > FORECAST_TOLERANCE


def replay(ledger: Ledger, memory: Memory, at: float | None = None) -> Replayed:
    """Decide the turn in force at `at` (Unix seconds; default: the last) again, from an empty `memory`.

    Raises KeyError when nothing is recorded at that time, ValueError when its inputs were dropped.
    """
    until_us = None if at is None else clock.microseconds(at)
    entry = ledger.latest(record.TURN, at_or_before_us=until_us)
    if entry is None:
        raise KeyError("nothing is recorded" + ("" if at is None else f" at or before {clock.rfc3339(at)}"))
    turn = record.read_turn(entry)
    library = Library(ledger)
    restore(ledger, memory, until_us=entry.at_us - 1)
    if memory.fleet.digest != turn.fleet:
        memory.adopt(library.fleet(turn.fleet))
    table = library.table(turn)
    memory.learn(turn.snapshot, table, turn.lead)
    forecast = memory.forecast(turn.snapshot.now)
    decisions = memory.decide(turn.snapshot, turn.forecast, table, turn.lead)
    recorded = columns.flatten(turn.decisions)
    differences = tuple(
        name for name, array in columns.flatten(decisions).items() if array.tobytes() != recorded[name].tobytes()
    )
    return Replayed(
        turn=turn,
        epoch=entry.epoch,
        decisions=decisions,
        differences=differences,
        same_state=memory.digest() == turn.state,
        forecast_difference=_distance(forecast.quantiles, turn.forecast.quantiles),
    )


def _distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.shape != theirs.shape or not (known := ~np.isnan(theirs)).any():
        return float("nan")
    if (np.isnan(ours) != np.isnan(theirs)).any():
        return float("inf")
    apart = np.abs(ours[known].astype(np.float64) - theirs[known])
    return float((apart / np.maximum(np.abs(theirs[known]), 1e-9)).max())
