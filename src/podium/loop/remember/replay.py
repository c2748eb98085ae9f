"""Replay: decide a recorded turn again from its recorded inputs, and compare bit for bit.

Forecasts are recorded inputs of a decision. They are recomputed as well, from the memory before the turn, to show how
far another machine's floating point (or another version of a forecaster) is from what was recorded.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import numpy as np

from podium.ledger.entry import Entry
from podium.ledger.ledger import Ledger
from podium.loop.remember import record
from podium.loop.remember.memory import Memory
from podium.loop.remember.record import Turn
from podium.loop.remember.restore import Library, Restored, begin, restore
from podium.model import clock, columns
from podium.model.decision import Decisions

FORECAST_TOLERANCE = 1e-3  # relative: float32 state, another order of additions, and what is kept of a forecast


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
    if entry.purged:
        raise ValueError(f"the inputs of turn {entry.subject} are older than the retention and were dropped")
    restore(ledger, memory, until_us=entry.at_us - 1)
    return _again(entry, memory, Library(ledger))


def replay_all(
    ledger: Ledger, memory: Memory, since: float | None = None, until: float | None = None
) -> Iterator[Replayed]:
    """Decide every turn with `since <= its moment <= until` (Unix seconds) again, in order, from an empty `memory`.

    Turns whose inputs were dropped are left out, and with them those up to the next checkpoint of the memory.
    """
    library = Library(ledger)
    since_us = None if since is None else clock.microseconds(since)
    until_us = None if until is None else clock.microseconds(until) + 1
    start = _start(ledger, since_us)
    restored, after = (Restored(memory), None) if start is None else begin(ledger, start, memory, library)
    first = restored.number
    for entry in ledger.entries([record.TURN, record.VERDICTS], after_seq=after, until_us=until_us):
        if entry.kind == record.VERDICTS:
            if not entry.purged:
                restored.follow(entry, first)  # how long starts took: forecasts expect the next ones to be like these
            continue
        if entry.purged:
            return
        again = _again(entry, memory, library)
        if since_us is None or entry.at_us >= since_us:
            yield again


def _start(ledger: Ledger, since_us: int | None) -> Entry | None:
    """The checkpoint to begin with: the last before `since_us`, or the first that is whole. None: the beginning."""
    asked = None if since_us is None else ledger.latest(record.CHECKPOINT, at_or_before_us=since_us - 1)
    if asked is not None and not asked.purged:
        return asked
    whole = next((entry for entry in ledger.entries([record.CHECKPOINT]) if not entry.purged), None)
    first = next(ledger.entries([record.TURN], limit=1), None)
    if whole is not None and first is not None and not first.purged and first.seq < whole.seq:
        return None  # else what was learned before the first turn is in a checkpoint before it
    return whole


def _again(entry: Entry, memory: Memory, library: Library) -> Replayed:
    """Decide the turn in an entry with the `memory` before it, which is then the one after it."""
    turn = record.read_turn(entry)
    if memory.fleet.digest != turn.fleet:
        memory.adopt(library.fleet(turn.fleet))
    table = library.table(turn)
    memory.score(turn.snapshot, table)  # to learn from its readings: the scores are recorded
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
        same_state=memory.left(turn.state),
        forecast_difference=_distance(
            record.of_levels(forecast, turn.forecast.levels).quantiles, turn.forecast.quantiles
        ),
    )


def _distance(ours: np.ndarray, theirs: np.ndarray) -> float:
    if ours.shape != theirs.shape or not (known := ~np.isnan(theirs)).any():
        return float("nan")
    if (np.isnan(ours) != np.isnan(theirs)).any():
        return float("inf")
    apart = np.abs(ours[known].astype(np.float64) - theirs[known])
    return float((apart / np.maximum(np.abs(theirs[known]), 1e-9)).max())
