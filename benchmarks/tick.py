"""A full turn of the loop, observe to ledger included, on one core, for fleets of 1,000 to 1,000,000 workloads.

    python benchmarks/tick.py [N ...] [--huge] [--turns 30]

The loop is the real one with a real ledger (SQLite, on the disk). The cluster and the source answer from memory at
once: they stand for the network. Every workload has an HPA resource metric (cpu), an external metric, a load with a
forecast, a behaviour, a schedule and a rule, and is written by Podium; loads follow the day. Three signals a workload,
about 3.3 pods.

The peer is upstream's replica calculator (Kubernetes 1.36, Go, benchmarks/peers), in the same run on one core: three
metrics of as many workloads with three pods each, from objects in memory. It calculates alone: it observes nothing,
forecasts nothing, keeps no windows and no ledger.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from peers import build
from synthetic import fleet
from synthetic.outside import MemoryCluster, MemorySource, Outside

from podium.ledger.lease import Leadership
from podium.ledger.ledger import Ledger
from podium.loop.cycle import Cycle
from podium.loop.remember import anew, checkpoints, record
from podium.loop.remember.memory import Memory
from podium.loop.remember.restore import Restored, restore
from podium.model import columns
from podium.signals.observe import Observer

ROOT = Path(__file__).parents[1]
SIZES = (1_000, 10_000, 100_000)
HUGE = 1_000_000
BUDGET = {10_000: 0.050, 100_000: 0.500}  # seconds: the figures to reach
INTERVAL = 15.0
START = 1_800_000_000.0
WARM = 30  # turns until the stabilisation window (300 s) is full
MEMORY = ("checkpoint", "memory")
STEPS = ("observe", "forecast", "decide", "verify", "record", "act")


@dataclasses.dataclass
class Measured:
    """One size; seconds are medians over turns."""

    workloads: int
    pods: int
    turns: int
    wall: float
    slowest: float
    cpu: float
    steps: dict[str, float]
    commands: float  # a turn
    bytes_per_turn: float
    bytes_of_memory: float  # of a checkpoint, spread over the turns until the next
    checkpoint_seconds: float  # CPU of writing one beside the turns
    state_bytes: int
    peak_rss: int
    assign_seconds: float
    restore_seconds: float
    folded: int  # turns taken in at the restore
    peer: float | None = None  # seconds that upstream's calculator takes; None: it is not at hand


def main() -> None:
    asked = arguments()
    if asked.only:
        print(json.dumps(dataclasses.asdict(asyncio.run(measure(asked.only, asked.turns)))))
        return
    sizes = asked.sizes or [*SIZES, *([HUGE] if asked.huge else [])]
    measured = [alone(size, asked.turns) for size in sizes]
    text = "\n".join(report(measured)) + "\n"
    print(text)
    if not asked.sizes:
        (ROOT / "benchmarks" / "results" / "tick.md").write_text(text)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, help="workloads (default 1,000 10,000 100,000)")
    parser.add_argument("--huge", action="store_true", help="also 1,000,000; takes 20 GB of memory")
    parser.add_argument("--turns", type=int, default=32, help="measured turns a size")
    parser.add_argument("--only", type=int, help=argparse.SUPPRESS)  # one size, as JSON: what `alone` runs
    return parser.parse_args()


def alone(size: int, turns: int) -> Measured:
    """Measured in a process of its own, so that its memory is its own."""
    command = [sys.executable, __file__, "--only", str(size), "--turns", str(turns)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dataclasses.replace(Measured(**json.loads(done.stdout.splitlines()[-1])), peer=upstream(size))


def upstream(size: int) -> float | None:
    """Seconds in which upstream's calculator answers for as many workloads."""
    if size > max(SIZES):
        return None  # its objects would take more memory than the machine has
    try:
        program = build.peer()
    except build.Missing as error:
        print(error, file=sys.stderr)
        return None
    command = [str(program), "bench", "-workloads", str(size), "-pods", "3"]
    core = {max(os.sched_getaffinity(0))}
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, preexec_fn=lambda: os.sched_setaffinity(0, core)
    )  # fmt: skip
    return float(json.loads(done.stdout)["seconds"])


