"""The cluster of a kubeconfig's context, for commands that ask one without settings."""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator

from podium.clients.kubernetes.client import Client


@contextlib.asynccontextmanager
async def cluster(context: str | None) -> AsyncIterator[Client]:
    """A client of the current context, or of `context`. Raises Broken for a kubeconfig that does not do."""
    from podium.loop.settings import ClusterSettings
    from podium.wiring.outside import access_to

    client = Client(
        access_to(ClusterSettings(name="local", kind="kubernetes", context=context)), environment=os.environ
    )
    try:
        yield client
    finally:
        await client.close()
