"""What Podium keeps of a pod: bytes of memory, CPU to take one event of a watch in, and to look at all of them once.

    python benchmarks/kept.py [--pods 10000] [--workloads 1000]

Pods are as an API server sends them, with managed fields, volumes, tolerations and statuses: some 5 KB of JSON each.
Beside it what keeping the decoded structs, and keeping the JSON as Python objects, would take.
"""

from __future__ import annotations

import argparse
import copy
import gc
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from podium.clients.kubernetes import objects, selectors
from podium.loop.clusters.kubernetes import kept, reading
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

ROOT = Path(__file__).resolve().parents[1]
TENANTS = 50


def pod(number: int, workload: int) -> dict[str, Any]:
    """One pod as the API server would send it."""
    app = f"service-{workload}"
    name, since = f"{app}-7d9c6b5f4-{number:05x}", "2026-11-21T12:00:00Z"
    labels = {"app": app, "app.kubernetes.io/part-of": f"tenant-{workload % TENANTS}", "pod-template-hash": "7d9c6b5f4"}
    quantity = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "250m", "memory": "512Mi"}}
    probe = {"httpGet": {"path": "/ready", "port": 8080, "scheme": "HTTP"}, "periodSeconds": 10, "timeoutSeconds": 1}
    mounts = [{"mountPath": f"/m{n}", "name": f"v{n}", "readOnly": True} for n in range(4)]
    container = {
        "name": "main", "image": f"registry.example/{app}:1.2.3", "resources": quantity, "readinessProbe": probe,
        "livenessProbe": probe, "volumeMounts": mounts, "imagePullPolicy": "IfNotPresent",
        "env": [{"name": f"SETTING_{n}", "value": "a value of ordinary length"} for n in range(12)],
    }  # fmt: skip
    types = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
    managed: list[dict[str, Any]] = [
        {"manager": who, "operation": "Update", "apiVersion": "v1", "time": since, "fieldsType": "FieldsV1",
         "fieldsV1": {f"f:{part}": {f"f:field{n}": {} for n in range(20)} for part in ("metadata", "spec", "status")}}
        for who in ("kube-controller-manager", "kubelet")
    ]  # fmt: skip
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name, "namespace": f"tenant-{workload % TENANTS}", "uid": f"{number:08x}-0-4-8-{workload:020x}",
            "resourceVersion": str(10_000_000 + number), "labels": labels, "managedFields": managed,
            "annotations": {"prometheus.io/scrape": "true", "prometheus.io/port": "9102"},
            "creationTimestamp": since,
        },
        "spec": {"containers": [container], "nodeName": f"node-{number % 100}", "serviceAccountName": app},
        "status": {
            "phase": "Running", "startTime": since, "podIP": "10.0.0.1", "hostIP": "10.1.0.1",
            "conditions": [{"type": one, "status": "True", "lastTransitionTime": since} for one in types],
        },
    }  # fmt: skip


def measured(lines: list[bytes], keep: Callable[[bytes], Any]) -> tuple[float, float]:
    """Bytes kept of each, and CPU seconds to take it in."""
    gc.collect()
    tracemalloc.start()  # first, while nothing is shared yet
    found = {number: keep(line) for number, line in enumerate(lines)}
    taken = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    begun = time.process_time()
    for line in lines:
        keep(line)
    seconds = time.process_time() - begun
    return taken / len(found), seconds / len(found)


def looked(lines: list[bytes], workloads: int) -> float:
    """CPU seconds of one look at all of them."""
    keys = [
        WorkloadKey("local", f"tenant-{n % TENANTS}", "deployment", "apps", f"service-{n}") for n in range(workloads)
    ]
    fleet = Fleet().revised({key: key.namespace for key in keys})
    seen = {key: kept.Workload(10, 10, "1", 1, selectors.parse(f"app={key.name}"), {}) for key in keys}
    decoder = msgspec.json.Decoder(objects.Pod)
    spaces: dict[str, list[kept.Pod]] = {key.namespace: [] for key in keys}
    for line in lines:
        one = decoder.decode(line)
        spaces[one.metadata.namespace].append(kept.pod(one))
    namespaces = {name: reading.Namespace(pods, []) for name, pods in spaces.items()}
    times = []
    for _ in range(5):
        begun = time.process_time()
        reading.observation(fleet, seen, namespaces, {})
        times.append(time.process_time() - begun)
    return min(times)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--workloads", type=int, default=1_000)
    asked = parser.parse_args()
    lines = [json.dumps(pod(number, number % asked.workloads)).encode() for number in range(asked.pods)]
    decoder = msgspec.json.Decoder(objects.Pod)
    ways: dict[str, Callable[[bytes], Any]] = {
        "Podium": lambda line: kept.pod(decoder.decode(line)),
        "the decoded structs": decoder.decode,
        "the JSON as Python objects": lambda line: copy.copy(json.loads(line)),
    }
    size = sum(map(len, lines)) / len(lines)
    rows = [
        f"| {name} | {taken:,.0f} | {seconds * 1e6:.1f} |"
        for name, (taken, seconds) in ((name, measured(lines, keep)) for name, keep in ways.items())
    ]
    text = "\n".join(
        [
            "# What is kept of a pod",
            "",
            f"`python benchmarks/kept.py`: {asked.pods:,} pods, {asked.workloads:,} workloads, {size:,.0f} bytes each.",
            "",
            "| kept | bytes a pod | CPU µs an event |",
            "|---|---|---|",
            *rows,
            "",
            f"One look at all of them, into a turn's arrays: {looked(lines, asked.workloads) * 1e3:.0f} ms of CPU.",
        ]
    )
    print(text)
    if len(sys.argv) == 1:  # what was asked otherwise is no figure to keep
        (ROOT / "benchmarks" / "results" / "kept.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
