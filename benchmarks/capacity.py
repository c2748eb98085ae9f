"""What a replica serves, learned by the loop's own learner, against the truth of plants and a recorded day.

    python benchmarks/capacity.py [FILE]        pod metrics, by default ../shared/data/rca/nezha/pod_metrics.parquet

Plants: 50 workloads each, capacities from 1/20 to 20 of a middle one, load swinging by 60 % over a day, CPU with 8 % of
noise and requests whose cost wanders by 10 % within hours, scaled by a plain HPA (`tests/loop/capacity/plants.py`).
What is used is told over the truth; `inside` is how often the truth lies within the margin.

Recorded: Online Boutique, one pod a service, CPU in millicores against operations. The line is learned on one day and
asked for the CPU of every half hour of the other; beside it the plain ratio of CPU to load of the first day.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import duckdb
import numpy as np

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.loop.capacity.plants import Plant, by_cpu, by_latency, live, snapshot  # noqa: E402

from podium.loop.capacity import line  # noqa: E402
from podium.loop.capacity.capacities import Capacities  # noqa: E402
from podium.loop.decide.table import Learning  # noqa: E402

SIZE = 50
SCENES = (
    ("CPU target 70 %, HPA at 70 %", "cpu", 0.7, 1.0),
    ("CPU target 70 %, HPA at 50 %", "cpu", 0.5, 1.0),
    ("CPU target 70 %, HPA at 25 %", "cpu", 0.25, 1.0),
    ("latency 250 ms, HPA at 70 %", "latency", 0.7, 1.0),
    ("latency 250 ms, HPA at 60 %", "latency", 0.6, 1.0),
    ("CPU, capacity halved after two days", "cpu", 0.7, 0.5),
    ("CPU, capacity doubled after two days", "cpu", 0.7, 2.0),
    ("latency, capacity halved after two days", "latency", 0.65, 0.5),
)


def main() -> None:
    file = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT.parent / "shared/data/rca/nezha/pod_metrics.parquet"
    print("| plant | after | known | used / truth: 5 % | median | 95 % | largest | estimate off | inside |")
    print("|---|---:|---:|---:|---:|---:|---:|---:|---:|")
    for words, basis, scaled_at, change in SCENES:
        _scene(words, by_cpu(SIZE) if basis == "cpu" else by_latency(SIZE), scaled_at, change)
    _cost()
    if file.exists():
        _recorded(file)


def _scene(words: str, learning: Learning, scaled_at: float, change: float) -> None:
    truth = 84.0 * np.exp(np.random.default_rng(7).normal(0, 1.0, SIZE))
    plant, capacities = Plant(truth.copy(), scaled_at=scaled_at), Capacities()
    passed = 0.0
    stops = (3.0, 12.0, 48.0) if change == 1.0 else (48.0, 49.0, 50.0, 54.0, 72.0)
    for hours in stops:
        known = live(plant, capacities, learning, hours - passed)
        passed = hours
        used, off = known.used / plant.capacity, np.abs(known.estimate / plant.capacity - 1)
        claimed = used[~np.isnan(used)]
        spread = (
            [f"{x:.2f}" for x in (*np.quantile(claimed, (0.05, 0.5, 0.95)), claimed.max())] if len(claimed) else "----"
        )
        margin = known.margin / plant.capacity
        inside = f"{np.mean(off <= margin):.0%}" if not np.isnan(margin).all() else "at least"
        cells = (words, f"{hours:g} h", f"{len(claimed) / SIZE:.0%}", *spread, f"{np.nanmedian(off):.0%}", inside)
        print("| " + " | ".join(cells) + " |")
        if change != 1.0 and hours == 48.0:
            plant.capacity = plant.capacity * change


def _cost() -> None:
    """Time and memory of a large fleet."""
    size = 100_000
    learning, capacities = by_cpu(size), Capacities()
    ready = np.full(size, 10.0)
    load, cpu = np.full(size, 500.0), np.full(size, 0.5)
    spent = []
    for number in range(45):
        seen = snapshot(1_800_000_000.0 + 15.0 * number, ready, load, cpu)
        begun = time.perf_counter()
        capacities.follow(seen, learning, load, ())
        spent.append(time.perf_counter() - begun)
    kept = sum(array.nbytes for array in capacities.checkpoint().values()) / size
    print(f"\n{size:,} workloads with ten pods each: {1e3 * np.median(spent):.0f} ms a turn, {1e3 * max(spent):.0f} ms "
          f"in the turn that ends five minutes, {kept:.0f} bytes a workload")  # fmt: skip


def _recorded(file: Path) -> None:
    rows = duckdb.sql(
        f"""select regexp_replace("PodName", '-[0-9a-f]+-[0-9a-z]+$', '') as service, day, "TimeStamp" as moment,
        sum("CpuUsage(m)") as cpu, sum("PodWorkload(Ops)") as load from '{file}'
        where "PodWorkload(Ops)" > 0 group by all order by service, moment"""
    ).fetchall()
    print("\n| service | minutes | CPU of the other day's half hours is off by | by the ratio alone |")
    print("|---|---:|---:|---:|")
    found = []
    for service in sorted({row[0] for row in rows}):
        mine = [row for row in rows if row[0] == service]
        days = sorted({row[1] for row in mine})
        if len(days) < 2 or min(sum(row[1] == day for row in mine) for day in days[:2]) < 240:
            continue
        off = [_foretold(mine, *pair) for pair in ((days[0], days[1]), (days[1], days[0]))]
        ours, plain = np.mean(off, axis=0)
        found.append((ours, plain))
        print(f"| {service} | {len(mine)} | {ours:.1%} | {plain:.1%} |")
    if found:
        ours, plain = np.median(found, axis=0)
        print(f"| median | | {ours:.1%} | {plain:.1%} |")


def _foretold(rows: list[tuple[str, str, int, float, float]], day: str, other: str) -> tuple[float, float]:
    """Median relative error of the CPU of the other day's half hours, by the line and by the ratio of one day."""
    first, second = (np.array([row[3:] for row in rows if row[1] == one]) for one in (day, other))
    scale = np.quantile(first[:, 0], 0.95)  # a request such that a busy pod uses all of it
    sums = np.zeros((line.SUMS, 1), np.float32)
    for cpu, load in first:
        minute = np.array([[load], [cpu / scale], [load]])
        weight = line.trust(sums, line.fit(sums), minute[0], minute[1], np.ones(1, np.bool_))
        sums = line.learn(sums, minute, weight, 1.0)
    halves = second[: len(second) // 30 * 30].reshape(-1, 30, 2).mean(axis=1)
    cpu, load = halves.T
    fitted, ratio = scale * line.fit(sums).of(load), first[:, 0].mean() / first[:, 1].mean() * load
    return float(np.median(np.abs(fitted / cpu - 1))), float(np.median(np.abs(ratio / cpu - 1)))


if __name__ == "__main__":
    main()
