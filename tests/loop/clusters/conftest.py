"""A small API server, and the Kubernetes adapter on it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from tests.loop.clusters.small_server import SmallServer

from podium.clients.kubernetes.access import Access
from podium.clients.kubernetes.client import Client
from podium.loop.clusters.kubernetes.cluster import KubernetesCluster


@pytest.fixture
async def server() -> AsyncIterator[SmallServer]:
    served = SmallServer()
    runner = web.ServerRunner(web.Server(served.answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    served.address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield served
    await served.close()
    await runner.cleanup()


@pytest.fixture
async def cluster(server: SmallServer) -> AsyncIterator[KubernetesCluster]:
    made = KubernetesCluster("local", Client(Access(server=server.address), timeout_seconds=5.0))
    yield made
    await made.close()
