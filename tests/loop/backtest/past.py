"""A ledger with some days behind it, without anybody having run: samples by the minute, and a turn every few hours."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from tests.loop.scenes import FLEET, START
from tests.loop.scenes import History as Turns

from podium.ledger.ledger import Ledger
from podium.loop.remember import samples
from podium.model.arrays import Float64s
from podium.signals.history.history import History

DAY = 86_400.0
BEGIN = START // DAY * DAY
SIGNAL = "requests_per_second"


def load_at(at: float) -> float:
    """A day's rhythm of 2 to 12 replicas at 85 each."""
    return 85 * (7 - 5 * math.cos(at * 2 * math.pi / DAY))


def laid(folder: Path, days: float = 3.0, replicas: int = 10, turn_hours: float = 6.0) -> str:
    """The address of the database. `replicas` were there all the time."""
    url = f"sqlite:///{folder}/podium.db"
    ledger = Ledger.open(url, state=folder)
    turns = Turns(ledger, ledger.lead("one", 60))
    history = History(ledger.database)
    for minute in range(round(days * 1440)):
        at = BEGIN + 60.0 * minute + 7
        one: Float64s = np.array([float(replicas)])
        row = {SIGNAL: np.array([load_at(at)]), samples.REPLICAS: one, samples.READY: one}
        history.add(at, FLEET, row)
    history.store(everything=True)
    for number in range(1, round(days * 24 / turn_hours) + 1):
        turns.at = BEGIN + number * turn_hours * 3600 - 15
        turns.replicas = replicas
        turns.turn(load_at(turns.at))
    ledger.close()
    return url
