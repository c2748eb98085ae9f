"""Checkpoints: the memory written down now and then, so that a restart folds minutes and not days.

Of a small fleet all of it goes into the ledger with its turn, in one entry. Of a large one what forecasts have learned
(6 kB a workload: 620 MB for 100,000) is copied when the turn is over and written in parts by a thread, while the loop
turns on. The checkpoint itself comes last and makes the parts count: a process that dies before leaves parts that
nobody reads.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import threading
from collections.abc import Iterator, Sequence

import numpy as np

from podium.foresight.outlook import Outlook
from podium.ledger.entry import Entry
from podium.ledger.errors import Temporary
from podium.ledger.lease import Leadership
from podium.ledger.ledger import Ledger
from podium.loop.anomalies.scores import Scores
from podium.loop.remember import record
from podium.loop.remember.record import Checkpoint, Part
from podium.model.arrays import Columns

WHOLE = 1024  # slots: up to here one entry of 6 MB holds everything, packed in 20 ms
SLOTS = 1024  # of one part: a write that keeps a turn's waiting for 20 ms at most
PART_BYTES = 4_000_000  # of a part of scores, for the same reason
EVERY = 40  # turns: ten minutes at the usual pace, folded again in well under a second
EVERY_LARGE = 240  # an hour: 100,000 workloads write 10 GB a day and fold for a minute
SCORES = "scores."  # begins the columns of scores in parts, where all others are of forecasts
PER_TURN = 125  # slots that put the next checkpoint off by a turn: 10,000 workloads write one in half an hour


def every(size: int) -> int:
    """Turns from one checkpoint of a fleet of `size` slots to the next."""
    return EVERY if size <= WHOLE else min(EVERY + size // PER_TURN, EVERY_LARGE)


def due(number: int, size: int) -> bool:
    """Whether a checkpoint follows turn `number` of a fleet of `size` slots."""
    return number % every(size) == 1


def write(
    ledger: Ledger,
    leadership: Leadership,
    checkpoint: Checkpoint,
    outlook: Columns,
    now: float,
    stopped: threading.Event | None = None,
    scores: Columns | None = None,
) -> None:
    """Append what forecasts and scores know in parts, then the checkpoint. Gives up between two once `stopped`."""
    parts = [*_cut(outlook, len(checkpoint)), *_pieces(scores or {})]
    for number, part in enumerate(parts):
        if stopped is not None and stopped.is_set():
            return
        ledger.append([record.draft_part(checkpoint.number, number, part, now)], leadership)
    ledger.append([record.draft_checkpoint(dataclasses.replace(checkpoint, parts=len(parts)), now)], leadership)


def read(ledger: Ledger, entry: Entry) -> Checkpoint:
    """The checkpoint of an entry, with its parts. Raises KeyError when one of them is missing or was dropped."""
    checkpoint = record.read_checkpoint(entry)
    parts = []
    for number in range(checkpoint.parts):
        found = ledger.latest(record.MEMORY, subject=record.part_name(checkpoint.number, number))
        if found is None or found.purged:
            raise KeyError(f"the ledger lacks part {number} of the memory after turn {checkpoint.number}")
        parts.append(record.read_part(found))
    apart = {name if name.startswith(SCORES) else f"outlook.{name}": array for name, array in _joined(parts).items()}
    return dataclasses.replace(checkpoint, memory=checkpoint.memory | apart)


class Keeper:
    """Writes the checkpoints of a large fleet beside the turns, one at a time."""

    def __init__(self, ledger: Ledger, leadership: Leadership) -> None:
        self._ledger = ledger
        self._leadership = leadership
        self._writing: asyncio.Task[None] | None = None
        self._copied = asyncio.Event()
        self._stopped = threading.Event()

    def begin(self, checkpoint: Checkpoint, outlook: Outlook, now: float, scores: Scores | None = None) -> None:
        """Start to write `checkpoint`, unless the one before is still being written."""
        if self._writing is None:
            self._copied.clear()
            self._writing = asyncio.create_task(self._write(checkpoint, outlook, now, scores), name="checkpoint")

    async def ready(self) -> None:
        """Wait until the memory may change again. Raises what writing it down has raised: the ledger's errors."""
        if self._writing is None:
            return
        await self._copied.wait()
        if self._writing.done():
            done, self._writing = self._writing, None
            done.result()

    async def end(self) -> None:
        """Stop after the part that is being written. What was begun and is not whole is never read."""
        self._stopped.set()
        if self._writing is not None:
            with contextlib.suppress(Temporary):
                await self._writing

    async def _write(self, checkpoint: Checkpoint, outlook: Outlook, now: float, scores: Scores | None) -> None:
        try:
            copied = await asyncio.to_thread(outlook.state)  # 0.2 s for 100,000 workloads, between two turns
            judged = {} if scores is None else await asyncio.to_thread(scores.checkpoint)
        finally:
            self._copied.set()
        await asyncio.to_thread(write, self._ledger, self._leadership, checkpoint, copied, now, self._stopped, judged)


def _cut(columns: Columns, size: int) -> Iterator[Part]:
    """Slices of all arrays with a last axis of `size` slots; the first part brings the others along."""
    sliced = [name for name, array in columns.items() if array.ndim and array.shape[-1] == size]
    rest = {name: array for name, array in columns.items() if name not in set(sliced)}
    for start in range(0, max(size, 1), SLOTS):
        slots = {name: columns[name][..., start : start + SLOTS] for name in sliced}
        yield Part(slots | rest, tuple(sliced))
        rest = {}


def _pieces(scores: Columns) -> Iterator[Part]:
    """Parts of whole columns, each but little larger than PART_BYTES."""
    piece: Columns = {}
    for name, array in scores.items():
        piece[f"{SCORES}{name}"] = array
        if sum(one.nbytes for one in piece.values()) >= PART_BYTES:
            yield Part(piece, ())
            piece = {}
    if piece:
        yield Part(piece, ())


def _joined(parts: Sequence[Part]) -> Columns:
    if not parts:
        return {}
    whole = {name: array for part in parts for name, array in part.columns.items()}
    for name in parts[0].sliced:
        whole[name] = np.concatenate([part.columns[name] for part in parts if name in part.columns], axis=-1)
    return whole
