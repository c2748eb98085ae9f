"""The informer against a real API server: what is there, what comes, what goes, and a server that was away."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from podium.clients.kubernetes import kubeconfig, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.informer import Informer
from podium.clients.kubernetes.where import Where
from testbed.control_plane import ControlPlane

pytestmark = pytest.mark.cluster

Maps = Informer[objects.Object]


@pytest.fixture
async def client(control_plane: ControlPlane) -> AsyncIterator[Client]:
    made = Client(kubeconfig.load([control_plane.kubeconfig]))
    yield made
    await made.close()


@pytest.fixture
async def maps(client: Client, namespace: str) -> AsyncIterator[Maps]:
    informer = Informer(
        client, at(namespace), objects.Object, lambda one: (one.metadata.namespace, one.metadata.name),
        label_selector="of=ours", idle_seconds=90, longest_pause_seconds=1.0,
    )  # fmt: skip
    task = asyncio.create_task(informer.run())
    yield informer
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def at(namespace: str, name: str = "") -> Where:
    return Where(group="", version="v1", resource="configmaps", namespace=namespace, name=name)


def document(name: str) -> dict[str, object]:
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "labels": {"of": "ours"}}}


def names(informer: Maps) -> set[str]:
    return {name for _, name in informer.items}


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not holds():  # noqa: ASYNC110  (several things are waited for)
            await asyncio.sleep(0.02)


async def test_a_real_server_tells_what_is_there_what_comes_and_what_goes(
    client: Client, maps: Maps, namespace: str
) -> None:
    await client.create(at(namespace), document("a"), objects.Object)
    await until(lambda: names(maps) == {"a"})
    made = await client.create(at(namespace), document("b"), objects.Object)
    await until(lambda: names(maps) == {"a", "b"})
    changed = await client.merge_patch(at(namespace, "b"), {"data": {"x": "1"}}, objects.Object)
    assert changed.metadata.resource_version != made.metadata.resource_version
    await until(lambda: maps.items[namespace, "b"] == changed)
    unlabelled = {"metadata": {"labels": {"of": "nobody"}}}
    await client.merge_patch(at(namespace, "a"), unlabelled, objects.Object)
    await until(lambda: names(maps) == {"b"})
    assert maps.trouble is None
    assert maps.silent_seconds < 60
