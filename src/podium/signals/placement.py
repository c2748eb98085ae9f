"""Which row of the fleet each series belongs to. Worked out when something changes, remembered while nothing does."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from itertools import repeat
from typing import Any

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


class Names:
    """Slots by name, for one cluster of one fleet ("": all of it)."""

    def __init__(self, fleet: Fleet, cluster: str) -> None:
        self.fleet = fleet
        self.namespaces = np.full(len(fleet), "", object)
        self.slots: dict[tuple[str, str, str], int] = {}
        twice: set[tuple[str, str, str]] = set()
        for slot, one in enumerate(fleet.slots):
            key = one.key
            if key is None or cluster not in ("", key.cluster):
                continue
            self.namespaces[slot] = key.namespace
            for kind in (key.kind, "workload"):
                name = (key.namespace, kind, key.name)
                if self.slots.setdefault(name, slot) != slot:
                    twice.add(name)
        # Two workloads answer to the name (two clusters, or two API groups): whose series it is would be a guess.
        for name in twice:
            del self.slots[name]


class Index:
    """Slots and pod rows by name. Pods come and go in every turn of a large fleet, its names hardly ever do."""

    def __init__(self, fleet: Fleet, rows: PodRows, cluster: str, names: Names | None = None) -> None:
        self.names = names or Names(fleet, cluster)
        self.rows = rows

    @property
    def namespaces(self) -> np.ndarray[Any, np.dtype[np.object_]]:
        """[n] the namespace of each slot."""
        return self.names.namespaces

    def is_for(self, fleet: Fleet, rows: PodRows) -> bool:
        """Whether nothing changed. Pods that only changed their state do not count."""
        return (
            self.names.fleet is fleet
            and np.array_equal(self.rows.pods.slot, rows.pods.slot)
            and (self.rows.names is rows.names or self.rows.names == rows.names)
        )

    @functools.cached_property
    def _pods(self) -> dict[tuple[str, str, str], int]:
        """As (namespace, pod, name). Asked for only when a series measures one: 335,000 take 270 ms to list.

        A pod of another namespace than its workload is a stranger's, and nobody's here.
        """
        owners, names = self.rows.pods.slot.tolist(), self.rows.names
        spaces = [*self.namespaces.tolist(), None]  # the last one is that of UNKNOWN, -1
        return {(own, "pod", name): row for row, (own, name) in enumerate(names) if spaces[owners[row]] == own}

    def place(self, subjects: Sequence[Subject]) -> Placement:
        """The slot and pod row of every subject. A pod without a slot in this cluster is nobody's."""
        slot = np.fromiter(map(self.names.slots.get, subjects, repeat(UNKNOWN)), np.int32, len(subjects))
        if not of_pods(subjects):
            return Placement(slot, np.full(len(slot), UNKNOWN, np.int32))
        pod = np.fromiter(map(self._pods.get, subjects, repeat(UNKNOWN)), np.int32, len(subjects))
        is_pod = pod >= 0
        slot[is_pod] = self.rows.pods.slot[pod[is_pod]]
        return Placement(slot, pod)


def of_pods(subjects: Sequence[Subject]) -> bool:
    """Whether any of them is a pod."""
    return any(kind == "pod" for _, kind, _ in subjects)


@dataclasses.dataclass(frozen=True, slots=True)
class _Placed:
    index: Index
    subjects: tuple[Subject, ...]
    placement: Placement
    of_pods: bool

    def is_for(self, index: Index, subjects: tuple[Subject, ...]) -> bool:
        """Whether it holds still: series of workloads stay where they are while pods come and go."""
        same = self.index is index or (self.index.names is index.names and not self.of_pods)
        return same and (self.subjects is subjects or self.subjects == subjects)


class Places:
    """Remembers the last placement of each question, for as long as subjects, fleet and pods stay the same."""

    def __init__(self) -> None:
        self._indexes: dict[str, Index] = {}
        self._placed: dict[tuple[str, str, str], _Placed] = {}

    def index(self, fleet: Fleet, rows: PodRows, cluster: str) -> Index:
        """The index of one cluster, made anew when the fleet or its pods changed."""
        found = self._indexes.get(cluster)
        if found is None or not found.is_for(fleet, rows):
            names = found.names if found is not None and found.names.fleet is fleet else None
            found = self._indexes[cluster] = Index(fleet, rows, cluster, names)
        return found

    def place(self, question: tuple[str, str], cluster: str, index: Index, subjects: tuple[Subject, ...]) -> Placement:
        """The placement of the subjects that `question` (source, query) answered."""
        key = (*question, cluster)
        known = self._placed.get(key)
        if known is None or not known.is_for(index, subjects):
            # Another question may speak of the same pods: cpu and memory do.
            same = (one for one in self._placed.values() if one.is_for(index, subjects))
            known = next(same, None) or _Placed(index, subjects, index.place(subjects), of_pods(subjects))
            self._placed[key] = known
        return known.placement

    def keep(self, questions: set[tuple[str, str]]) -> None:
        """Forget placements of questions that nobody asks any more."""
        self._placed = {key: value for key, value in self._placed.items() if key[:2] in questions}
