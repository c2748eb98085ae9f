"""From a step of the load to the write of /scale, by Podium and by the native HPA controller on one API server.

    python benchmarks/latency.py [--pods 10000] [--workloads 1000] [--tenants 50] [--stepped 100] [--trials 30]

A control plane of the testbed with KWOK in place of kubelets. First everything is quiet, and what a tick asks and costs
is counted; then in every trial the load of `--stepped` workloads leaps by three tenths, or back, at a random moment of
the interval, and a watch notes when `spec.replicas` follows. Podium reads it from a Prometheus, then is told it by
remote write, every `--push` seconds and when it leaps; the HPA controller reads it from external.metrics.k8s.io. All
that is in this process. Podium goes first, then an HPA for every workload does.
What was asked of the API server is counted from its audit log, by who asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterable
from pathlib import Path

import aiohttp
import numpy as np

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from cluster import objects as made  # noqa: E402  (the testbed lies beside, not in, the package)
from cluster.load import Loads, remote_write, serving  # noqa: E402

from podium.clients.kubernetes import kubeconfig, objects  # noqa: E402
from podium.clients.kubernetes.client import Client  # noqa: E402
from podium.clients.kubernetes.informer import Informer  # noqa: E402
from podium.clients.kubernetes.where import Where  # noqa: E402
from podium.model.clock import wall_clock  # noqa: E402
from testbed import binaries, certificates  # noqa: E402
from testbed.control_plane import ControlPlane  # noqa: E402

STEP = 1.3  # the HPA's tolerance is a tenth
PATIENCE_SECONDS = 90.0  # for all stepped workloads of a trial
TOKEN = "a-token-for-a-bench"
PODIUM, NATIVE = "system:serviceaccount:default:podium", "system:serviceaccount:kube-system:horizontal-pod-autoscaler"
AUDIT = f"""
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: Metadata
    users: ["{PODIUM}", "{NATIVE}"]
  - level: None
