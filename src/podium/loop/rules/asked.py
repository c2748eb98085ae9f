"""Asking a worker: one process, started ahead, killed at the deadline, and started anew in the background."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import sys
from collections.abc import Sequence

import numpy as np

from podium.loop.rules.worker import READY
from podium.model.arrays import Float64s
from podium.model.snapshot import Holds, Int8s

START_SECONDS = 10.0
COMMAND = (sys.executable, "-m", "podium.loop.rules.worker")


@dataclasses.dataclass(frozen=True, slots=True)
class Job:
    """One expression over r rows: `columns` [n, r] are the values of its names."""

    text: str
    names: tuple[str, ...]
    columns: Float64s
    rows: int


class Worker:
    """A process that evaluates CEL. One caller at a time."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command
        self._starting: asyncio.Task[asyncio.subprocess.Process] | None = None

    def start(self) -> None:
        """Have a process ready for the next question, without waiting for it."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._started(), name="rules worker")

    async def ask(self, jobs: Sequence[Job], limit_seconds: float) -> list[Int8s | None]:
        """The outcomes of each job in order, as `Holds`; None from the one on that was under way at the limit.

        The limit holds for all jobs together; the time that a process takes to start is not counted. When no process
        can be had, everything is unknown. A process that dies is no different from one that took too long.
        """
        if not jobs:
            return []
        self.start()
        try:
            async with asyncio.timeout(START_SECONDS):
                process = await asyncio.shield(self._starting or self._no_process())
        except (TimeoutError, OSError, EOFError):
            self._starting = None
            return [np.full(job.rows, Holds.UNKNOWN, np.int8) for job in jobs]
        answered: list[Int8s | None] = []
        try:
            async with asyncio.timeout(limit_seconds):
                sending = asyncio.create_task(_send(process, jobs))
                try:
                    for job in jobs:
                        answered += [await _receive(process, job)]
                finally:
                    sending.cancel()
        except (TimeoutError, asyncio.IncompleteReadError, OSError, ValueError, KeyError):
            await self.close()
            self.start()
        return answered + [None] * (len(jobs) - len(answered))

    async def close(self) -> None:
        """Kill the process, if there is one."""
        starting, self._starting = self._starting, None
        if starting is None:
            return
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError, OSError, EOFError):
            await _kill(await starting)

    async def _started(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *self._command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**20
        )
        try:
            await _ready(process)
        except BaseException:
            await _kill(process)
            raise
        return process

    async def _no_process(self) -> asyncio.subprocess.Process:
        raise EOFError("there is no worker")


async def _ready(process: asyncio.subprocess.Process) -> None:
    if process.stdout is None or await process.stdout.readline() != READY:
        raise EOFError("the rules' worker did not start")


async def _send(process: asyncio.subprocess.Process, jobs: Sequence[Job]) -> None:
    if process.stdin is None:
        return
    with contextlib.suppress(OSError):  # it died: whoever reads finds out
        for job in jobs:
            head = json.dumps({"text": job.text, "names": job.names, "rows": job.rows}).encode()
            process.stdin.write(len(head).to_bytes(4, "big") + head + job.columns.astype("<f8").tobytes())
            await process.stdin.drain()


async def _receive(process: asyncio.subprocess.Process, job: Job) -> Int8s:
    if process.stdout is None:
        raise EOFError
    length = int.from_bytes(await process.stdout.readexactly(4), "big")
    rows = int(json.loads(await process.stdout.readexactly(length))["rows"])
    outcomes = np.frombuffer(await process.stdout.readexactly(rows), np.int8)
    return outcomes if rows == job.rows else np.full(job.rows, Holds.UNKNOWN, np.int8)


async def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    await process.wait()
