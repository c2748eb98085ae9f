"""Kubernetes Events (events.k8s.io/v1): what happened to a workload or a document, where `kubectl describe` shows it.

They are a courtesy. Nothing waits for them, nothing is decided by them, and without the rights none is written.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import socket
from collections.abc import Iterable, Sequence

import structlog

from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.discovery import Discovery
from podium.clients.kubernetes.where import Where
from podium.loop.clusters.kubernetes import rights
from podium.model import clock
from podium.model.identity import new_id

AGAIN_SECONDS = 600.0  # the same once more within so long raises the count of the one before
MOST_WORDS = 1024  # of a note, by the API
MOST_WAITING = 256  # then the oldest are lost: whoever caused so many reads the page
CONTROLLER = "podium.dev/podium"
log = structlog.get_logger()


@dataclasses.dataclass(frozen=True, slots=True)
class Happened:
    """One occurrence: to which object, whether it is as it should be, in one word and in a sentence."""

    group: str
    kind: str  # in any case
    namespace: str
    name: str
    right: bool
    reason: str  # as in Scaled
    note: str


class _Regarded(objects.Struct, frozen=True):
    """Any object, as an event refers to it."""

    api_version: str
    kind: str
    metadata: objects.Metadata


@dataclasses.dataclass(slots=True)
class _Series:
    """An event that was written, and how often it has happened since."""

    where: Where
    count: int
    last: float


class Events:
    """Writes what happened into one cluster; `client` is closed with it."""

    def __init__(self, client: Client, namespaces: Sequence[str] = ()) -> None:
        """`namespaces`: those in which the rights are asked for; (): all."""
        self._client = client
        self._namespaces = tuple(namespaces) or ("",)
        self._discovery = Discovery(client)
        self._series: dict[Happened, _Series] = {}
        self._waiting: asyncio.Queue[tuple[Happened, float]] = asyncio.Queue(MOST_WAITING)
        self._lost = 0

    def tell(self, happened: Iterable[Happened], now: float) -> None:
        """Have them written soon. Never waits, and never fails."""
        for one in happened:
            if self._waiting.full():
                self._waiting.get_nowait()
                self._lost += 1
            self._waiting.put_nowait((one, now))

    async def run(self) -> None:
        """Write what `tell` was told, until cancelled; nothing at all where the rights are missing."""
        if not await self._may():
            return
        while True:
            happened, now = await self._waiting.get()
            if self._lost:
                log.warning("events were not written to the cluster, for too many came at once", lost=self._lost)
                self._lost = 0
            try:
                await self.write(happened, now)
            except (errors.Temporary, errors.Permanent, errors.Conflict) as error:
                log.warning("an event cannot be written", of=happened.name, reason=str(error))

    async def write(self, happened: Happened, now: float) -> None:
        """Write one, or count it where it has just been written. Raises what the client raises."""
        known = self._series.get(happened)
        if known is not None and now - known.last < AGAIN_SECONDS:
            known.count, known.last = known.count + 1, now
            series = {"count": known.count, "lastObservedTime": _micro(now)}
            try:
                await self._client.merge_patch(known.where, {"series": series}, objects.Object)
                return
            except errors.Missing:
                pass  # the API server keeps events for an hour
        self._series = {one: series for one, series in self._series.items() if now - series.last < AGAIN_SECONDS}
        self._series[happened] = _Series(await self._create(happened, now), 1, now)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()

    async def _create(self, happened: Happened, now: float) -> Where:
        served = await self._discovery.find(happened.group, happened.kind)
        object_ = await self._client.get(served.at(happened.namespace, happened.name), _Regarded)
        name = f"{happened.name[:200]}.{new_id(clock.microseconds(now)).replace('-', '')}"
        document = {
            "apiVersion": "events.k8s.io/v1",
            "kind": "Event",
            "metadata": {"name": name, "namespace": happened.namespace},
            "eventTime": _micro(now),
            "type": "Normal" if happened.right else "Warning",
            "reason": happened.reason,
            "action": happened.reason,
            "note": happened.note[:MOST_WORDS],
            "reportingController": CONTROLLER,
            "reportingInstance": socket.gethostname()[:128] or "podium",
            "regarding": {
                "apiVersion": object_.api_version,
                "kind": object_.kind,
                "namespace": happened.namespace,
                "name": happened.name,
                "uid": object_.metadata.uid,
            },
        }
        where = Where(group="events.k8s.io", version="v1", resource="events", namespace=happened.namespace)
        await self._client.create(where, document, objects.Object)
        return dataclasses.replace(where, name=name)

    async def _may(self) -> bool:
        """Whether events may be written. A cluster that is silent is asked again."""
        places = [
            Where(group="events.k8s.io", version="v1", resource="events", namespace=one) for one in self._namespaces
        ]
        wanted = [(verb, where) for where in places for verb in ("create", "patch")]
        while True:
            try:
                refused = await rights.refused(self._client, wanted)
            except errors.Temporary:
                await asyncio.sleep(5.0)
                continue
            except errors.Permanent as error:
                refused, words = wanted, str(error)
            else:
                words = "; ".join(map(rights.said, refused))
            if refused:
                log.info("no events are written into the cluster", reason=words)
            return not refused


def _micro(seconds: float) -> str:
    """metav1.MicroTime."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
