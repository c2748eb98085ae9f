"""The brief's figures, measured on whole processes: how soon Podium reacts, and ten thousand pods."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.brief.stage import figure
from tests.journeys.deployments import Deployments
from tests.journeys.installation import POLICY, START, Installation, _simulated_writes
from tests.journeys.loads import LoadServer, serving

from testbed.control_plane import ControlPlane

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
DEFAULT = "lease: 15s"  # nothing of the interval: it is the default of 15 s

SCENARIO = """\
apiVersion: podium.dev/v1alpha1
kind: Scenario
metadata: {{name: figures}}
spec:
  start: {start}
  history: 10m
  recordings:
    - {{name: rows, file: load.csv, step: 1m, period: 60m, dataset: made for a test}}
  workloads:
"""
WORKLOAD = """\
    - namespace: shop
      name: {name}
      replicas: {replicas}
      startup: {{distribution: uniform, median: 5s, spread: 0.5, pull: 1s}}
      requests: {{cpu: "1", memory: 1Gi}}
      usage: {{idle: {{cpu: 10m, memory: 64Mi}}, perLoad: {{cpu: 40m, memory: 10Mi}}}}
      load: {{recording: rows, column: {column}, query: load}}
"""
SIGNAL = """\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {{name: load, namespace: shop}}
spec: {{unit: per_second, {origin}, interval: 15s, staleAfter: 3m}}
"""
CPU = "  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 60}}}]\n"


def laid(
    folder: Path, names: list[str], replicas: int, *, source: str, origin: str, speed: float, rest: str = ""
) -> Installation:
    """A simulated cluster with these Deployments, each of which needs about as many replicas as it has."""
    policies = "".join(POLICY.format(name=name, namespace="shop") + rest for name in names)
    cluster = f"kind: simulated, simulation: {{scenario: scenario.yaml, speed: {speed:g}}}"
    documents = SIGNAL.format(origin=origin) + policies
    place = Installation.written(folder, cluster, source, documents, lambda: _simulated_writes(folder), loop=DEFAULT)
    workloads = "".join(
        WORKLOAD.format(name=name, replicas=replicas, column=f"c{number % 7}") for number, name in enumerate(names)
    )
    (folder / "scenario.yaml").write_text(SCENARIO.format(start=START) + workloads)
    loads = np.random.default_rng(5).uniform(9.3 * replicas, 9.9 * replicas, (60, 7))
    rows = [",".join(f"c{column}" for column in range(7)), *(",".join(f"{x:.3f}" for x in row) for row in loads)]
    (folder / "load.csv").write_text("\n".join(rows) + "\n")
    return place


@pytest.fixture
def loads() -> Iterator[LoadServer]:
    with serving("shop", lambda at: {"web": 19.0 + at % 1}) as server:
        yield server


def until(done: Callable[[], bool], place: Installation, seconds: float = 60.0) -> float:
    """Seconds until so."""
    begun = time.monotonic()
    while not done():
        assert time.monotonic() - begun < seconds, place.log.read_text()[-2000:]
        time.sleep(0.1)
    return time.monotonic() - begun


def test_the_simulated_cluster_is_written_to_within_thirty_seconds_of_a_step_in_load(
    loads: LoadServer, tmp_path: Path
) -> None:
    """Three steps at three places of the interval. What a real Prometheus adds is its own scrape interval."""
    source = f'kind: prometheus, url: "{loads.url}"'
    origin = "prometheus: {query: load}"
    place = laid(tmp_path / "here", ["web"], 2, source=source, origin=origin, speed=1)
    place.start()
    try:
        place.until_ready()
        took = []
        for number, replicas in enumerate((4, 7, 12)):
            time.sleep(1 + 4 * number)
            loads.loads = lambda at, replicas=replicas: {"web": 10.0 * replicas - at % 1}
            took.append(until(lambda number=number: len(place.writes()) > number, place))
    finally:
        place.end()
    figure(f"simulated cluster: written {', '.join(f'{one:.1f}' for one in took)} s after a step in load")
    assert max(took) < 30.0


@pytest.mark.cluster
def test_the_control_plane_is_written_to_within_thirty_seconds_of_a_step_in_load(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    """And three seconds, which these pods take to start, later, they serve."""
    deployments = Deployments(control_plane, namespace)
    deployments.make({"web": 2}, ready_after="3s")
    with serving(namespace, lambda at: {"web": 19.0 + at % 1}) as server:
        place = deployments.installation(tmp_path / "here", server.url, loop=DEFAULT)
        place.start()
        try:
            place.until_ready()
            written, ready = [], []
            for number, replicas in enumerate((4, 7, 12)):
                time.sleep(1 + 4 * number)
                begun = time.monotonic()
                server.loads = lambda at, replicas=replicas: {"web": 10.0 * replicas - at % 1}
                deployments.until(lambda seen, replicas=replicas: seen["web"][0] == replicas)
                written.append(time.monotonic() - begun)
                deployments.until(lambda seen, replicas=replicas: seen["web"] == (replicas, replicas))
                ready.append(time.monotonic() - begun)
        finally:
            place.end()
    figure(f"control plane: written {', '.join(f'{one:.1f}' for one in written)} s after a step in load")
    figure(f"control plane: ready {', '.join(f'{one:.1f}' for one in ready)} s after a step in load")
    assert max(ready) < 30.0


def seconds_a_turn(metrics: str) -> dict[str, float]:
    """The mean of each step, from `/metrics`."""
    turns = float(re.findall(r"^podium_turns_total (\S+)", metrics, re.MULTILINE)[0])
    steps = re.findall(r'^podium_step_seconds_sum{step="(\w+)"} (\S+)', metrics, re.MULTILINE)
    return {name: float(seconds) / turns for name, seconds in steps}


@pytest.mark.parametrize(("workloads", "replicas", "megabytes"), [(10, 10, 200), (250, 40, 400)])
def test_ten_thousand_pods_are_decided_on_within_the_interval_in_little_memory(
    workloads: int, replicas: int, megabytes: int, tmp_path: Path
) -> None:
    """At five times real time a turn has three seconds, of which the cluster's simulation takes its part, too."""
    names = [f"web-{number}" for number in range(workloads)]
    source, origin = "kind: replay, path: scenario.yaml", "replay: {column: load}"
    place = laid(tmp_path / "here", names, replicas, source=source, origin=origin, speed=5, rest=CPU)
    place.start()
    try:
        place.until_ready(120)
        until(lambda: place.asked("/api/v1/fleet")["tick"] >= 8, place, 120)
        metrics = place.get("/metrics").decode()
        rows = place.asked("/api/v1/workloads?limit=1000")["items"]
        assert place.process is not None
        status = Path(f"/proc/{place.process.pid}/status").read_text()
    finally:
        place.end()
    took = seconds_a_turn(metrics)
    peak = int(re.findall(r"VmHWM:\s+(\d+) kB", status)[0]) / 1024
    pods = sum(row["ready"] or 0 for row in rows)
    words = ", ".join(f"{step} {seconds:.3f}" for step, seconds in took.items())
    figure(f"{pods} pods: {sum(took.values()):.2f} s a turn ({words}), {peak:.0f} MB at most")
    assert pods >= 0.9 * workloads * replicas
    assert all(row["wanted"] is not None for row in rows)
    assert sum(took.values()) < 15.0
    assert peak < megabytes
