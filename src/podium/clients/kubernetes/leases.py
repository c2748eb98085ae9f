"""Leadership by a Lease (coordination.k8s.io/v1), by time that its holder and whoever waits measure each for itself.

No two clocks are compared: who waits takes a Lease over when it has not moved for its whole duration on the waiter's
own monotonic clock, and who holds one stops at a deadline on its own. Every write carries the version that was read:
of two who try at once one wins. What is sent before the deadline and arrives after it is fenced elsewhere, by claims.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable

import msgspec

from podium.clients.kubernetes import errors, objects
from podium.clients.kubernetes.client import Client
from podium.clients.kubernetes.where import Where
from podium.model.clock import wall_clock

Clock = Callable[[], float]  # monotonic seconds


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    """coordination.k8s.io/v1 LeaseSpec."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class _Lease(msgspec.Struct, frozen=True):
    """coordination.k8s.io/v1 Lease."""

    metadata: objects.Metadata
    spec: _Spec = _Spec()


class Lease:
    """One Lease, as one who wants it sees it. Calls raise what the client raises."""

    def __init__(
        self, client: Client, namespace: str, name: str, holder: str, ttl_seconds: float, clock: Clock = time.monotonic
    ) -> None:
        """`holder` is nobody else's name, also not an earlier process's: whoever restarts is somebody new."""
        self.deadline = float("-inf")  # until when it is ours (the clock's seconds)
        self.held_by = ""  # who had it when we last looked
        self._client = client
        self._where = Where(
            group="coordination.k8s.io", version="v1", resource="leases", namespace=namespace, name=name
        )
        self._holder = holder
        self._ttl = ttl_seconds
        self._clock = clock
        self._seen: tuple[str, float] = ("", float("-inf"))  # its version, and since when it has been that one

    @property
    def name(self) -> str:
        """Namespace and name."""
        return f"{self._where.namespace}/{self._where.name}"

    def valid(self) -> bool:
        """Whether it is ours, without asking anybody."""
        return self._clock() < self.deadline

    async def take(self) -> bool:
        """Take or renew it, if nobody else holds it: whether it is ours now."""
        asked = self._clock()  # before asking: a slow answer shortens the term, never lengthens it
        try:
            known = await self._client.get(self._where, _Lease)
        except errors.Missing:
            return await self._write(None, asked)
        if known.metadata.resource_version != self._seen[0]:
            self._seen = known.metadata.resource_version, self._clock()
        self.held_by = known.spec.holder_identity or ""
        ttl = float(known.spec.lease_duration_seconds or 0)
        if self.held_by in ("", self._holder) or self._clock() >= self._seen[1] + ttl:
            return await self._write(known, asked)
        return False

    async def release(self) -> None:
        """Let another have it at once. Does nothing when it is lost already."""
        self.deadline = float("-inf")
        known = await self._client.get(self._where, _Lease)
        if known.spec.holder_identity == self._holder:
            patch = {"metadata": {"resourceVersion": known.metadata.resource_version}, "spec": {"holderIdentity": ""}}
            await self._client.merge_patch(self._where, patch, objects.Object)

    async def _write(self, known: _Lease | None, asked: float) -> bool:
        # For people: nobody decides by it.
        now = datetime.datetime.fromtimestamp(wall_clock(), datetime.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        spec = {
            "holderIdentity": self._holder,
            "leaseDurationSeconds": max(1, round(self._ttl)),
            "renewTime": now,
            "leaseTransitions": _transitions(known, self._holder),
        }
        if known is None or known.spec.holder_identity != self._holder:
            spec["acquireTime"] = now
        try:
            await self._sent(known, spec)
        except errors.Conflict:
            self.deadline = float("-inf")
            return False
        self.held_by, self.deadline = self._holder, asked + self._ttl
        return True

    async def _sent(self, known: _Lease | None, spec: dict[str, object]) -> None:
        if known is None:
            metadata = {"name": self._where.name, "namespace": self._where.namespace}
            document = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": metadata, "spec": spec}
            where = Where(group=self._where.group, version="v1", resource="leases", namespace=self._where.namespace)
            await self._client.create(where, document, objects.Object)
            return
        patch = {"metadata": {"resourceVersion": known.metadata.resource_version}, "spec": spec}
        await self._client.merge_patch(self._where, patch, objects.Object)


def _transitions(known: _Lease | None, holder: str) -> int:
    if known is None:
        return 0
    return (known.spec.lease_transitions or 0) + (known.spec.holder_identity != holder)
