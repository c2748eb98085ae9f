"""An hour of `podium run` with 10,000 workloads: flat memory and descriptors, and no missed turn.

    python benchmarks/soak.py [--minutes 60] [--workloads 10000] [--keep FOLDER]

A simulated cluster in real time (a turn each 15 s), every workload written by Podium under a recorded wave at its own
hour, on SQLite. Each half minute: the resident memory, the open descriptors and the turns that `/metrics` counts. The
slope is fitted to the samples after the first quarter. The simulated cluster and its recordings live in the same
process.
"""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import math
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]
TOKEN = "a-token-for-a-soak-only"
EVERY = 30.0  # seconds between samples
READY = 900.0  # seconds within which the first turn comes
PER_NAMESPACE = 100

SETTINGS = """\
apiVersion: podium.dev/v1alpha1
kind: Settings
database: {url: "sqlite:///podium.db"}
clusters: [{name: local, kind: simulated, simulation: {scenario: scenario.yaml, speed: 1}}]
sources: [{name: measured, kind: replay, path: scenario.yaml}]
documents: {path: policies}
loop: {interval: 15s}
api: {listen: "127.0.0.1:0", token: "file:token"}
"""
SIGNAL = """\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {{name: load, namespace: {namespace}}}
spec: {{unit: per_second, replay: {{column: load}}, interval: 60s, staleAfter: 10m}}
"""
POLICY = """\
---
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  mode: own
  replicas: {{min: 1, max: 50}}
  metrics: [{{type: Resource, resource: {{name: cpu, target: {{type: Utilization, averageUtilization: 80}}}}}}]
  load: {{signal: load, capacityPerReplica: 50}}
"""
SCENARIO = """\
apiVersion: podium.dev/v1alpha1
kind: Scenario
metadata: {name: soak}
spec:
  start: "2026-03-02T06:00:00Z"
  history: 1h
  recordings: [{name: wave, file: wave.csv, step: 5m, period: 6h, dataset: a wave of six hours}]
  workloads:
"""
WORKLOAD = """\
    - namespace: {namespace}
      name: {name}
      replicas: 2
      startup: {{median: 20s, spread: 0.3, burst: 100m}}
      requests: {{cpu: 500m, memory: 256Mi}}
      usage: {{perLoad: {{cpu: 6m, memory: 1Mi}}}}
      load: {{recording: wave, column: load, query: load, skip: {skip}s}}
"""


@dataclasses.dataclass(frozen=True)
class Sample:
    """One look at the process; `at` in seconds since its first turn."""

    at: float
    rss: int  # bytes
    descriptors: int
    turns: int
    skipped: int


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--workloads", type=int, default=10_000)
    parser.add_argument("--keep", type=Path, help="a folder to run in and to leave behind")
    asked = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = asked.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        lay(folder, asked.workloads)
        text = soak(folder, asked.workloads, asked.minutes * 60)
    print(text)
    if asked.minutes >= 60:
        (ROOT / "benchmarks" / "results" / "soak.md").write_text(text)


def lay(folder: Path, count: int) -> None:
    """Write the installation."""
    (folder / "policies").mkdir(parents=True, exist_ok=True)
    (folder / "podium.yaml").write_text(SETTINGS)
    (folder / "token").write_text(TOKEN)
    wave = 80 + 50 * np.sin(np.arange(72) / 72 * 2 * math.pi) + 3 * np.random.default_rng(1).standard_normal(72)
    (folder / "wave.csv").write_text("load\n" + "\n".join(f"{value:.2f}" for value in wave) + "\n")
    names = [(f"team-{number // PER_NAMESPACE:04d}", f"web-{number % PER_NAMESPACE:02d}") for number in range(count)]
    for namespace in dict.fromkeys(namespace for namespace, _ in names):
        own = [name for space, name in names if space == namespace]
        policies = (POLICY.format(namespace=namespace, name=name) for name in own)
        (folder / "policies" / f"{namespace}.yaml").write_text(SIGNAL.format(namespace=namespace) + "".join(policies))
    workloads = (
        WORKLOAD.format(namespace=namespace, name=name, skip=300 * (number % 72))
        for number, (namespace, name) in enumerate(names)
    )
    (folder / "scenario.yaml").write_text(SCENARIO + "".join(workloads))


