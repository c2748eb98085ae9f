"""Ten thousand writes to /scale in one tick, beside a client-go program of ours that does the same.

    python benchmarks/scale_writes.py [--workloads 10000] [--rounds 3]

One API server and one etcd of the testbed; its controllers are frozen, so that nobody else moves a version or takes
the machine's time. Both sides write every Deployment with the version that it was seen at, 32 writes under way, and
neither limits itself. Podium's side is the loop's own: the cluster adapter and `carry_out` with its recheck. They take
turns, and whoever asks is an ordinary service account, so that the API server's fairness holds for both.
"""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import hashlib
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from podium.clients.kubernetes import errors, kubeconfig, objects  # noqa: E402  (testbed lies beside, not in, the package)
from podium.clients.kubernetes.client import Client  # noqa: E402
from podium.clients.kubernetes.where import Where  # noqa: E402
from podium.loop.act.carry_out import Fate, carry_out  # noqa: E402
from podium.loop.clusters.kubernetes.cluster import KubernetesCluster  # noqa: E402
from podium.model.command import Scale  # noqa: E402
from podium.model.fleet import Fleet  # noqa: E402
from podium.model.identity import WorkloadKey  # noqa: E402
from testbed import binaries  # noqa: E402
from testbed.control_plane import ControlPlane  # noqa: E402

PEER = ROOT / "benchmarks" / "peers" / "scale"
TENANTS = 50
AT_ONCE = 32


@dataclasses.dataclass(frozen=True)
class Round:
    """What one side needed for all writes. CPU seconds are those of the writer and of the API server."""

    written: int
    conflicts: int
    failed: int
    throttled: int
    seconds: float
    cpu: float
    server_cpu: float


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--workloads", type=int, default=10_000)
    asked.add_argument("--rounds", type=int, default=3)
    options = asked.parse_args()
    try:
        peer, programs = built(), binaries.all_programs(say)
    except binaries.Missing as missing:
        print(missing)
        return  # who has no Go may still run the other benchmarks
    with tempfile.TemporaryDirectory() as folder, ControlPlane(Path(folder), programs, nodes=0) as plane:
        for idle in ("kube-controller-manager", "kube-scheduler", "kwok"):
            plane.freeze(idle)
        text = asyncio.run(measure(plane, peer, options.workloads, options.rounds))
        for idle in ("kube-controller-manager", "kube-scheduler", "kwok"):
            plane.thaw(idle)
    print(text)
    if len(sys.argv) == 1:  # what was asked otherwise is no figure to keep
        (ROOT / "benchmarks" / "results" / "scale-writes.md").write_text(text + "\n")


async def measure(plane: ControlPlane, peer: Path, workloads: int, rounds: int) -> str:
    file = service_account(plane)
    fleet = await make(plane, workloads)
    ours: list[Round] = []
    theirs: list[Round] = []
    cluster = KubernetesCluster("local", Client(kubeconfig.load([file]), timeout_seconds=60.0))
    try:
        for number in range(rounds):
            ours.append(await podium_writes(plane, cluster, fleet, 2 * number + 1))
            theirs.append(await asyncio.to_thread(client_go_writes, plane, peer, file, 2 * number + 2))
    finally:
        await cluster.close()
    return "\n".join(report(workloads, rounds, ours, theirs))


def report(workloads: int, rounds: int, ours: list[Round], theirs: list[Round]) -> list[str]:
    cores = os.cpu_count()
    said = f"medians of {rounds} rounds that take turns; writer, API server and etcd share {cores} cores"
    return [
        f"# {workloads:,} writes to /scale in one tick",
        "",
        f"`python benchmarks/scale_writes.py`: {said}; {AT_ONCE} writes are under way.",
        "",
        "| | written | 409 | 429 | failed | seconds | a second | CPU s of the writer | CPU s of the API server |",
        "|---|---|---|---|---|---|---|---|---|",
        row("Podium", ours),
        row("client-go", theirs),
    ]


def row(name: str, rounds: list[Round]) -> str:
    middle = {one.name: statistics.median(getattr(r, one.name) for r in rounds) for one in dataclasses.fields(Round)}
    counts = " | ".join(f"{middle[one]:,.0f}" for one in ("written", "conflicts", "throttled", "failed"))
    rate = middle["written"] / middle["seconds"]
    spent = " | ".join(f"{middle[one]:.2f}" for one in ("cpu", "server_cpu"))
    return f"| {name} | {counts} | {middle['seconds']:.2f} | {rate:,.0f} | {spent} |"


