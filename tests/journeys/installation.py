"""A small installation in a temporary folder, run as its own process and killed like one."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import numpy as np

from podium.ledger.ledger import Ledger
from podium.loop.clusters.simulated.store import WorldFile

START = "2026-03-02T06:00:00Z"
NAMES = ("web", "cart", "search", "mail")
TOKEN = "a-token-for-tests-only"

SETTINGS = """\
apiVersion: podium.dev/v1alpha1
kind: Settings
database: {{url: "{database}"}}
clusters:
  - {{name: local, {cluster}}}
sources:
  - {{name: measured, {source}}}
documents: {{path: policies}}
loop: {{{loop}, maxReduction: {{fraction: 1.0}}}}
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
metadata: {{name: {name}, namespace: {namespace}}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  mode: own
  replicas: {{min: 1, max: 500}}
  load: {{signal: load, capacityPerReplica: 10}}
"""
# What a forecast asked for is taken back when it asks for less: whoever shows that nothing is lowered does without one.
BY_LOAD_ALONE = "  forecast: {enabled: false}\n"


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


@dataclasses.dataclass(frozen=True)
class Write:
    """A change of replicas that the cluster accepted."""

    workload: str
    before: int
    after: int


@dataclasses.dataclass
class Installation:
    """One folder with settings, documents and a database. `writes` asks the cluster what it was made to change."""

    folder: Path
    database: str
    writes: Callable[[], list[Write]]
    process: subprocess.Popen[str] | None = None
    begun: int = 0  # where in the log the newest start begins
    name: str = "podium"

    @classmethod
    def lay(
        cls,
        folder: Path,
        loads: np.ndarray,
        *,
        history_minutes: int = 120,
        speed: float = 300.0,
        database: str = "",
        loop: str = "interval: 15s",
        more: str = "",
    ) -> Installation:
        """Write everything that `podium run` needs for a simulated cluster; `more` ends each policy's spec."""
        cluster = f"kind: simulated, simulation: {{scenario: scenario.yaml, speed: {speed}}}"
        policies = SIGNAL + "".join(POLICY.format(name=name, namespace="shop") + more for name in NAMES)
        source = "kind: replay, path: scenario.yaml"
        place = cls.written(
            folder, cluster, source, policies, lambda: _simulated_writes(folder), database=database, loop=loop
        )
        (folder / "scenario.yaml").write_text(scenario(len(loads), history_minutes))
        write_recording(folder / "load.csv", loads)
        return place

    @classmethod
    def written(
        cls,
        folder: Path,
        cluster: str,
        source: str,
        documents: str,
        writes: Callable[[], list[Write]],
        *,
        database: str = "",
        loop: str = "interval: 1s",
    ) -> Installation:
        """Settings and documents for any cluster. Without `database`, SQLite in the folder."""
        (folder / "policies").mkdir(parents=True)
        database = database or f"sqlite:///{folder}/podium.db"
        settings = SETTINGS.format(database=database, cluster=cluster, source=source, loop=loop)
        (folder / "podium.yaml").write_text(settings)
        (folder / "policies" / "shop.yaml").write_text(documents)
        (folder / "token").write_text(TOKEN)
        return cls(folder, database, writes)

    def twin(self) -> Installation:
        """A second process on the same settings and database."""
        return dataclasses.replace(self, process=None, begun=0, name="twin")

    @property
    def log(self) -> Path:
        """What all starts wrote to stderr."""
        return self.folder / f"{self.name}.log"

    def said(self, event: str = "") -> list[dict[str, Any]]:
        """What was logged, by all starts or only as `event`."""
        # A process that was killed in the middle of a line has the next one's first words behind it.
        lines = [text for text in self.log.read_text().splitlines() if text.startswith("{")]
        read = [json.JSONDecoder().raw_decode(line)[0] for line in lines]
        return [line for line in read if line["event"] == event or not event]

    def until_said(self, event: str, times: int = 1, seconds: float = 60.0) -> dict[str, Any]:
        """Wait until something was logged as `event` so many times; the newest such line."""
        deadline = time.monotonic() + seconds
        while len(lines := self.said(event)) < times:
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.1)
        return lines[-1]

    def until_turn(self, number: int, seconds: float = 60.0) -> None:
        """Wait for the turn of this number, counted over all starts."""
        deadline = time.monotonic() + seconds
        while self.asked("/api/v1/fleet")["tick"] < number:
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.2)

    def start(self, *arguments: str) -> None:
        """Start `podium run`; do not wait."""
        with self.log.open("a") as log:
            self.begun = log.tell()
            self.process = subprocess.Popen(
                [sys.executable, "-m", "podium.cli.main", "run", "--config", str(self.folder / "podium.yaml"),
                 "--log-format", "json", "--log-level", "debug", *arguments],
                stderr=log, stdout=subprocess.DEVNULL, cwd=self.folder, text=True,
                env=os.environ | {"XDG_STATE_HOME": str(self._state), "HOME": str(self.folder)},
            )  # fmt: skip

    def signal(self, number: int) -> None:
        """Send a signal to the process."""
        assert self.process is not None
        self.process.send_signal(number)

    def kill(self) -> None:
        """kill -9."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """kill -9, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def stop(self) -> int:
        """ctrl-C; the exit code."""
        self.signal(signal.SIGINT)
        return self.ended(15)

    def ended(self, seconds: float) -> int:
        """The exit code of a process that ends by itself."""
        assert self.process is not None
        return self.process.wait(timeout=seconds)

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
        request = urllib.request.Request(self.url() + path, headers={"Authorization": f"Bearer {TOKEN}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def asked(self, path: str) -> Any:
        """An answer of the API, read as JSON."""
        return json.loads(self.get(path))

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
        heads = next(self.folder.glob(".local/state/podium/*.heads"), None)  # of a server's database
        return Ledger.open(self.database, heads=heads)

    @property
    def _state(self) -> Path:
        return self.folder / ".local" / "state"


def _simulated_writes(folder: Path) -> list[Write]:
    file = "simulated-local.db"  # beside SQLite's own, else in the user's folder for state
    world = WorldFile(next(path for path in (folder / file, folder / ".local/state/podium" / file) if path.exists()))
    try:
        writes = [write for _, write in world.writes()]
    finally:
        world.close()
    accepted = [write for write in writes if write.action == "scale" and not write.refusal]
    return [Write(write.workload, write.before, write.after) for write in accepted]