def soak(folder: Path, count: int, seconds: float) -> str:
    """Run it for so long after its first turn, and tell how it went."""
    began = time.monotonic()
    podium = [sys.executable, "-m", "podium.cli.main", "run", "--config", "podium.yaml", "--log-level", "warning"]
    with (folder / "log").open("wb") as log, subprocess.Popen(podium, cwd=folder, stderr=log) as process:
        try:
            url = awaited(folder, process)
            started = time.monotonic() - began
            samples = list(sampled(process.pid, url, seconds))
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
    return report(samples, count, started, process.returncode, (folder / "log").read_text())


def awaited(folder: Path, process: subprocess.Popen[bytes]) -> str:
    """The address, once the first turn was made."""
    for _ in range(int(READY)):
        if process.poll() is not None:
            sys.exit(f"podium ended with {process.returncode}:\n{(folder / 'log').read_text()}")
        found = re.search(r"http://127\.0\.0\.1:\d+", (folder / "log").read_text())
        if found and counted(found[0])[0] > 0:
            return found[0]
        time.sleep(1.0)
    sys.exit(f"no turn within {READY:g} s:\n{(folder / 'log').read_text()}")


def sampled(pid: int, url: str, seconds: float) -> Iterator[Sample]:
    """A sample now and then."""
    began = time.monotonic()
    while (at := time.monotonic() - began) <= seconds:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
        turns, skipped = counted(url)
        descriptors = sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())
        yield Sample(at, pages * os.sysconf("SC_PAGESIZE"), descriptors, turns, skipped)
        time.sleep(EVERY)


def counted(url: str) -> tuple[int, int]:
    """(turns, moments without one), as `/metrics` tells; (0, 0) while nothing answers."""
    asked = urllib.request.Request(f"{url}/metrics", headers={"Authorization": f"Bearer {TOKEN}"})
    try:
        with urllib.request.urlopen(asked, timeout=20) as answer:
            text = answer.read().decode()
    except OSError:
        return 0, 0
    numbers = (re.search(rf"^{name} (\S+)$", text, re.MULTILINE) for name in
               ("podium_turns_total", "podium_turns_skipped_total"))  # fmt: skip
    turns, skipped = (int(float(found[1])) if found else 0 for found in numbers)
    return turns, skipped


def report(samples: list[Sample], count: int, started: float, code: int, log: str) -> str:
    """The table, as Markdown."""
    settled = samples[len(samples) // 4 :]
    hours = np.array([sample.at for sample in settled]) / 3600
    memory = np.array([sample.rss for sample in settled]) / 1e6
    slope = float(np.polyfit(hours, memory, 1)[0]) if len(settled) > 2 else math.nan
    first, last, open_ = samples[0], samples[-1], [sample.descriptors for sample in samples]
    sizes = [sample.rss / 1e6 for sample in samples]
    shown = (sizes[0], float(np.median(sizes)), max(sizes), sizes[-1])
    rows = [
        f"# {last.at / 60:.0f} minutes of `podium run` with {count:,} workloads\n",
        (__doc__ or "").partition("\n\n")[2].partition("\n\n")[2].strip() + "\n",
        "| | |\n|---|---|",
        f"| start to the first turn | {started:.0f} s |",
        f"| turns made | {last.turns - first.turns} |",
        f"| moments without a turn | {last.skipped - first.skipped} |",
        f"| resident MB: first / median / largest / last | {' / '.join(f'{one:.0f}' for one in shown)} |",
        f"| its slope after the first quarter | {slope:+.1f} MB an hour |",
        f"| open descriptors: fewest / most | {min(open_)} / {max(open_)} |",
        f"| exit code; lines of the log at warning or above | {code}; {len(log.splitlines()) - 4} |",
        "\n| minute | MB | descriptors | turns | missed |",
        "|---|---|---|---|---|",
    ]
    rows += [
        f"| {one.at / 60:.1f} | {one.rss / 1e6:.0f} | {one.descriptors} | {one.turns} | {one.skipped} |"
        for one in samples[:: max(len(samples) // 12, 1)]
    ]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    main()