async def podium_writes(plane: ControlPlane, cluster: KubernetesCluster, fleet: Fleet, replicas: int) -> Round:
    seen = await cluster.observe(fleet)
    commands = [
        Scale(
            slot=slot,
            key=key,
            current=int(seen.replicas[slot]),
            replicas=replicas,
            resource_version=seen.resource_versions[slot],
            epoch=0,
        )
        for key, slot in fleet.index.items()
    ]
    begun, used, server = time.perf_counter(), time.process_time(), cpu_of(plane)
    results = await carry_out(cluster, commands, lambda _: "")
    seconds, used, server = time.perf_counter() - begun, time.process_time() - used, cpu_of(plane) - server
    fates = [result.fate for result in results]
    throttled = sum("HTTP 429" in result.words for result in results)
    return Round(
        fates.count(Fate.WRITTEN), fates.count(Fate.REFUSED), fates.count(Fate.FAILED) - throttled, throttled,
        seconds, used, server,
    )  # fmt: skip


def client_go_writes(plane: ControlPlane, peer: Path, file: Path, replicas: int) -> Round:
    server = cpu_of(plane)
    command = [str(peer), f"-kubeconfig={file}", f"-replicas={replicas}", f"-workers={AT_ONCE}"]
    answer = json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)
    return Round(**answer, server_cpu=cpu_of(plane) - server)


async def make(plane: ControlPlane, workloads: int) -> Fleet:
    """Deployments without replicas, spread over the namespaces of fifty tenants."""
    say(f"creating {workloads:,} Deployments …")
    client, gate = Client(kubeconfig.load([plane.kubeconfig]), timeout_seconds=60.0), asyncio.Semaphore(AT_ONCE)
    keys = [
        WorkloadKey("local", f"tenant-{number % TENANTS}", "deployment", "apps", f"w{number}")
        for number in range(workloads)
    ]

    async def create(where: Where, document: dict[str, object]) -> None:
        async with gate:
            for _ in range(5):
                try:
                    await client.create(where, document, objects.Object)
                    return
                except errors.Temporary:
                    await asyncio.sleep(1.0)
            raise SystemExit(f"{where.path} cannot be created")

    namespaces = Where(group="", version="v1", resource="namespaces")
    for name in dict.fromkeys(key.namespace for key in keys):
        await create(namespaces, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    await asyncio.gather(*(create(deployments(key.namespace), deployment(key)) for key in keys))
    await client.close()
    return Fleet().revised({key: key.namespace for key in keys})


def deployments(namespace: str) -> Where:
    return Where(group="apps", version="v1", resource="deployments", namespace=namespace)


def deployment(key: WorkloadKey) -> dict[str, object]:
    labels = {"app": key.name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": key.name, "namespace": key.namespace, "labels": {"bench": "writes"}},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "main", "image": "none"}]},
            },
        },
    }


def service_account(plane: ControlPlane) -> Path:
    """The kubeconfig of an account that may read and scale Deployments, and is nobody special."""
    plane.kubectl("create", "serviceaccount", "writer", "-n", "default")
    rules = ["--verb=get,list,watch,update,patch", "--resource=deployments.apps,deployments.apps/scale,pods"]
    plane.kubectl("create", "clusterrole", "writer", *rules)
    plane.kubectl("create", "clusterrolebinding", "writer", "--clusterrole=writer", "--serviceaccount=default:writer")
    token = plane.kubectl("create", "token", "writer", "-n", "default", "--duration=4h").strip()
    document = json.loads(plane.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    file = plane.folder / "writer.kubeconfig"
    file.write_text(json.dumps(document))
    return file


def cpu_of(plane: ControlPlane) -> float:
    """CPU seconds of the API server so far."""
    return plane.cpu_seconds("kube-apiserver")


def built() -> Path:
    """The client-go program, built now where it is missing."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(PEER.glob("*.*")))).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "podium" / "peers" / f"scale-{digest}"
    program = cache / "scale"
    if not os.access(program, os.X_OK):
        go = shutil.which("go")
        if go is None:
            raise binaries.Missing(binaries.HOW)
        say("building benchmarks/peers/scale (a minute, once) …")
        cache.mkdir(parents=True, exist_ok=True)
        part = cache / f".scale.{os.getpid()}"
        without_c = os.environ | {"CGO_ENABLED": "0", "GOWORK": "off", "GOFLAGS": ""}
        subprocess.run([go, "build", "-trimpath", "-o", str(part), "."], cwd=PEER, env=without_c, check=True)
        part.rename(program)
    return program


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
