"""A small Podium in this process: any documents, a simulated cluster, and a source that says what a test tells it.

Its clock is moved by hand. What came of it is read from the cluster's own record and through `podium`'s commands.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import inspect
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path

from aiohttp import web
from tests.journeys.afternoon import START, HandPace

from podium import settings
from podium.loop.clusters.simulated.cluster import Load, SimulatedCluster
from podium.loop.clusters.simulated.shape import Resources, Startup, Usage, WorkloadShape, WorldShape
from podium.loop.clusters.simulated.store import Write
from podium.loop.clusters.simulated.surroundings import SimulatedSurroundings
from podium.loop.tell.view import DecisionRow
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.wiring import authority, installation
from podium.wiring.outside import World, sources_of
from podium.wiring.program import Program

INTERVAL = 15.0
MINUTE = 60.0
WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")

SETTINGS = """\
apiVersion: podium.dev/v1alpha1
kind: Settings
database: {{url: "sqlite:///podium.db"}}
clusters: [{{name: local, kind: simulated}}]
sources:
  - {{name: prom, kind: prometheus, url: "{url}"}}
{recorded}documents: {{path: policies}}
loop: {{lease: 60s, history: 0s, maxReduction: {{fraction: 1.0}}}}
"""

Answer = Callable[[], Mapping[str, float] | Awaitable[Mapping[str, float]]]  # -> value by name
QUICK = Startup(distribution="uniform", median=10.0, spread=0.0, pull=0.0)


def shaped(key: WorkloadKey, replicas: int) -> WorkloadShape:
    """A workload that uses a hundredth of a core and 10 MB per unit of load, and requests one core and 1 GB a pod."""
    return WorkloadShape(
        key=key, replicas=replicas, startup=QUICK,
        usage=Usage(idle_cores=0.0, cores_per_load=0.01, idle_bytes=0.0, bytes_per_load=1e7),
        requests=Resources(cores=1.0, bytes=1e9),
    )  # fmt: skip


class Measured:
    """A server with Prometheus' answers. `of_workloads` and `of_pods`: query -> the value of each, by name."""

    def __init__(self) -> None:
        self.of_workloads: dict[str, Answer] = {}
        self.of_pods: dict[str, Answer] = {}
        self.asked: list[str] = []
        self.broken = False
        self.url = ""

    async def answer(self, request: web.Request) -> web.Response:
        query, at = request.query["query"], float(request.query.get("time", 0))
        self.asked.append(query)
        if self.broken:
            return web.Response(status=503, text="starting up")
        rows = []
        for label, known in (("deployment", self.of_workloads), ("pod", self.of_pods)):
            values = known.get(query, dict)()
            for name, value in (await values if inspect.isawaitable(values) else values).items():
                rows.append({"metric": {"namespace": "shop", label: name}, "value": [at, str(value)]})
        return web.json_response({"status": "success", "data": {"resultType": "vector", "result": rows}})


