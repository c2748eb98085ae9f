"""A small installation in a temporary folder, run as its own process and killed like one."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from podium.ledger.ledger import Ledger
from podium.loop.clusters.simulated.store import WorldFile, Write

START = "2026-03-02T06:00:00Z"
NAMES = ("web", "cart", "search", "mail")

SETTINGS = """\
apiVersion: podium.dev/v1alpha1
kind: Settings
database: {{url: "sqlite:///{folder}/podium.db"}}
clusters:
  - {{name: local, kind: simulated, simulation: {{scenario: scenario.yaml, speed: {speed}}}}}
sources:
  - {{name: recorded, kind: replay, path: scenario.yaml}}
documents: {{path: policies}}
loop: {{interval: 15s, maxReduction: {{fraction: 1.0}}}}
api: {{listen: "127.0.0.1:0", token: "file:token"}}
"""

SIGNAL = """\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {name: load, namespace: shop}
spec: {unit: per_second, replay: {column: load}, interval: 60s, staleAfter: 3m}
"""

POLICY = """\
---
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  mode: own
  replicas: {{min: 1, max: 500}}
  load: {{signal: load, capacityPerReplica: 10}}
"""


def write_recording(path: Path, loads: np.ndarray) -> None:
    """A CSV with a column per workload, a row a minute."""
    rows = [",".join(NAMES), *(",".join(f"{value:.3f}" for value in row) for row in loads)]
    path.write_text("\n".join(rows) + "\n")


def scenario(minutes: int, history_minutes: int) -> str:
    """The scenario that plays `load.csv`, with quick and even starts."""
    workloads = "".join(
        f"""
    - namespace: shop
      name: {name}
      replicas: 3
      startup: {{distribution: uniform, median: 20s, spread: 0.5}}
      load: {{recording: rows, column: {name}, query: load}}"""
        for name in NAMES
    )
    return f"""\
apiVersion: podium.dev/v1alpha1
kind: Scenario
metadata: {{name: small}}
spec:
  start: {START}
  history: {history_minutes}m
  recordings:
    - {{name: rows, file: load.csv, step: 1m, period: {minutes}m, dataset: made for a test}}
  workloads:{workloads}
"""


def rising(minutes: int) -> np.ndarray:
    """Loads that never fall: whatever scales down does so without a reason. Noise rides on a steady climb."""
    random = np.random.default_rng(7)
    climb = np.linspace(20, 4 * minutes, minutes)[:, None] * np.array([1.0, 0.6, 1.4, 0.3])
    return np.maximum.accumulate(climb + random.uniform(0, 3, climb.shape), axis=0)


@dataclasses.dataclass
class Installation:
    """One folder with settings, documents, a scenario and a database."""

    folder: Path
    process: subprocess.Popen[str] | None = None
    begun: int = 0  # where in the log the newest start begins

    @classmethod
    def lay(cls, folder: Path, loads: np.ndarray, *, history_minutes: int = 120, speed: float = 300.0) -> Installation:
        """Write everything that `podium run` needs."""
        (folder / "policies").mkdir(parents=True)
        (folder / "podium.yaml").write_text(SETTINGS.format(folder=folder, speed=speed))
        (folder / "scenario.yaml").write_text(scenario(len(loads), history_minutes))
        (folder / "policies" / "shop.yaml").write_text(SIGNAL + "".join(POLICY.format(name=name) for name in NAMES))
        (folder / "token").write_text("a-token-for-tests-only")
        write_recording(folder / "load.csv", loads)
        return cls(folder)

    @property
    def log(self) -> Path:
        """What all starts wrote to stderr."""
        return self.folder / "log"

    def start(self, *arguments: str) -> None:
        """Start `podium run`; do not wait."""
        with self.log.open("a") as log:
            self.begun = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "podium.cli.main", "run", "--config", str(self.folder / "podium.yaml"),
                 "--log-format", "json", *arguments],
                stderr=log, stdout=subprocess.DEVNULL, cwd=self.folder, text=True,
                env=os.environ | {"XDG_STATE_HOME": str(self.folder / "state")},
            )  # fmt: skip

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def stop(self) -> int:
        """ctrl-C; the exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(timeout=15)

    def url(self) -> str:
        """Where the newest start listens, once it says so."""
        for _ in range(600):
            found = re.search(r"the page is at (http://\S+?)[/ ]", self.log.read_text()[self.begun :] + " ")
            if found:
                return found[1]
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def get(self, path: str) -> bytes:
        """An answer of the API."""
        request = urllib.request.Request(self.url() + path, headers={"Authorization": "Bearer a-token-for-tests-only"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def until_ready(self, seconds: float = 60.0) -> None:
        """Wait for the first turn of this start."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                self.get("/readyz")
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
            else:
                return
        raise AssertionError(f"not ready: {self.log.read_text()[-2000:]}")

    def ledger(self) -> Ledger:
        """The ledger, opened beside whoever uses it."""
        return Ledger.open(f"sqlite:///{self.folder}/podium.db")

    def writes(self) -> Iterable[Write]:
        """What the simulated cluster was asked to write."""
        world = WorldFile(self.folder / "simulated-local.db")
        try:
            return [write for _, write in world.writes()]
        finally:
            world.close()
