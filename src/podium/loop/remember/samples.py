"""What of a turn goes into the history of samples, and how it is filled again from the ledger after a crash."""

from __future__ import annotations

import numpy as np

from podium.ledger.ledger import Ledger
from podium.loop.remember import record
from podium.loop.remember.record import Turn
from podium.loop.remember.restore import Library
from podium.model.arrays import UNKNOWN, Float64s, Int64s
from podium.model.fleet import Fleet
from podium.signals.history.history import History

REPLICAS, READY = "podium/replicas", "podium/ready"  # a Signal's name has no slash
FIRST_SECONDS = 6 * 3600.0  # read from a ledger that is older than its history


def keep(history: History, turn: Turn, fleet: Fleet) -> None:
    """Add what a turn observed: every signal, and the replicas and ready pods of each workload."""
    now = turn.snapshot.now
    if history.wants(now):
        history.add(now, fleet, observed(turn))


def observed(turn: Turn) -> dict[str, Float64s]:
    """[n] per name: what was known; NaN elsewhere."""
    levels = {name: level.value for name, level in turn.snapshot.signals.items()}
    return levels | {REPLICAS: _known(turn.snapshot.replicas), READY: _known(turn.ready)}


def refill(history: History, ledger: Ledger, now: float) -> None:
    """Add what the ledger holds of the time that the history may lack. Raises what either of them raises."""
    reaches, library = history.reaches(), Library(ledger)
    since = now - FIRST_SECONDS if reaches is None else reaches
    for entry in ledger.entries([record.TURN], since_us=round(since * 1e6)):
        if not entry.purged and history.wants(entry.at_us / 1e6):
            turn = record.read_turn(entry)
            keep(history, turn, library.fleet(turn.fleet))


def _known(numbers: Int64s) -> Float64s:
    return np.where(numbers == UNKNOWN, np.nan, numbers.astype(np.float64))
