"""What moved on the map since a listener last looked, however long ago: no history is kept for it.

Each workload's row carries the number of the last sheet in which it changed. Whoever has seen sheet 40 is sent the rows
with a higher number and their newest values; who has seen nothing, or another fleet, is sent everything.
"""

from __future__ import annotations

import secrets
import threading

import msgspec
import numpy as np

from podium.loop.tell.fleetmap import ChangedColumns, MapChange
from podium.loop.tell.sheet import Sheet, counts, picture, shares
from podium.model.arrays import Float64s, Int64s

STEP = 0.02  # of `use`: less than that is not seen on a map


class Mapping:
    """Compares each sheet with the one before. Called from several threads."""

    def __init__(self) -> None:
        self.nonce = secrets.token_hex(4)  # marks of another process mean nothing here
        self._lock = threading.Lock()
        self._sheet: Sheet | None = None
        self._number = 0
        self._first = 0  # the first number of this fleet
        self._changed: Int64s = np.empty(0, np.int64)  # [m] number of the sheet in which the row last changed
        self._use: Float64s = np.empty(0)  # [m] as it was last told
        self._whole: tuple[int, bytes] = (0, b"")

    def whole(self, sheet: Sheet) -> tuple[int, bytes]:
        """(mark, JSON) of the whole map."""
        with self._lock:
            self._take(sheet)
            return self._encoded()

    def since(self, sheet: Sheet, mark: int | None) -> tuple[int, str, bytes]:
        """(mark, event, JSON) for whoever has seen everything up to `mark`; event "": nothing moved."""
        with self._lock:
            self._take(sheet)
            if mark is None or not self._first <= mark <= self._number:
                number, body = self._encoded()
                return number, "map", body
            rows = np.flatnonzero(self._changed > mark)
            if not len(rows):
                return self._number, "", b""
            return self._number, "moved", msgspec.json.encode(_change(sheet, rows))

    def _encoded(self) -> tuple[int, bytes]:
        if self._sheet is not None and self._whole[0] != self._number:
            self._whole = (self._number, msgspec.json.encode(picture(self._sheet)))
        return self._whole

    def _take(self, sheet: Sheet) -> None:
        before, self._sheet = self._sheet, sheet
        if before is sheet:
            return
        self._number += 1
        if before is None or before.roll.fleet != sheet.roll.fleet:
            self._first = self._number
            self._changed = np.full(len(sheet.roll), self._number, np.int64)
            self._use = sheet.use.copy()
            return
        both = np.isfinite(sheet.use) & np.isfinite(self._use)
        with np.errstate(invalid="ignore"):
            farther = np.where(
                both, np.abs(sheet.use - self._use) >= STEP, np.isfinite(sheet.use) != np.isfinite(self._use)
            )
        moved = farther.astype(np.bool_)
        for name in ("state", "replicas", "ready", "wanted", "paused", "doubted"):
            moved |= getattr(sheet, name) != getattr(before, name)
        self._changed[moved] = self._number
        self._use[moved] = sheet.use[moved]


def _change(sheet: Sheet, rows: Int64s) -> MapChange:
    order = rows[np.argsort(sheet.roll.slot[rows])]
    return MapChange(
        at=sheet.at,
        tick=sheet.tick,
        fleet=sheet.roll.fleet,
        slots=sheet.roll.slot[order].tolist(),
        columns=ChangedColumns(
            state=sheet.state[order].tolist(),
            replicas=counts(sheet.replicas[order]),
            ready=counts(sheet.ready[order]),
            wanted=counts(sheet.wanted[order]),
            use=shares(sheet.use[order]),
            paused=sheet.paused[order].tolist(),
            doubted=sheet.doubted[order].tolist(),
        ),
    )
