"""The recent past of the fleet, a row per turn: what charts are drawn from without decoding the ledger again."""

from __future__ import annotations

import numpy as np

from podium.loop.decide.ahead import expected_load, loads
from podium.loop.decide.table import PolicyTable
from podium.loop.remember.record import Turn
from podium.model.arrays import UNKNOWN, Float64s

HOLE = 3.0  # usual intervals without a turn
MOST_BYTES = 64 * 2**20
MOST_TURNS = 5760  # a day at the usual pace
FIELDS = ("load", "replicas", "ready", "wanted", "capacity", "expected", "lead")


class Recent:
    """A ring of turns over n slots; float32, NaN where unknown. It starts anew when the fleet changes its size."""

    def __init__(self) -> None:
        self._at = np.empty(0)
        self._rows = np.empty((0, len(FIELDS), 0), np.float32)
        self._count = 0

    def add(self, turn: Turn, table: PolicyTable) -> None:
        """Remember one turn."""
        size = len(table)
        if self._rows.shape[2] != size:
            depth = min(MOST_TURNS, max(2, MOST_BYTES // (4 * len(FIELDS) * max(size, 1))))
            self._at = np.full(depth, np.nan)
            self._rows = np.full((depth, len(FIELDS), size), np.nan, np.float32)
            self._count = 0
        place = self._count % len(self._at)
        self._at[place] = turn.snapshot.now
        self._rows[place] = _row(turn, table)
        self._count += 1

    def since(self, slot: int, since: float, until: float) -> tuple[Float64s, dict[str, Float64s]]:
        """One slot's turns within a span: their times [t], and a column [t] for each of FIELDS."""
        order = np.argsort(self._at)  # NaN last
        order = order[(self._at[order] >= since) & (self._at[order] <= until)]
        at = self._at[order]
        columns = self._rows[order, :, slot].astype(np.float64) if len(order) else np.empty((0, len(FIELDS)))
        # Where the loop did not run, an empty row keeps the line from bridging the time that nobody saw.
        usual = float(np.median(np.diff(at))) if len(at) > 1 else np.inf
        holes = np.flatnonzero(np.diff(at) > HOLE * usual)
        at = np.insert(at, holes + 1, at[holes] + usual)
        columns = np.insert(columns, holes + 1, np.nan, axis=0)
        return at, {name: columns[:, number] for number, name in enumerate(FIELDS)}


def _row(turn: Turn, table: PolicyTable) -> np.ndarray:
    def known(counts: np.ndarray) -> np.ndarray:
        return np.where(counts == UNKNOWN, np.nan, counts)

    ready = known(turn.ready)
    return np.stack(
        [
            loads(turn.snapshot, table),
            known(turn.snapshot.replicas),
            ready,
            known(turn.decisions.replicas),
            ready * table.capacity,
            expected_load(table, turn.forecast, turn.lead),
            turn.lead,
        ]
    ).astype(np.float32)