"""
SETTINGS = """\
apiVersion: podium.dev/v1alpha1
kind: Settings
database: {{url: "sqlite:///{folder}/podium.db"}}
clusters: [{{name: local, kind: kubernetes, kubeconfig: "{kubeconfig}"}}]
sources: [{source}]
documents: {{path: policies}}
loop: {{interval: {interval}s, lease: 15s, maxReduction: {{fraction: 1.0}}, history: 0s}}
api: {{listen: "127.0.0.1:{door}", token: "file:token"}}
"""


@dataclasses.dataclass
class Side:
    """What one of the two did."""

    name: str
    seconds: list[float] = dataclasses.field(default_factory=list)  # of each step that was followed
    missed: int = 0
    quiet_requests: float = 0.0  # of the API server, a minute
    quiet_cpu: float = 0.0  # CPU seconds a minute
    stepped_cpu: float = 0.0  # CPU seconds a trial
    resident: int = 0  # bytes

    def row(self) -> str:
        """A line of the table."""
        p50, p99, most = np.percentile(self.seconds, [50, 99, 100]) if self.seconds else (np.nan,) * 3
        return (
            f"| {self.name} | {len(self.seconds):,} | {self.missed} | {p50:.2f} | {p99:.2f} | {most:.2f} | "
            f"{self.quiet_requests:.0f} | {self.quiet_cpu:.2f} | {self.stepped_cpu:.2f} | {self.resident / 1e6:.0f} |"
        )


class Bench:
    """The cluster, the load, and the watch that sees what follows."""

    def __init__(self, asked: argparse.Namespace, plane: ControlPlane, client: Client, loads: Loads) -> None:
        self.asked = asked
        self.plane = plane
        self.client = client
        self.loads = loads
        self.keys = list(loads)
        self.wrote: dict[made.Key, tuple[int, float]] = {}  # replicas, and since when (monotonic)
        self.pusher: Pusher | None = None  # who tells Podium; None: it asks
        self._random = random.Random(1)
        self._audited = 0

    def saw(self, one: objects.Workload) -> objects.Workload:
        """A change of a Deployment, as the watch tells it."""
        key = one.metadata.namespace, one.metadata.name
        if self.wrote.get(key, (None,))[0] != one.spec.replicas:
            self.wrote[key] = one.spec.replicas, time.monotonic()
        return one

    async def measured(self, side: Side, user: str, cpu: Callable[[], float], resident: Callable[[], int]) -> Side:
        """A quiet minute, then the trials."""
        say(f"{side.name}: warming up …")
        await self.trial(0, None)
        await self.trial(0, None)
        await asyncio.sleep(self.asked.settle)
        say(f"{side.name}: quiet for {self.asked.quiet:g} s …")
        self.requests(user)
        before = cpu()
        await asyncio.sleep(self.asked.quiet)
        side.quiet_cpu, side.quiet_requests = cpu() - before, self.requests(user)
        side.quiet_cpu *= 60 / self.asked.quiet
        side.quiet_requests *= 60 / self.asked.quiet
        before = cpu()
        for number in range(self.asked.trials):
            await self.trial(number, side)
            say(f"{side.name}: trial {number + 1} of {self.asked.trials}, {len(side.seconds)} steps followed")
        side.stepped_cpu, side.resident = (cpu() - before) / self.asked.trials, resident()
        return side

    async def trial(self, number: int, side: Side | None) -> None:
        """Half of the trials step up, the other half takes the same workloads back."""
        first = number // 2 * self.asked.stepped % len(self.keys)
        group = (self.keys[first:] + self.keys[:first])[: self.asked.stepped]
        await asyncio.sleep(self._random.uniform(0, max(self.asked.interval, self.asked.hpa)))
        begun, wanted = time.monotonic(), dict[made.Key, int]()
        for key in group:
            up = self.wrote[key][0] <= self.asked.replicas
            self.loads[key] = made.PER_REPLICA * self.asked.replicas * (STEP if up else 1.0) - 0.5
            wanted[key] = round(self.asked.replicas * (STEP if up else 1.0))
        if self.pusher is not None:
            await self.pusher.push(group)
        while missing := [key for key in group if self.wrote[key][0] != wanted[key]]:
            if time.monotonic() > begun + PATIENCE_SECONDS:
                break
            await asyncio.sleep(0.05)
        if side is not None:
            side.missed += len(missing)
            side.seconds += [self.wrote[key][1] - begun for key in group if key not in missing]
        await asyncio.sleep(self.asked.settle)

    def requests(self, user: str) -> int:
        """What a user asked since the last call."""
        events = self.plane.audit()
        found = [event for event in events[self._audited :] if event["user"]["username"] == user]
        self._audited = len(events)
        return len(found)


async def compare(asked: argparse.Namespace, plane: ControlPlane, folder: Path) -> list[Side]:
    keys = [(f"tenant-{number % asked.tenants}", f"w{number}") for number in range(asked.workloads)]
    loads: Loads = dict.fromkeys(keys, made.PER_REPLICA * asked.replicas - 0.5)
    client = Client(kubeconfig.load([plane.kubeconfig]), timeout_seconds=60.0)
    tls = certificates.Authority(folder / "loads").server("loads")
    with serving(loads) as prometheus, serving(loads, tls) as adapter:
        bench = Bench(asked, plane, client, loads)
        async with watched(bench, client):
            await fill(bench, client)
            sides, access = [], service_account(plane)
            wire = f'{{name: measured, kind: prometheus, url: "http://127.0.0.1:{prometheus.port}"}}'
            pull = Run(access, wire, made.policies(keys), asked.interval)
            async with podium(asked, folder, pull) as process:
                ours = Side(f"Podium, asking every {asked.interval:g} s")
                sides.append(await bench.measured(ours, PODIUM, lambda: cpu_of(process), lambda: resident_of(process)))
            told = Run(access, "{name: told, kind: push}", made.policies(keys, made.PUSHED), asked.grid)
            async with podium(asked, folder, told) as process, pushing(bench, told.door):
                ours = Side(f"Podium, told at once, turning every {asked.grid:g} s by itself")
                sides.append(await bench.measured(ours, PODIUM, lambda: cpu_of(process), lambda: resident_of(process)))
            if not asked.alone:
                await made.create(client, made.external_metrics(adapter.port))
                await asyncio.sleep(5.0)
                await made.create(client, map(made.autoscaler, keys))
                theirs = Side(f"HPA controller, every {asked.hpa} s (the whole controller-manager)")
                manager = "kube-controller-manager"
                sides.append(
                    await bench.measured(
                        theirs, NATIVE, lambda: plane.cpu_seconds(manager), lambda: plane.resident_bytes(manager)
                    )
                )
    await client.close()
    return sides


async def fill(bench: Bench, client: Client) -> None:
    say(f"creating {len(bench.keys):,} Deployments of {bench.asked.replicas} pods …")
    await made.create(client, map(made.namespace, sorted({key[0] for key in bench.keys})))
    await made.create(client, [made.deployment(key, bench.asked.replicas) for key in bench.keys])
    pods = Where(group="", version="v1", resource="pods")
    wanted, found = len(bench.keys) * bench.asked.replicas, 0
    while found < wanted:
        await asyncio.sleep(5.0)
        listed, _ = await client.list_all(pods, objects.Pod, version="0")
        found = sum(one.status.phase == "Running" for one in listed)
        say(f"{found:,} of {wanted:,} pods run")
    await asyncio.sleep(bench.asked.settle)


@contextlib.asynccontextmanager
async def watched(bench: Bench, client: Client) -> AsyncIterator[None]:
    where = Where(group="apps", version="v1", resource="deployments")
    informer = Informer[objects.Workload](
        client, where, objects.Workload, lambda one: (one.metadata.namespace, one.metadata.name), keep=bench.saw
    )
    task = asyncio.create_task(informer.run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


@dataclasses.dataclass
class Run:
    """How a Podium is started."""

    access: Path  # kubeconfig
    source: str
    policies: str
    interval: float
    door: int = dataclasses.field(default_factory=free_port)


class Pusher:
    """Tells Podium by Prometheus' remote write."""

    def __init__(self, bench: Bench, session: aiohttp.ClientSession, door: int) -> None:
        self._bench = bench
        self._session = session
        self._url = f"http://127.0.0.1:{door}/ingest/remote-write"

    async def push(self, keys: Iterable[made.Key]) -> None:
        """Push the present load of `keys`; what is not taken ends the bench."""
        body = remote_write({key: self._bench.loads[key] for key in keys}, wall_clock())
        async with self._session.post(self._url, data=body) as answer:
            if answer.status != 204:
                raise SystemExit(f"pushed: {answer.status}: {await answer.text()}")

    async def keep(self) -> None:
        """Push everything again and again."""
        while True:
            await self.push(self._bench.keys)
            await asyncio.sleep(self._bench.asked.push)


