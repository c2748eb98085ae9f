"""A real Prometheus stopped, killed and started again under a running Podium: nothing goes down, and it is named."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.afternoon import CAPACITY, LOADS, Afternoon, afternoon, lay
from tests.servers.prometheus import Server

from podium.loop.clusters.simulated.store import Write
from podium.loop.pace import WallPace

# No window on the way down: the very first low value would be followed.
AT_ONCE = "behavior: {scaleDown: {stabilizationWindowSeconds: 0}}"

pytestmark = [pytest.mark.prometheus, pytest.mark.timeout(180)]


class Load:
    """What the exporter says: a little under the loads, different each time, and never across a whole replica."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._number = 0
        self.level = 1.0

    def now(self, _: float = 0.0) -> dict[str, float]:
        return {name: load * self.level * (0.99 + 0.001 * (self._number % 7)) for name, load in LOADS.items()}

    def expose(self) -> None:
        self._number += 1
        self._server.expose(
            *(f'load{{namespace="shop",deployment="{name}"}} {value}' for name, value in self.now().items())
        )

    async def go_on(self) -> None:
        while True:
            self.expose()
            await asyncio.sleep(0.3)


async def _until(holds: Callable[[], Any], seconds: float = 40.0) -> None:
    end = time.monotonic() + seconds
    while not await holds():
        assert time.monotonic() < end
        await asyncio.sleep(0.2)


def _lowered(run: Afternoon) -> list[Write]:
    return run.lowered(0)


def test_a_prometheus_that_is_stopped_killed_and_started_again(own_prometheus: Server, tmp_path: Path) -> None:
    load = Load(own_prometheus)

    async def story() -> dict[str, tuple[int, str]]:
        seen: dict[str, tuple[int, str]] = {}
        pouring = asyncio.create_task(load.go_on())
        await asyncio.to_thread(own_prometheus.until, "load", len(LOADS))
        lay(tmp_path, {"prom": own_prometheus.url}, timeout="400ms", interval=1.0, stale=3.0, behavior=AT_ONCE)
        async with afternoon(tmp_path, load.now, pace=WallPace()) as run:

            async def is_(state: str) -> bool:
                return bool(not run.program.live.unready() and (await run.source("prom"))["state"] == state)

            async def settled() -> bool:
                rows = (await run.get("/api/v1/workloads"))["items"]
                needed = [0.99 * LOADS[row["key"].rpartition("/")[2]] / CAPACITY for row in rows]
                # Within a tenth of what is needed nothing goes down.
                return all(row["replicas"] <= max(math.ceil(n), n / 0.9) for row, n in zip(rows, needed, strict=True))

            async def look(name: str, before: int) -> None:
                seen[name] = (len(_lowered(run)) - before, (await run.source("prom"))["words"])

            await _until(lambda: is_("ok"))
            await _until(settled)
            before = len(_lowered(run))
            await asyncio.to_thread(own_prometheus.freeze)
            await _until(lambda: is_("silent"))
            await asyncio.sleep(4)
            await look("stopped", before)
            await asyncio.to_thread(own_prometheus.thaw)
            await _until(lambda: is_("ok"))
            await asyncio.to_thread(own_prometheus.kill)
            await _until(lambda: is_("silent"))
            await asyncio.sleep(4)
            await look("killed", before)
            await asyncio.to_thread(own_prometheus.start)
            await _until(lambda: is_("ok"), 150)
            await look("back", before)
            load.level = 0.8  # no leap: it is believed, and followed at once
            await _until(lambda: _fell(run, before))
            pouring.cancel()
        return seen

    async def _fell(run: Afternoon, before: int) -> bool:
        return {write.workload for write in _lowered(run)[before:]} >= {
            f"local/shop/deployment.apps/{name}" for name in LOADS
        }

    seen = asyncio.run(story())
    assert {name: lowered for name, (lowered, _) in seen.items()} == {"stopped": 0, "killed": 0, "back": 0}
    assert [own_prometheus.url in seen[name][1] for name in ("stopped", "killed")] == [True, True]
    assert seen["back"][1] == ""
