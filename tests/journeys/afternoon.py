"""A whole Podium in this process over simulated hours: its clock is moved by hand, as fast as turns can follow."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import math
import shutil
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np
from tests.journeys.liar import Liar, Truth, honest

from podium import settings
from podium.api.app import create_app
from podium.api.server import address, bind, serve
from podium.loop.clusters.simulated.cluster import SimulatedCluster
from podium.loop.clusters.simulated.shape import Startup, Usage, WorkloadShape, WorldShape
from podium.loop.clusters.simulated.store import Write
from podium.loop.pace import Pace
from podium.model.identity import WorkloadKey
from podium.signals.source import Source
from podium.wiring import authority, installation
from podium.wiring.outside import World, sources_of
from podium.wiring.program import Program

START = 1_767_258_000.0  # 2026-01-01T09:00:00Z
CAPACITY = 10.0  # load per replica
MINUTE = 60.0
INTERVAL = 30.0
LOADS = {"web": 200.0, "cart": 120.0, "search": 280.0, "mail": 60.0, "feed": 160.0}
TOKEN = "a-token-for-tests-only"

SETTINGS = """\
apiVersion: podium.dev/v1alpha1
kind: Settings
database: {{url: "sqlite:///podium.db"}}
clusters: [{{name: local, kind: simulated}}]
sources:
{sources}
documents: {{path: policies}}
loop: {{interval: {interval:g}s, lease: 60s, history: 0s, maxReduction: {{fraction: {fraction:g}}}}}
api: {{listen: "127.0.0.1:0", token: "file:token"}}
"""

SIGNAL = """\
---
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {{name: {name}, namespace: shop}}
spec:
  {{unit: per_second, prometheus: {{query: load, source: {source}}}, interval: {interval:g}s, staleAfter: {stale:g}s}}
