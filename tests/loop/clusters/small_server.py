"""A small API server on loopback: namespaced objects in memory that are listed, watched, patched and scaled.

What it does next is set from outside: `reply` answers in its place, `cut` breaks every watch off, `mute` leaves changes
untold. `asked` holds every request, in order.
"""

from __future__ import annotations

import asyncio
import copy
import functools
import json
from collections.abc import Callable
from typing import Any

from aiohttp import web

from podium.clients.kubernetes.client import INITIAL_END

Reply = tuple[int, dict[str, Any]]
Object = dict[str, Any]


def _api(group: str, *resources: tuple[str, str, bool]) -> dict[str, Any]:
    version = {"groupVersion": f"{group}/v1", "version": "v1"}
    names = [{"name": name, "kind": kind, "namespaced": True} for name, kind, _ in resources]
    names += [{"name": f"{name}/scale", "kind": "Scale", "namespaced": True} for name, _, scale in resources if scale]
    return {
        f"/apis/{group}": {"preferredVersion": version, "versions": [version]},
        f"/apis/{group}/v1": {"resources": names},
    }


DISCOVERY = _api("apps", ("deployments", "Deployment", True)) | _api("sea.example", ("fleets", "Fleet", True))


class SmallServer:
    """Objects by the path of their collection in a namespace, and by name."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []  # method and path, with ?watch for a watch
        self.patches: list[dict[str, Any]] = []
        self.reply: Callable[[str, str], Reply | None] = lambda method, path: None
        self.muted = False
        self.closed = False
        self.version = 10
        self.address = ""
        self._objects: dict[tuple[str, str, str], Object] = {}  # (resource path, namespace, name)
        self._events: list[tuple[int, str, str, Object]] = []  # version, resource path, kind, object
        self._watches: list[asyncio.Transport] = []
        self._news = asyncio.Condition()

    async def put(self, resource: str, one: Object) -> Object:
        """Create or replace one object, as in `apps/v1/deployments`."""
        metadata = one["metadata"]
        key = resource, metadata["namespace"], metadata["name"]
        kind = "MODIFIED" if key in self._objects else "ADDED"
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        self._objects[key] = one
        await self._tell(resource, kind, one)
        return one

    async def remove(self, resource: str, namespace: str, name: str) -> None:
        one = self._objects.pop((resource, namespace, name))
        self.version += 1
        one["metadata"]["resourceVersion"] = str(self.version)
        await self._tell(resource, "DELETED", one)

    def get(self, resource: str, namespace: str, name: str) -> Object:
        return self._objects[resource, namespace, name]

    def cut(self) -> None:
        for transport in self._watches:
            transport.abort()

    async def unmute(self) -> None:
        self.muted = False
        async with self._news:
            self._news.notify_all()

    async def close(self) -> None:
        self.closed = True
        async with self._news:
            self._news.notify_all()

    async def _tell(self, resource: str, kind: str, one: Object) -> None:
        self._events.append((self.version, resource, kind, copy.deepcopy(one)))
        async with self._news:
            self._news.notify_all()

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        watch = "?watch" if "watch" in request.query else ""
        if request.path in DISCOVERY:
            return web.json_response(DISCOVERY[request.path])
        self.asked.append((request.method, request.path + watch))
        if request.method == "PATCH":
            self.patches.append(await request.json())
        said = self.reply(*self.asked[-1])
        if said is not None:
            return web.json_response(said[1], status=said[0])
        if request.path == "/readyz":
            return web.Response(text="ok")
        parts = request.path.removeprefix("/apis/").removeprefix("/api/").split("/")
        resource, namespace, name = _read(parts)
        if watch:
            return await self._watch(request, resource, namespace)
        if not name:
            return web.json_response({"metadata": {"resourceVersion": str(self.version)}, "items": []}, status=404)
        return await self._one(request, (resource, namespace, name), "scale" in parts)

    async def _one(self, request: web.BaseRequest, key: tuple[str, str, str], scale: bool) -> web.StreamResponse:
        one = self._objects.get(key)
        if one is None:
            return web.json_response({"message": "not found"}, status=404)
        if request.method in ("PATCH", "PUT"):
            sent = await request.json()
            if sent["metadata"].get("resourceVersion", current := one["metadata"]["resourceVersion"]) != current:
                return web.json_response({"message": "it has been modified"}, status=409)
            one = copy.deepcopy(one)
            if request.method == "PUT":
                one["spec"]["replicas"] = sent["spec"]["replicas"]
            else:
                merged = one["metadata"].get("annotations", {}) | sent["metadata"]["annotations"]
                one["metadata"]["annotations"] = {name: text for name, text in merged.items() if text is not None}
            await self.put(key[0], one)
        return web.json_response(_scale(one) if scale else one)

    async def _watch(self, request: web.BaseRequest, resource: str, namespace: str) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        transport = request.transport
        assert transport is not None
        self._watches.append(transport)
        seen = int(request.query.get("resourceVersion") or self.version)
        try:
            if "sendInitialEvents" in request.query:
                for (path, inside, _), one in list(self._objects.items()):
                    if path == resource and namespace in ("", inside):
                        await _line(response, "ADDED", one)
                end = {"resourceVersion": str(seen), "annotations": {INITIAL_END: "true"}}
                await _line(response, "BOOKMARK", {"metadata": end})
            while not self.closed and not transport.is_closing():
                for version, path, kind, one in self._events:
                    if version > seen and path == resource and namespace in ("", one["metadata"]["namespace"]):
                        await _line(response, kind, one)
                seen = self.version
                async with self._news:
                    await self._news.wait_for(functools.partial(self._more, seen))
        finally:
            self._watches.remove(transport)
        return response

    def _more(self, since: int) -> bool:
        return self.closed or (self.version > since and not self.muted)


def _read(parts: list[str]) -> tuple[str, str, str]:
    """apps/v1/namespaces/shop/deployments/web/scale -> (apps/v1/deployments, shop, web)."""
    start = 1 if parts[0] == "v1" else 2
    group, rest = "/".join(parts[:start]), parts[start:]
    if rest[0] == "namespaces":
        return f"{group}/{rest[2]}", rest[1], rest[3] if len(rest) > 3 else ""
    return f"{group}/{rest[0]}", "", ""


def _scale(one: Object) -> Object:
    selector = one["spec"].get("selector", {}).get("matchLabels", {"app": one["metadata"]["name"]})
    text = ",".join(f"{key}={value}" for key, value in selector.items())
    return {
        "metadata": one["metadata"],
        "spec": {"replicas": one["spec"]["replicas"]},
        "status": {"replicas": one["spec"]["replicas"], "selector": text},
    }


async def _line(response: web.StreamResponse, kind: str, one: Object) -> None:
    await response.write(json.dumps({"type": kind, "object": one}).encode() + b"\n")


DEPLOYMENTS = "apps/v1/deployments"
FLEETS = "sea.example/v1/fleets"
PODS = "v1/pods"


def deployment(name: str, replicas: int = 2, namespace: str = "shop", **annotations: str) -> Object:
    metadata = {"name": name, "namespace": namespace, "annotations": dict(annotations)}
    selector = {"matchLabels": {"app": name}}
    return {
        "metadata": metadata,
        "spec": {"replicas": replicas, "selector": selector},
        "status": {"replicas": replicas},
    }


def pod(name: str, app: str, namespace: str = "shop") -> Object:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-21T12:00:01Z"}
    return {
        "metadata": {"name": name, "namespace": namespace, "labels": {"app": app}},
        "spec": {"containers": [{"name": "main", "resources": {"requests": {"cpu": "250m"}}}]},
        "status": {"phase": "Running", "startTime": "2026-11-21T12:00:00Z", "conditions": [ready]},
    }
