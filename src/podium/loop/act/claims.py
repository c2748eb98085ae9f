"""Claims: what Podium writes bears the epoch of its leadership, so that no earlier leader's write counts."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import numpy as np

from podium.loop.clusters.port import Cluster, Conflict, Permanent, StaleLeader, Temporary
from podium.loop.decide.table import Mode, PolicyTable
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey


class Claims:
    """What one leadership has claimed in one cluster; `key in claims`: it may be written to."""

    def __init__(self, cluster: Cluster, epoch: int, deadline_seconds: float) -> None:
        self._cluster = cluster
        self._epoch = epoch
        self._deadline = deadline_seconds
        self._claimed: set[WorkloadKey] = set()
        self._wanted: list[WorkloadKey] = []  # still to be claimed under …
        self._wanted_of: PolicyTable | None = None
        self.refused: dict[WorkloadKey, str] = {}  # what could not be claimed at the last attempt, and why

    def __contains__(self, key: WorkloadKey) -> bool:
        return key in self._claimed

    async def make(self, table: PolicyTable, fleet: Fleet) -> None:
        """Claim what the policies let us write and is not claimed yet. What is refused is tried again next time."""
        if self._wanted_of is not table:  # 30 ms for 100,000 workloads: not again while nothing changes
            keys = (fleet.slots[slot].key for slot in np.flatnonzero(table.mode == Mode.OWN).tolist())
            self._wanted_of, self._wanted = table, [key for key in keys if key is not None]
        wanted = self._wanted = [key for key in self._wanted if key not in self._claimed]
        self.refused = {}
        if not wanted:
            return
        try:
            async with asyncio.timeout(self._deadline):
                await self._all(wanted)
        except TimeoutError:
            words = f"cluster {self._cluster.name} did not answer the claim within {self._deadline:g} s"
            self.refused |= dict.fromkeys((key for key in wanted if key not in self._claimed), words)

    async def _all(self, keys: Sequence[WorkloadKey]) -> None:
        try:
            await self._cluster.claim(keys, self._epoch)
        except (Conflict, Temporary, Permanent):
            # Some of them refused: one by one, to know which.
            await asyncio.gather(*(self._one(key) for key in keys))
        else:
            self._claimed.update(keys)

    async def _one(self, key: WorkloadKey) -> None:
        """A workload that cannot be claimed is not written to, and says why."""
        try:
            await self._cluster.claim([key], self._epoch)
        except StaleLeader as error:
            # Our lease holds: the claim is of another ledger, alive or lost. Only a person can tell which.
            self.refused[key] = f"{error}; if that Podium is gone for good: podium run --take-over"
        except (Conflict, Temporary, Permanent) as error:
            self.refused[key] = str(error)
        else:
            self._claimed.add(key)
