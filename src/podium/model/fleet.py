"""The fleet: which workload lives in which slot of every array."""

from __future__ import annotations

import dataclasses
import functools
import hashlib

import numpy as np

from podium.model.arrays import UNKNOWN, Int64s
from podium.model.identity import WorkloadKey


@dataclasses.dataclass(frozen=True, slots=True)
class Slot:
    """One row of the fleet's arrays: a workload and whose it is, or nobody until the next workload takes it.

    A reused row has a higher generation, so that what was learned of the old workload is never taken for the new one.
    """

    key: WorkloadKey | None
    tenant: str = ""
    generation: int = 0


@dataclasses.dataclass(frozen=True)
class Fleet:
    """An immutable assignment of workloads to dense slots."""

    slots: tuple[Slot, ...] = ()

    def __len__(self) -> int:
        return len(self.slots)

    @functools.cached_property
    def index(self) -> dict[WorkloadKey, int]:
        """Slot number by workload."""
        return {slot.key: number for number, slot in enumerate(self.slots) if slot.key is not None}

    @functools.cached_property
    def by_namespace(self) -> dict[str, Int64s]:
        """Slot numbers by namespace, of every cluster."""
        found: dict[str, list[int]] = {}
        for key, number in self.index.items():
            found.setdefault(key.namespace, []).append(number)
        return {namespace: np.array(numbers, np.int64) for namespace, numbers in found.items()}

    @functools.cached_property
    def tenants(self) -> Int64s:
        """[n] whose each slot is, as dense numbers in the order of first slots; UNKNOWN: nobody's."""
        numbers: dict[str, int] = {}
        whose = [numbers.setdefault(slot.tenant, len(numbers)) if slot.tenant else UNKNOWN for slot in self.slots]
        return np.array(whose, np.int64)

    @functools.cached_property
    def groups(self) -> Int64s:
        """[n] which slots belong together: of one tenant, or of one namespace where it has none; UNKNOWN: nobody's."""
        numbers: dict[tuple[str, ...], int] = {}
        out = np.full(len(self.slots), UNKNOWN, np.int64)
        for number, slot in enumerate(self.slots):
            if slot.key is not None:
                whose = (slot.tenant,) if slot.tenant else (slot.key.cluster, slot.key.namespace)
                out[number] = numbers.setdefault(whose, len(numbers))
        return out

    @functools.cached_property
    def digest(self) -> str:
        """SHA-256 of the whole assignment, generations included."""
        lines = (f"{slot.key or '-'} {slot.tenant} {slot.generation}" for slot in self.slots)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def revised(self, wanted: dict[WorkloadKey, str]) -> Fleet:
        """The fleet of exactly `wanted` ({key: tenant}); who stays keeps the slot, who comes takes a free one."""
        slots = [
            Slot(slot.key, wanted[slot.key], slot.generation)
            if slot.key in wanted
            else Slot(None, generation=slot.generation)
            for slot in self.slots
        ]
        free = [number for number, slot in enumerate(slots) if slot.key is None]
        for key in sorted(wanted.keys() - self.index.keys()):
            if free:
                number = free.pop(0)
                slots[number] = Slot(key, wanted[key], slots[number].generation + 1)
            else:
                slots.append(Slot(key, wanted[key]))
        return Fleet(tuple(slots))
