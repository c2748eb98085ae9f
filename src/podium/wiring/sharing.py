"""Which shard this process leads, as a Lease of the cluster says, and for how long."""

from __future__ import annotations

import asyncio
import contextlib
import os
import uuid
from collections.abc import AsyncIterator

from podium.loop import shards
from podium.settings import Loaded
from podium.wiring import installation, outside


@contextlib.asynccontextmanager
async def part(loaded: Loaded) -> AsyncIterator[tuple[Loaded, asyncio.Task[None] | None]]:
    """The settings of the shard that is led from here on, and what renews its Lease: it ends with shards.Lost.

    Waits until a shard is free. Without shards, or on a simulated cluster, there is nothing to wait for.
    """
    (cluster,) = loaded.value.clusters
    asked, ttl = loaded.value.part, loaded.value.loop.lease
    if asked.shards == 1 or cluster.kind != "kubernetes":
        yield loaded, None
        return
    from podium.clients.kubernetes.client import Client
    from podium.clients.kubernetes.leases import Lease

    client = Client(outside.access_to(cluster), environment=os.environ, timeout_seconds=max(1.0, ttl / 3))
    numbers = list(range(asked.shards)) if asked.shard is None else [asked.shard]
    holder = f"{installation.holder()}/{uuid.uuid4().hex[:8]}"  # a restart is somebody new
    leases = [Lease(client, asked.leases, shards.lease_name(number), holder, ttl) for number in numbers]
    try:
        lease = leases[await shards.take_any(leases)]
        keeping = asyncio.create_task(shards.keep(lease, ttl), name="shard")
        try:
            yield loaded.of_shard(numbers[leases.index(lease)]), keeping
        finally:
            keeping.cancel()
            await asyncio.gather(keeping, return_exceptions=True)
            await shards.let_go(lease)
    finally:
        await client.close()
