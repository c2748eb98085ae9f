"""Samples kept: what adding costs a turn, what storing costs a half hour, how large a day is, how fast it is read.

Three signals of every workload at the usual pace of a turn every 15 s: a rate as it is measured (noise in every digit),
a rate of whole counts a minute, and a queue. Read back: thirty days of one workload.

    .venv/bin/python benchmarks/history.py [WORKLOADS]
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from podium.clients.database import Database
from podium.ledger.ledger import Ledger
from podium.model.arrays import Float64s
from podium.model.fleet import Fleet, Slot
from podium.model.identity import WorkloadKey
from podium.signals.history.history import WINDOW_SECONDS, History

START, PACE = 1_800_000_000.0, 15.0
RESULT, SAID = Path(__file__).parent / "results" / "history.md", list[str]()
KINDS = ("rate", "counted rate", "queue")


def fleet_of(size: int) -> Fleet:
    return Fleet(tuple(Slot(WorkloadKey("local", f"t{n % 200}", "deployment", "apps", f"w{n}")) for n in range(size)))


def values(size: int, now: float, random: np.random.Generator) -> dict[str, Float64s]:
    level = (50 + 10 * np.arange(size) / size) * (1 + 0.3 * np.sin(now / 13750))
    rate = random.normal(level, 3)
    return {"rate": rate, "counted rate": np.round(rate * 60) / 60, "queue": random.poisson(5, size).astype(float)}


def say(line: str) -> None:
    print(line)
    SAID.append(line)


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    random, fleet, windows = np.random.default_rng(7), fleet_of(size), 2
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/podium.db"
        Ledger.open(url).close()
        database = Database.open(url)
        history, adding, storing = History(database), list[float](), list[float]()
        for turn in range(int(windows * WINDOW_SECONDS / PACE) + 1):
            now = START + PACE * turn
            row = values(size, now, random)
            since = time.perf_counter()
            history.add(now, fleet, row)
            adding.append(time.perf_counter() - since)
            if history.due:
                since = time.perf_counter()
                history.store()
                storing.append(time.perf_counter() - since)
        database.close()
        stored = _sizes(Database.open(url))
        month = _read(Path(folder) / "month.db")
    say(f"{size:,} workloads x {len(KINDS)} signals, a turn every {PACE:g} s, a value a minute kept")
    say(f"adding: {statistics.mean(adding) * 1e3:.2f} ms a turn on the mean, {max(adding) * 1e3:.1f} ms at most")
    say(f"storing: {storing[0]:.2f} s the first half hour, {storing[-1]:.2f} s the next, in a thread")
    day = sum(stored.values()) / windows * 86400 / WINDOW_SECONDS
    for kind, size_of in stored.items():
        say(f"{kind:13} {size_of / (size * windows * WINDOW_SECONDS / 60):5.2f} bytes a sample")
    say(f"together {day / 1e6:,.0f} MB a day")
    say(f"thirty days of one workload and signal: {month[0]:,} values in {month[1] * 1e3:.0f} ms")
    if len(sys.argv) == 1:
        RESULT.write_text("\n".join(["# Samples kept", "", "```", *SAID, "```", ""]))


def _sizes(database: Database) -> dict[str, int]:
    import sqlalchemy as sa

    from podium.signals.history import schema

    columns = schema.chunk.c
    with database.read() as connection:
        rows = connection.execute(
            sa.select(columns.signal, sa.func.sum(sa.func.length(columns.payload))).group_by(columns.signal)
        ).all()
    database.close()
    return {signal: int(size) for signal, size in rows}


def _read(file: Path) -> tuple[int, float]:
    """A month of one full block of workloads."""
    random, fleet = np.random.default_rng(7), fleet_of(256)
    Ledger.open(f"sqlite:///{file}").close()
    database = Database.open(f"sqlite:///{file}")
    history = History(database)
    for minute in range(30 * 1440):
        now = START + 60 * minute
        history.add(now, fleet, {"rate": values(256, now, random)["rate"]})
        if history.due:
            history.store()
    key = fleet.slots[100].key
    assert key is not None
    since = time.perf_counter()
    found = history.read("rate", key, START, START + 30 * 86400)
    took = time.perf_counter() - since
    database.close()
    return len(found), took


if __name__ == "__main__":
    main()