@contextlib.asynccontextmanager
async def pushing(bench: Bench, door: int) -> AsyncIterator[None]:
    """While inside, Podium is told."""
    headers = {
        "Authorization": f"Bearer {TOKEN}",
        "Content-Type": "application/x-protobuf",
        "Content-Encoding": "snappy",
    }
    async with aiohttp.ClientSession(headers=headers) as session:
        bench.pusher = Pusher(bench, session, door)
        keeping = asyncio.create_task(bench.pusher.keep())
        try:
            yield
        finally:
            bench.pusher = None
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)


@contextlib.asynccontextmanager
async def podium(asked: argparse.Namespace, folder: Path, run: Run) -> AsyncIterator[int]:
    """A `podium run` over all of them; yields its process id."""
    (folder / "policies").mkdir(exist_ok=True)
    (folder / "policies" / "all.yaml").write_text(run.policies)
    (folder / "token").write_text(TOKEN)
    settings = SETTINGS.format(
        folder=folder, kubeconfig=run.access, source=run.source, interval=run.interval, door=run.door
    )
    (folder / "podium.yaml").write_text(settings)
    command = [sys.executable, "-m", "podium.cli.main", "run", "--config", str(folder / "podium.yaml")]
    with (folder / "podium.log").open("w") as log:
        environment = os.environ | {"HOME": str(folder), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        process = await asyncio.to_thread(
            subprocess.Popen, command, stdout=log, stderr=log, cwd=folder, env=environment
        )
    try:
        await asyncio.sleep(asked.settle)
        if process.poll() is not None:
            raise SystemExit(f"podium ended:\n{(folder / 'podium.log').read_text()[-3000:]}")
        yield process.pid
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def service_account(plane: ControlPlane) -> Path:
    """A kubeconfig whose bearer is somebody of his own in the audit log."""
    plane.kubectl("create", "serviceaccount", "podium", "-n", "default")
    plane.kubectl(
        "create", "clusterrolebinding", "podium", "--clusterrole=cluster-admin", "--serviceaccount=default:podium"
    )
    token = plane.kubectl("create", "token", "podium", "-n", "default", "--duration=8h").strip()
    document = json.loads(plane.kubeconfig.read_text())
    document["users"][0]["user"] = {"token": token}
    file = plane.folder / "podium.kubeconfig"
    file.write_text(json.dumps(document))
    return file


def cpu_of(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_of(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def report(asked: argparse.Namespace, sides: list[Side]) -> str:
    pods = asked.workloads * asked.replicas
    size = f"{pods:,} pods in {asked.workloads:,} workloads of {asked.tenants} tenants on KWOK"
    trials = f"{asked.trials} trials of {asked.stepped} workloads each; everything shares {os.cpu_count()} cores"
    spent = "requests a quiet minute | CPU s a quiet minute | CPU s a trial | resident MB"
    lines = [
        "# From a step of the load to the write of /scale",
        "",
        f"`python benchmarks/latency.py`: {size}; {trials}.",
        "Seconds from when the source knows, or begins to push, until a watch sees the new `spec.replicas`.",
        "",
        f"| who scales | steps | missed | p50 s | p99 s | slowest s | {spent} |",
        "|---|---|---|---|---|---|---|---|---|---|",
        *(side.row() for side in sides),
    ]
    if sides and sides[0].quiet_requests:
        ticks = 60 / asked.interval
        lines += ["", f"Podium asks the API server {sides[0].quiet_requests / ticks:.1f} times in a quiet tick."]
    return "\n".join(lines)


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pods", type=int, default=10_000)
    parser.add_argument("--workloads", type=int, default=1_000)
    parser.add_argument("--tenants", type=int, default=50)
    parser.add_argument("--stepped", type=int, default=100, help="workloads whose load leaps in a trial")
    parser.add_argument("--trials", type=int, default=30)
    parser.add_argument("--interval", type=float, default=2.0, help="seconds between Podium's turns")
    parser.add_argument("--grid", type=float, default=5.0, help="seconds between Podium's turns where it is told")
    parser.add_argument("--push", type=float, default=2.0, help="seconds between two pushes of all loads")
    parser.add_argument("--hpa", type=int, default=15, help="seconds between the HPA controller's looks")
    parser.add_argument("--quiet", type=float, default=60.0, help="seconds")
    parser.add_argument("--settle", type=float, default=10.0, help="seconds between trials, in which pods come and go")
    parser.add_argument("--alone", action="store_true", help="Podium only")
    asked = parser.parse_args()
    asked.replicas = asked.pods // asked.workloads
    nodes = asked.pods * 2 // 1000 + 1
    try:
        programs = binaries.all_programs(say)
    except binaries.Missing as missing:
        print(missing)
        return  # who has no Go may still run the other benchmarks
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        policy = folder / "audit.yaml"
        policy.write_text(AUDIT)
        with ControlPlane(folder, programs, nodes=nodes, hpa_seconds=asked.hpa, audit_policy=policy) as plane:
            text = report(asked, asyncio.run(compare(asked, plane, folder)))
    print(text)
    if len(sys.argv) == 1:  # what was asked otherwise is no figure to keep
        (ROOT / "benchmarks" / "results" / "latency.md").write_text(text + "\n")


if __name__ == "__main__":
    main()