@contextlib.asynccontextmanager
async def measuring() -> AsyncIterator[Measured]:
    """A server for the block."""
    measured, app = Measured(), web.Application()
    app.router.add_get("/api/v1/query", measured.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    measured.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield measured
    finally:
        await runner.cleanup()


@dataclasses.dataclass
class Stage:
    """One run. Time passes only when `turns` or `minutes` is called."""

    folder: Path
    pace: HandPace
    cluster: SimulatedCluster
    running: asyncio.Task[None]
    measured: Measured
    interval: float
    begun: Mapping[WorkloadKey, int]
    program: Program
    around: SimulatedSurroundings

    async def turns(self, count: int = 1) -> None:
        """Let so many turns be done."""
        for _ in range(count):
            passed = asyncio.create_task(self.pace.advance(self.pace() + self.interval))
            await asyncio.wait([passed, self.running], return_when=asyncio.FIRST_COMPLETED)
            if self.running.done():
                self.running.result()
            await passed

    async def minutes(self, count: float) -> None:
        """Let so much time pass."""
        await self.turns(round(count * MINUTE / self.interval))

    def writes(self) -> list[Write]:
        """What the cluster was made to change, as the cluster tells it."""
        return [one for one in self.cluster.writes() if one.action == "scale" and not one.refusal]

    def replicas(self, key: WorkloadKey = WEB) -> int:
        """How many a workload is asked to have."""
        return next((one.after for one in reversed(self.writes()) if one.workload == str(key)), self.begun[key])

    def explained(self, key: WorkloadKey = WEB) -> DecisionRow:
        """The last decision, as the API tells it."""
        return self.program.live.explain(str(key)).decision

    async def ready_pods(self, key: WorkloadKey = WEB) -> list[str]:
        """Names of the pods that serve."""
        seen = await self.cluster.observe(Fleet().revised({key: key.namespace}))
        return [name for (_, name), ready in zip(seen.pod_names, seen.pods.ready, strict=True) if ready == 1]


@contextlib.asynccontextmanager
async def stage(
    folder: Path,
    documents: str,
    *,
    replicas: Mapping[WorkloadKey, int] | int = 4,
    load: Load | None = None,
    environ: Mapping[str, str] | None = None,
    recording: str = "",
    history_seconds: float = 0.0,
    interval: float = INTERVAL,
) -> AsyncIterator[Stage]:
    """Podium in `folder`. `recording`: a file there, which is a source beside the Prometheus-like one.

    `history_seconds`: how much of it lies before the start and is learned first.
    """
    begun = {WEB: replicas} if isinstance(replicas, int) else replicas
    async with measuring() as measured:
        (folder / "policies").mkdir()
        (folder / "policies" / "all.yaml").write_text(documents)
        recorded = f"  - {{name: file, kind: replay, path: {recording}}}\n" if recording else ""
        (folder / "podium.yaml").write_text(SETTINGS.format(url=measured.url, recorded=recorded))
        loaded = settings.load({"config": str(folder / "podium.yaml")}, environ or {}, folder)
        read = authority.folder(loaded).load()
        pace = HandPace(START)
        world = WorldShape(workloads=tuple(shaped(key, count) for key, count in begun.items()))
        cluster = SimulatedCluster("local", world, clock=pace, load=load)
        asked = {one.name: one for one in sources_of(loaded, read, None)}
        around = SimulatedSurroundings(cluster)
        outside = World(cluster, pace, asked, {}, simulated=True, history_seconds=history_seconds, surroundings=around)
        with contextlib.closing(installation.open_ledger(loaded)) as ledger:
            program = Program(loaded, ledger, read, outside)
            running = asyncio.create_task(program.run())
            try:
                yield Stage(folder, pace, cluster, running, measured, interval, begun, program, around)
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                for one in asked.values():
                    await one.close()
                await cluster.close()


def policy(name: str = "web", *, mode: str = "own", most: int = 40, least: int = 1, rest: str = "") -> str:
    """A ScalingPolicy for the Deployment of that name. `rest`: further lines of its spec."""
    return f"""\
---
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  mode: {mode}
  replicas: {{min: {least}, max: {most}}}
  forecast: {{enabled: false}}
{rest}"""


def signal(name: str, query: str, unit: str, reduce: str = "sum") -> str:
    """A Signal of the Prometheus-like server."""
    return f"""\
---
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {{name: {name}, namespace: shop}}
spec: {{unit: {unit}, prometheus: {{query: '{query}'}}, reduce: {reduce}, interval: 15s, staleAfter: 60s}}
"""


def by_load(signal_name: str = "load", capacity: float = 10.0) -> str:
    """Lines of a spec: replicas by the load."""
    return f"  load: {{signal: {signal_name}, capacityPerReplica: {capacity:g}}}\n"


def figure(text: str) -> None:
    """A measured figure, for whoever runs pytest with -s or -rP."""
    sys.stdout.write(f"\nmeasured: {text}\n")
