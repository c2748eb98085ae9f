"""What Podium's own metrics and spans cost: counting a turn, answering /metrics, how many series, tracing a turn.

    python benchmarks/meters.py [N ...]

The turns are those of benchmarks/tick.py: every workload with three signals, one forecast and every policy on.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from synthetic import fleet
from synthetic.outside import MemoryCluster, MemorySource, Outside

from podium.ledger.ledger import Ledger
from podium.loop.cycle import Cycle, Turned
from podium.loop.remember import anew
from podium.loop.remember.restore import Restored
from podium.loop.tell.meters.meters import Meters
from podium.loop.tell.meters.turns import STEPS
from podium.signals.observe import Observer
from podium.telemetry import traces
from podium.telemetry.settings import MetricsSettings, TracesSettings

ROOT = Path(__file__).parents[1]
SIZES = (1_000, 10_000, 100_000)
NOBODY = "http://127.0.0.1:9/v1/traces"  # the discard port: nobody listens
START, INTERVAL, TURNS, REPEATS = 1_800_000_000.0, 15.0, 6, 15


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("sizes", nargs="*", type=int, help="workloads (default 1,000 10,000 100,000)")
    sizes = parser.parse_args().sizes
    rows = list(table(sizes or SIZES))
    text = "\n".join(rows) + "\n"
    print(text)
    if not sizes:
        (ROOT / "benchmarks" / "results" / "meters.md").write_text(text)


def table(sizes: tuple[int, ...] | list[int]) -> Iterator[str]:
    """The table, as Markdown."""
    yield "# What Podium's own metrics cost, on one core\n"
    yield "| workloads | tenants | a turn, ms | counting it, ms | share | a scrape, ms | series | bytes |"
    yield "|---|---|---|---|---|---|---|---|"
    for size in sizes:
        yield asyncio.run(measured(size))
    yield f"\nThe seven spans of a turn, towards a collector that is dead: {spans() * 1e3:.2f} ms, whatever the fleet."


def spans(turns: int = 200) -> float:
    """Seconds that the spans of one turn take, the posting thread's share included."""
    tracer = traces.start(TracesSettings(endpoint=NOBODY), "", "bench", traces.SpanMeters(CollectorRegistry()))
    assert tracer is not None, "the extra `otel` is missing"
    began = time.perf_counter()
    for number in range(turns):
        with tracer.span("turn") as turn:
            for step in STEPS:
                with tracer.span(step):
                    pass
            turn.note({"podium.turn": number, "podium.workloads": 100_000})
    return (time.perf_counter() - began) / turns


async def measured(size: int) -> str:
    """One row."""
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    with tempfile.TemporaryDirectory(dir=os.environ.get("BENCH_DIR")) as folder:
        ledger = Ledger.open(f"sqlite:///{folder}/podium.db")
        try:
            return await row(size, ledger)
        finally:
            ledger.close()


async def row(size: int, ledger: Ledger) -> str:
    outside = Outside(size, START)
    cycle = Cycle(
        MemoryCluster(outside),
        Observer([MemorySource(outside)]),
        ledger,
        ledger.lead("bench", 3600.0),
        Restored(anew.new_memory()),
        default_lead_seconds=60.0,
        deadline_seconds=60.0,
    )
    registry = CollectorRegistry()
    meters = Meters(registry, MetricsSettings(), INTERVAL)
    meters.ledger.of(ledger)
    cycle.assign(fleet.assignment(size))
    turns: list[float] = []
    counted: list[float] = []
    for number in range(TURNS):
        outside.prepare(START + number * INTERVAL)
        turned, seconds = await timed(cycle, outside.at)
        turns.append(seconds)
        for _ in range(REPEATS if number == TURNS - 1 else 1):
            began = time.perf_counter()
            meters.take(turned, 0, cycle.assignment, cycle.table)
            counted.append(time.perf_counter() - began)
    scrapes, text = [], b""
    for _ in range(REPEATS):
        began = time.perf_counter()
        text = generate_latest(registry)
        scrapes.append(time.perf_counter() - began)
    series = sum(not line.startswith(b"#") for line in text.splitlines())
    turn, count, scrape = (statistics.median(seconds) * 1e3 for seconds in (turns[1:], counted[1:], scrapes))
    tenants = size // fleet.PER_NAMESPACE
    return (
        f"| {size:,} | {tenants:,} | {turn:.1f} | {count:.2f} | {count / turn:.1%} | {scrape:.1f} "
        f"| {series:,} | {len(text):,} |"
    )


async def timed(cycle: Cycle, now: float) -> tuple[Turned, float]:
    began = time.perf_counter()
    return await cycle.turn(now), time.perf_counter() - began


if __name__ == "__main__":
    main()