async def measure(size: int, turns: int) -> Measured:
    """Turn the loop of `size` workloads."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        ledger = Ledger.open(f"sqlite:///{folder}/podium.db")
        try:
            return await turned(size, turns, ledger)
        finally:
            ledger.close()


async def turned(size: int, turns: int, ledger: Ledger) -> Measured:
    outside = Outside(size, START)
    restored, leadership = Restored(anew.new_memory()), ledger.lead("bench", 3600.0)
    cycle = Cycle(
        MemoryCluster(outside),
        Observer([MemorySource(outside)]),
        ledger,
        leadership,
        restored,
        default_lead_seconds=60.0,
        deadline_seconds=60.0,
    )
    begun = time.perf_counter()
    cycle.assign(fleet.assignment(size))
    await cycle.turn(START)
    assign_seconds = time.perf_counter() - begun
    know_everything(restored.memory)
    spent, before = [], {}
    for number in range(1, WARM + turns + 1):
        outside.prepare(START + number * INTERVAL)
        if number == WARM + 1:
            before = volumes(ledger)
        wall, cpu = time.perf_counter(), time.process_time()
        done = await cycle.turn(outside.at)
        spent.append(
            (
                time.perf_counter() - wall,
                time.process_time() - cpu,
                len(done.results),
                *map(done.step_seconds.get, STEPS),
            )
        )
    rows = np.array(spent[WARM:], float)
    grown = {kind: size - before.get(kind, 0) for kind, size in volumes(ledger).items()}
    await cycle.close()
    state_bytes = held(restored.memory)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    begun = time.perf_counter()
    again = restore(ledger, anew.new_memory())
    restore_seconds = time.perf_counter() - begun
    assert again.memory.digest() == restored.memory.digest(), "a restart forgot something"
    bytes_of_memory, checkpoint_seconds = keep(ledger, cycle, restored, leadership)
    return Measured(
        workloads=size,
        pods=len(outside.observation.pods),
        turns=turns,
        wall=float(np.median(rows[:, 0])),
        slowest=float(rows[:, 0].max()),
        cpu=float(np.median(rows[:, 1])),
        steps=dict(zip(STEPS, np.median(rows[:, 3:], axis=0).tolist(), strict=True)),
        commands=float(rows[:, 2].mean()),
        bytes_per_turn=sum(size for kind, size in grown.items() if kind not in MEMORY) / turns,
        bytes_of_memory=bytes_of_memory,
        checkpoint_seconds=checkpoint_seconds,
        state_bytes=state_bytes,
        peak_rss=peak,
        assign_seconds=assign_seconds,
        restore_seconds=restore_seconds,
        folded=again.number,
    )


def know_everything(memory: Memory) -> None:
    """Fill what only weeks of history would teach, so that nothing compresses better than it will then."""
    chance = np.random.default_rng(2)
    state = memory.outlook.state()
    for name, array in state.items():
        if array.dtype == np.float32 and (unknown := np.isnan(array)).any():
            array[unknown] = chance.lognormal(5, 0.4, int(unknown.sum())).astype(np.float32)
            state[name] = array
    memory.outlook.restore(state)


def keep(ledger: Ledger, cycle: Cycle, restored: Restored, leadership: Leadership) -> tuple[float, float]:
    """(bytes a turn of a checkpoint until the next, CPU seconds of writing one)."""
    before, begun, memory = volumes(ledger), time.process_time(), restored.memory
    pending = tuple(restored.expectations.values())
    checkpoint = record.Checkpoint(restored.number, memory.fleet.digest, pending, memory.decided())
    checkpoints.write(ledger, leadership, checkpoint, memory.outlook.state(), cycle.last_at)
    spent, after = time.process_time() - begun, volumes(ledger)
    grown = sum(after.get(kind, 0) - before.get(kind, 0) for kind in MEMORY)
    return grown / checkpoints.every(len(memory.fleet)), spent


def held(memory: Memory) -> int:
    """Bytes of everything that the loop remembers."""
    parts = (columns.flatten(memory.state), columns.flatten(memory.leads), memory.outlook.state())
    return sum(array.nbytes for part in parts for array in part.values())


def volumes(ledger: Ledger) -> dict[str, int]:
    return {kind.kind: kind.bytes for kind in ledger.summary().kinds}


def report(measured: list[Measured]) -> Iterator[str]:
    """The tables, as Markdown."""
    yield f"# A full turn on one core ({(os.cpu_count() or 1)} of the machine's)\n"
    yield (__doc__ or "").partition("\n\n")[2].partition("\n\n")[2].strip() + "\n"
    yield "| workloads | pods | wall ms (median) | slowest | CPU ms | budget ms | us a workload | writes a turn |"
    yield "|---|---|---|---|---|---|---|---|"
    for one in measured:
        budget = BUDGET.get(one.workloads)
        yield _row(
            f"{one.workloads:,}", f"{one.pods:,}", f"{one.wall * 1e3:.1f}", f"{one.slowest * 1e3:.1f}",
            f"{one.cpu * 1e3:.1f}", f"{budget * 1e3:.0f}" if budget else "", f"{one.wall / one.workloads * 1e6:.2f}",
            f"{one.commands:.1f}",
        )  # fmt: skip
    yield f"\nMedians over {measured[0].turns} turns of {INTERVAL:g} s after {WARM}; wall ms of each step:\n"
    yield _row("workloads", *STEPS)
    yield "|---" * (len(STEPS) + 1) + "|"
    for one in measured:
        yield _row(f"{one.workloads:,}", *(f"{one.steps[step] * 1e3:.1f}" for step in STEPS))
    yield "\n| workloads | decide ms | upstream's calculator ms | upstream / decide | upstream / full turn |"
    yield "|---|---|---|---|---|"
    for one in measured:
        if one.peer is not None:
            yield _row(
                f"{one.workloads:,}", f"{one.steps['decide'] * 1e3:.1f}", f"{one.peer * 1e3:.1f}",
                f"{one.peer / one.steps['decide']:.1f}", f"{one.peer / one.wall:.2f}",
            )  # fmt: skip
    yield "\n| workloads | state MB | peak RSS MB | ledger kB a turn | GB a day | checkpoints | GB a day | CPU s each |"
    yield "|---|---|---|---|---|---|---|---|"
    per_day = 86_400 / INTERVAL / 1e9
    for one in measured:
        yield _row(
            f"{one.workloads:,}", f"{one.state_bytes / 1e6:.0f}", f"{one.peak_rss / 1e6:.0f}",
            f"{one.bytes_per_turn / 1e3:.0f}", f"{one.bytes_per_turn * per_day:.2f}",
            f"{one.bytes_of_memory / 1e3:.0f}", f"{one.bytes_of_memory * per_day:.2f}", f"{one.checkpoint_seconds:.1f}",
        )  # fmt: skip
    yield "\n| workloads | policies adopted s | restore s | of turns |"
    yield "|---|---|---|---|"
    for one in measured:
        yield _row(f"{one.workloads:,}", f"{one.assign_seconds:.2f}", f"{one.restore_seconds:.2f}", one.folded)


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


if __name__ == "__main__":
    main()