"""

POLICY = """\
---
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {{name: {name}, namespace: shop}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  mode: own
  replicas: {{min: 1, max: 80}}
  load: {{signal: {signal}, capacityPerReplica: {capacity:g}}}
  forecast: {{enabled: false}}
  {behavior}
"""


@dataclasses.dataclass(frozen=True)
class Day:
    """The true load: a level that is steady or falls, five per cent of slow wandering, two per cent of noise."""

    loads: Mapping[str, float] = dataclasses.field(default_factory=lambda: LOADS)
    falls: tuple[tuple[float, float, float], ...] = ()  # (minute, over so many minutes, to this share of before)

    def __call__(self, now: float) -> dict[str, float]:
        minute = (now - START) / MINUTE
        level = math.prod(share ** min(max((minute - begin) / over, 0.0), 1.0) for begin, over, share in self.falls)
        return {
            name: load * level * self._wander(number, now) for number, (name, load) in enumerate(self.loads.items())
        }

    @staticmethod
    def _wander(number: int, now: float) -> float:
        noise = np.random.default_rng([number, round(now)]).normal(0.0, 0.02)
        return float((1 + 0.05 * math.sin(now / 160 + number)) * (1 + noise))

    def needed(self, name: str, now: float) -> int:
        """Replicas that carry the least load that was true about `now`."""
        nearby = [self(now - back)[name] for back in np.arange(0, 420, INTERVAL)]
        return math.ceil(min(nearby) / CAPACITY)


class HandPace:
    """A clock that stands until `advance` lets it go on. Podium's turns take no time on it."""

    speed = 1.0

    def __init__(self, now: float) -> None:
        self._now = self._allowed = now
        self._moved, self._idle = asyncio.Event(), asyncio.Event()

    def __call__(self) -> float:
        return self._now

    async def sleep_until(self, moment: float) -> None:
        while moment > self._allowed:
            self._idle.set()
            self._moved.clear()
            seen = self._now
            await self._moved.wait()
            if self._now < seen:
                return
        self._idle.clear()
        self._now = max(self._now, moment)

    async def set(self, now: float) -> None:
        """Somebody sets the clock, forward or back; no turn is made by that alone."""
        await self._idle.wait()
        self._now = self._allowed = now
        self._idle.clear()
        self._moved.set()
        await self._idle.wait()

    async def advance(self, until: float) -> None:
        """Let time pass; returns when every turn up to `until` is done."""
        self._allowed = until
        self._idle.clear()
        self._moved.set()
        await self._idle.wait()
        self._now = max(self._now, until)


def lay(
    folder: Path, urls: Mapping[str, str], *, of: Mapping[str, str] | None = None, fraction: float = 1.0,
    names: tuple[str, ...] = tuple(LOADS), timeout: str = "5s",
    interval: float = INTERVAL, stale: float = 120.0, behavior: str = "",
) -> None:  # fmt: skip
    """Write settings and policies. `of` says which source measures a workload; left out, the first one does."""
    first = next(iter(urls))
    of = of or {}
    sources = "\n".join(
        f"  - {{name: {name}, kind: prometheus, url: '{url}', timeout: {timeout}}}" for name, url in urls.items()
    )
    (folder / "policies").mkdir(parents=True, exist_ok=True)
    (folder / "podium.yaml").write_text(
        SETTINGS.format(folder=folder, sources=sources, fraction=fraction, interval=interval)
    )
    signals = [
        SIGNAL.format(name=f"load-of-{source}", source=source, interval=interval, stale=stale) for source in urls
    ]
    policies = [
        POLICY.format(name=name, signal=f"load-of-{of.get(name, first)}", capacity=CAPACITY, behavior=behavior)
        for name in names
    ]
    (folder / "policies" / "shop.yaml").write_text("".join(signals + policies))
    (folder / "token").write_text(TOKEN)


def key(name: str) -> WorkloadKey:
    return WorkloadKey("local", "shop", "deployment", "apps", name)


class Afternoon:
    """One run of Podium in `folder`, from where the folder's clock stands."""

    def __init__(self, folder: Path, pace: Pace, program: Program, cluster: SimulatedCluster) -> None:
        self.folder = folder
        self.pace = pace
        self.program = program
        self.cluster = cluster
        self.url = ""
        self.running: asyncio.Task[None] | None = None

    async def until(self, minute: float) -> None:
        """Run turn after turn up to so many minutes after the start."""
        assert self.running is not None
        assert isinstance(self.pace, HandPace)
        passed = asyncio.create_task(self.pace.advance(START + minute * MINUTE))
        await asyncio.wait([passed, self.running], return_when=asyncio.FIRST_COMPLETED)
        if self.running.done():
            self.running.result()
        await passed

    async def get(self, path: str) -> Any:
        """What the API answers."""
        async with (
            aiohttp.ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as session,
            session.get(self.url + path) as answer,
        ):
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def source(self, name: str) -> dict[str, Any]:
        (found,) = [one for one in (await self.get("/api/v1/sources"))["items"] if one["name"] == name]
        return dict(found)

    def lowered(self, since: float, until: float = math.inf) -> list[Write]:
        """Accepted writes that took replicas away between these minutes."""
        return [
            write
            for write in self.cluster.writes()
            if write.action == "scale" and not write.refusal and write.after < write.before
            and START + since * MINUTE < write.at <= START + until * MINUTE
        ]  # fmt: skip


@contextlib.asynccontextmanager
async def afternoon(
    folder: Path, truth: Truth, *, minute: float = 0.0, cpu: bool = True, names: tuple[str, ...] = tuple(LOADS),
    source: Source | None = None, pace: Pace | None = None,
) -> AsyncIterator[Afternoon]:  # fmt: skip
    """Podium running in `folder`, its clock standing at `minute`. `cpu`: whether the cluster measures its pods.

    `source` stands in for the first one of the settings, `pace` for the clock that is moved by hand.
    """
    pace = pace or HandPace(START + minute * MINUTE)
    loaded = settings.load({"config": str(folder / "podium.yaml")}, {}, folder)
    documents = authority.folder(loaded).load()
    shape = WorldShape(
        workloads=tuple(
            WorkloadShape(
                key=key(name), replicas=math.ceil(truth(pace())[name] / CAPACITY) + 2,
                startup=Startup(distribution="uniform", median=20.0, spread=0.5),
                usage=Usage(idle_cores=0.02, cores_per_load=0.02),
            )
            for name in names
        )
    )  # fmt: skip
    cluster = SimulatedCluster(
        "local", shape, clock=pace, path=folder / "world.db",
        load=(lambda one, at: truth(at)[one.name]) if cpu else None,
    )  # fmt: skip
    where = {one.name: (one.kind, one.url or "") for one in loaded.value.sources} | {"local": ("cluster", "simulated")}
    sources: dict[str, Source] = {one.name: one for one in sources_of(loaded, documents, None)}
    if source is not None:
        sources[source.name] = source
    outside = World(cluster, pace, sources, where, simulated=True, history_seconds=0.0)
    with (
        contextlib.closing(installation.open_ledger(loaded)) as ledger,
        contextlib.closing(bind("127.0.0.1:0")) as door,
    ):
        program = Program(loaded, ledger, documents, outside)
        run = Afternoon(folder, pace, program, cluster)
        run.url = address(door)
        app = create_app(program.live, token=TOKEN, allowed_hosts=(run.url.removeprefix("http://"),))
        serving = asyncio.create_task(serve(app, door))
        run.running = asyncio.create_task(program.run())
        try:
            yield run
        finally:
            for task in (run.running, serving):
                task.cancel()
            await asyncio.gather(run.running, serving, return_exceptions=True)
            for one in sources.values():
                await one.close()
            await cluster.close()


@contextlib.asynccontextmanager
async def telling(truth: Truth) -> AsyncIterator[Liar]:
    """A source that tells the truth, for now."""
    liar = Liar(truth)
    await liar.listen()
    liar.tell(honest, START)
    try:
        yield liar
    finally:
        await liar.refuse()


def copied(folder: Path, to: Path) -> Path:
    """A stopped installation, as it lies, somewhere else."""
    shutil.copytree(folder, to)
    return to
