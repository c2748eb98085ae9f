"""Which row of the fleet each series belongs to. Worked out when something changes, remembered while nothing does."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from itertools import repeat

import numpy as np

from podium.model.arrays import UNKNOWN, Bools, Int32s
from podium.model.fleet import Fleet
from podium.model.snapshot import Phase, Pods, Ready
from podium.signals.source import Subject


@dataclasses.dataclass(frozen=True, slots=True)
class PodRows:
    """The fleet's pods, as the cluster observed them: names in the order of the rows of `pods`."""

    pods: Pods
    names: tuple[tuple[str, str], ...]  # (namespace, name)

    def settled(self, now: float, seconds: float) -> Bools:
        """[p] pods that have been Ready for at least `seconds`: whoever measures pods has had time to see them."""
        pods = self.pods
        serving: Bools = (pods.phase == Phase.RUNNING) & (pods.ready == Ready.TRUE) & ~pods.deleting
        return serving & (now - pods.transition >= seconds)


@dataclasses.dataclass(frozen=True, slots=True)
class Placement:
    """Per series: its slot, and its row among the pods; UNKNOWN where there is none."""

    slot: Int32s
    pod: Int32s

    def origins(self, of_series: tuple[str, ...]) -> dict[int, str]:
        """{slot: origin} of series that say where they come from."""
        pairs = zip(self.slot[: len(of_series)].tolist(), of_series, strict=True)
        return {slot: origin for slot, origin in pairs if slot >= 0}


class Index:
    """Slots and pod rows by name, for one cluster of one fleet ("": all of it)."""

    def __init__(self, fleet: Fleet, rows: PodRows, cluster: str) -> None:
        self.fleet = fleet
        self.rows = rows
        keys = [(slot, one.key) for slot, one in enumerate(fleet.slots) if one.key and cluster in ("", one.key.cluster)]
        self.namespaces = np.full(len(fleet), "", object)
        self._slots: dict[tuple[str, str, str], int] = {}
        twice: set[tuple[str, str, str]] = set()
        for slot, key in keys:
            self.namespaces[slot] = key.namespace
            for kind in (key.kind, "workload"):
                name = (key.namespace, kind, key.name)
                if self._slots.setdefault(name, slot) != slot:
                    twice.add(name)
        # Two workloads answer to the name (two clusters, or two API groups): whose series it is would be a guess.
        for name in twice:
            del self._slots[name]
        owners = rows.pods.slot.tolist()
        self._pods = {("pod", *name): row for row, name in enumerate(rows.names) if owners[row] >= 0}

    def is_for(self, fleet: Fleet, rows: PodRows) -> bool:
        """Whether nothing changed. Pods that only changed their state do not count."""
        return (
            self.fleet is fleet
            and (self.rows.names is rows.names or self.rows.names == rows.names)
            and np.array_equal(self.rows.pods.slot, rows.pods.slot)
        )

    def place(self, subjects: Sequence[Subject]) -> Placement:
        """The slot and pod row of every subject. A pod without a slot in this cluster is nobody's."""
        slot = np.fromiter(map(self._slots.get, subjects, repeat(UNKNOWN)), np.int32, len(subjects))
        names = (("pod", namespace, name) if kind == "pod" else None for namespace, kind, name in subjects)
        pod = np.fromiter((self._pods.get(name, UNKNOWN) if name else UNKNOWN for name in names), np.int32, len(slot))
        is_pod = pod >= 0
        slot[is_pod] = self.rows.pods.slot[pod[is_pod]]
        if is_pod.any():
            own = np.array([namespace for namespace, _, _ in subjects], object)
            stranger = is_pod & ((slot < 0) | (self.namespaces[slot] != own))
            slot[stranger] = pod[stranger] = UNKNOWN
        return Placement(slot, pod)


class Places:
    """Remembers the last placement of each question, for as long as subjects, fleet and pods stay the same."""

    def __init__(self) -> None:
        self._indexes: dict[str, Index] = {}
        self._placed: dict[tuple[str, str, str], tuple[Index, tuple[Subject, ...], Placement]] = {}

    def index(self, fleet: Fleet, rows: PodRows, cluster: str) -> Index:
        """The index of one cluster, made anew when the fleet or its pods changed."""
        found = self._indexes.get(cluster)
        if found is None or not found.is_for(fleet, rows):
            found = self._indexes[cluster] = Index(fleet, rows, cluster)
        return found

    def place(self, question: tuple[str, str], cluster: str, index: Index, subjects: tuple[Subject, ...]) -> Placement:
        """The placement of the subjects that `question` (source, query) answered."""
        key = (*question, cluster)
        known = self._placed.get(key)
        if known is not None and known[0] is index and (known[1] is subjects or known[1] == subjects):
            return known[2]
        placement = index.place(subjects)
        self._placed[key] = (index, subjects, placement)
        return placement

    def keep(self, questions: set[tuple[str, str]]) -> None:
        """Forget placements of questions that nobody asks any more."""
        self._placed = {key: value for key, value in self._placed.items() if key[:2] in questions}
