"""Shards: the workloads split into parts of about one size, each led by a process of its own.

A workload's shard is a range of a hash of its name or of its namespace: it stays the same for as long as their number
does, wherever it is worked out. Which process leads which shard is told by a Lease for each.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Callable, Sequence

import structlog

from podium.clients.kubernetes import errors
from podium.clients.kubernetes.leases import Lease
from podium.loop.settings import PartSettings
from podium.model.identity import WorkloadKey

RETRY_SECONDS = 2.0
log = structlog.get_logger()


class Lost(Exception):
    """The Lease of the shard is another's."""


def shard_of(key: WorkloadKey, shards: int, by: str) -> int:
    """Which of `shards` a workload belongs to, whatever its cluster is called."""
    text = key.namespace if by == "namespace" else f"{key.namespace}/{key.kind}.{key.group}/{key.name}"
    place = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    return place * shards >> 32


def owned(part: PartSettings) -> Callable[[WorkloadKey], bool]:
    """Whether a workload is of the part that `part.shard` names; all are where nothing is split."""
    return lambda key: part.shards == 1 or shard_of(key, part.shards, part.by) == part.shard


def lease_name(shard: int) -> str:
    """What the Lease of a shard is called."""
    return f"podium-shard-{shard}"


async def take_any(leases: Sequence[Lease], pause_seconds: float = RETRY_SECONDS) -> int:
    """Wait until one of them is ours: its place. Silence of the server is waited out; a missing right is raised."""
    said = ""
    while True:
        held = []
        for number, lease in enumerate(leases):
            try:
                if await lease.take():
                    log.info("leads a shard", shard=number, lease=lease.name)
                    return number
                held.append(f"{lease.name}: {lease.held_by}")
            except errors.Temporary as error:
                held.append(str(error))
        if (words := "; ".join(held)) != said:
            log.info("waiting for a shard", held=words)
            said = words
        await asyncio.sleep(pause_seconds)


async def keep(lease: Lease, ttl_seconds: float) -> None:
    """Renew it every third of its term. Raises Lost when another has it.

    A term that is over while nobody took it is taken anew: what is written is fenced by the shard's ledger, whose own
    term ends as early and is looked at right before each write.
    """
    while True:
        await asyncio.sleep(ttl_seconds / 3)
        try:
            async with asyncio.timeout(ttl_seconds):
                if await lease.take():
                    continue
        except (errors.Temporary, errors.Permanent, TimeoutError) as error:
            log.warning("the lease of the shard is not renewed yet", lease=lease.name, reason=str(error) or "no answer")
            continue
        raise Lost(f"the Lease {lease.name} is lost: {lease.held_by or 'another'} has it")


async def let_go(lease: Lease) -> None:
    """Release it as far as the server lets us: its term ends by itself."""
    with contextlib.suppress(errors.Temporary, errors.Permanent, errors.Conflict):
        await lease.release()
