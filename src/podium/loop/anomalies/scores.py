"""Scores of the readings of signals, streaming: what each slot's past says of its newest value.

A reading is judged once in each step of its signal's interval, at the first turn of the step; the score holds until
the next. It is unknown while the reading is, and while no more than a hundred are known. 14 kB a slot and signal at
one reading a minute, for slots of namespaces with such a Signal alone; 2 µs a reading.

Slots live in chunks that end their blocks of 64 rows at different turns: what is learned at the end of a block costs
sixty times a row, and never comes for a whole fleet at once.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from podium.foresight.anomalies.detector import FIRST_ROWS, Detector
from podium.loop.decide.table import Scored
from podium.model.arrays import UNKNOWN, Bools, Columns, Float64s, Int32s, Int64s
from podium.model.snapshot import Level, Snapshot

CHUNK = 512  # slots
APART = 23  # rows between the ends of two chunks' blocks: no two of 64 chunks end theirs at once
DAY = 86_400.0
SET_BACK = 600.0  # seconds that a clock may be set back without the days beginning anew

Kind: TypeAlias = tuple[str, str, float]  # the score's name, whose it is, seconds between readings


class Scores:
    """The scores of the slots that ask for them."""

    def __init__(self) -> None:
        self._chunks: list[_Chunk] = []
        self._asked: tuple[Scored, ...] = ()

    def follow(self, snapshot: Snapshot, asked: tuple[Scored, ...]) -> dict[str, Level]:
        """Judge the readings of one turn: the scores by name, over those levels of `snapshot` that bear it already.

        A score has no source of its own: none is taken for a liar because what was strange is strange no more.
        """
        if asked is not self._asked:
            self._arrange(asked)
        out: dict[str, Level] = {}
        size = len(snapshot.replicas)
        for chunk in self._chunks:
            chunk.follow(snapshot.now, snapshot.signals.get(chunk.kind[1]))
            level = out.setdefault(chunk.kind[0], _copied(snapshot.signals.get(chunk.kind[0]), size))
            level.value[chunk.slots], level.at[chunk.slots] = chunk.value, chunk.at
            level.source[chunk.slots] = UNKNOWN
        return out

    def forget(self, slots: Int64s) -> None:
        """These slots belong to other workloads now."""
        self._chunks = [chunk.only(kept) for chunk in self._chunks if (kept := ~np.isin(chunk.slots, slots)).any()]
        self._asked = ()

    def checkpoint(self) -> Columns:
        """Everything, as columns that begin with the number of their chunk; copies."""
        chunks = enumerate(self._chunks)
        return {f"{number}.{name}": array for number, one in chunks for name, array in one.checkpoint().items()}

    def restore(self, stored: Columns) -> None:
        """Take over what `checkpoint` returned; a Podium that judged nothing left nothing.

        What a version that judged otherwise has left is not taken over: those slots begin anew.
        """
        chunks: dict[int, Columns] = {}
        for name, array in stored.items():
            number, _, rest = name.partition(".")
            chunks.setdefault(int(number), {})[rest] = array
        self._chunks, self._asked = [], ()
        for _, chunk in sorted(chunks.items()):
            with contextlib.suppress(ValueError):
                self._chunks.append(_Chunk.restored(chunk))

    def _arrange(self, asked: tuple[Scored, ...]) -> None:
        """Rows for who is asked now. Who stays keeps what was learned, whatever the threshold was."""
        chunks: list[_Chunk] = []
        for one in asked:
            kind = (one.name, one.of, one.step_seconds)
            old = ((chunk, np.isin(chunk.slots, one.slots)) for chunk in self._chunks if chunk.kind == kind)
            mine = [chunk.only(kept) for chunk, kept in old if kept.any()]
            new = np.setdiff1d(one.slots, np.concatenate([one.slots[:0], *(chunk.slots for chunk in mine)]))
            while len(new):
                chunk = next((chunk for chunk in mine if len(chunk.slots) < CHUNK), None)
                if chunk is None:
                    chunk = _Chunk(kind, APART * (len(chunks) + len(mine)))
                    mine.append(chunk)
                room = CHUNK - len(chunk.slots)
                chunk.add(new[:room])
                new = new[room:]
            for chunk in mine:
                chunk.detector.threshold = one.threshold
            chunks += mine
        self._chunks, self._asked = chunks, asked


class _Chunk:
    """Some slots of one score, with a clock of their own."""

    def __init__(self, kind: Kind, first: int) -> None:
        self.kind = kind
        self.slots: Int32s = np.empty(0, np.int32)
        self.value: Float64s = np.empty(0)
        self.at: Float64s = np.empty(0)  # of the readings judged
        self.detector = Detector(kind[2], 0, first=first)
        self._step = self._newest = math.nan  # the number of the step last judged, and the detector's time
        self._ahead = 0.0  # whole days by which that time is ahead of the clock, because it was set back

    def follow(self, now: float, level: Level | None) -> None:
        """Judge the readings, if a new step has begun."""
        step = now // self.kind[2]
        if step == self._step:
            return
        self._step = step
        behind = self._newest - now - self._ahead
        if behind > SET_BACK:
            self._ahead += math.ceil(behind / DAY) * DAY
        self._newest = float(np.fmax(now + self._ahead, self._newest))
        nothing = np.full(len(self.slots), np.nan)
        values, self.at = (nothing, nothing) if level is None else (level.value[self.slots], level.at[self.slots])
        score = self.detector.step(np.array([self._newest]), values[None]).score[0]
        unknown = np.isnan(values) | (self.detector.known <= FIRST_ROWS)
        self.value = np.where(unknown, np.nan, score)

    def add(self, slots: Int32s) -> None:
        """More slots, of which nothing is known."""
        self.slots = np.concatenate([self.slots, slots])
        nothing = np.full(len(slots), np.nan)
        self.value, self.at = np.concatenate([self.value, nothing]), np.concatenate([self.at, nothing])
        self.detector.resize(len(self.slots))

    def only(self, kept: Bools) -> _Chunk:
        """These slots alone, with all they know."""
        return self if kept.all() else self.restored(self.checkpoint(), kept)

    def checkpoint(self) -> Columns:
        """Everything, as columns; copies."""
        about = json.dumps([*self.kind, self.detector.threshold]).encode()
        own: Columns = {
            "kind": np.frombuffer(about, np.uint8).copy(),
            "clock": np.array([self._step, self._newest, self._ahead]),
            "slots": self.slots.copy(),
            "value": self.value.copy(),
            "at": self.at.copy(),
        }
        return own | self.detector.state()

    @classmethod
    def restored(cls, stored: Mapping[str, np.ndarray], kept: Bools | None = None) -> _Chunk:
        """What `checkpoint` returned; of its slots only those `kept`."""
        name, of, step, threshold = json.loads(np.asarray(stored["kind"], np.uint8).tobytes())
        whole = ("kind", "clock", "anomalies.clock")
        mine = {key: array if kept is None or key in whole else array[..., kept] for key, array in stored.items()}
        chunk = cls((name, of, step), 0)
        chunk.slots = np.array(mine["slots"], np.int32)
        chunk.value, chunk.at = np.array(mine["value"], np.float64), np.array(mine["at"], np.float64)
        chunk._step, chunk._newest, chunk._ahead = np.asarray(stored["clock"], np.float64).tolist()
        chunk.detector.restore(mine)
        chunk.detector.threshold = threshold
        return chunk


def _copied(level: Level | None, size: int) -> Level:
    if level is None:
        return Level(np.full(size, np.nan), np.full(size, np.nan), np.full(size, UNKNOWN, np.int32))
    return Level(level.value.copy(), level.at.copy(), level.source.copy())
