"""The simulated world: workloads, pods and nodes at one moment, and what time and writes do to them.

A pod's whole life is drawn when a node takes it (chance.py), so that moving the world from noon to one o'clock gives
the same pods in one step or in a thousand. Nothing here reads a clock, a file or a load.

The order in which pods are removed is the ReplicaSet controller's (`ActivePodsWithRanks` in Kubernetes'
pkg/controller/controller_utils.go): unscheduled first, then pending, then not ready; of ready ones first those that
share their node with most siblings, then the one ready for the shortest time, in powers of two of its age, then by
uid; of others the one with most restarts, then the youngest.
"""

from __future__ import annotations

import math
from collections import Counter

import numpy as np

from podium.loop.clusters.simulated.chance import mixed, start_up
from podium.loop.clusters.simulated.shape import WorldShape
from podium.loop.clusters.simulated.table import NEVER, NOWHERE, PodTable
from podium.model.arrays import Bools, Columns, Int64s

REMEMBERED = (
    60.0  # seconds a pod stays in the table after its end, so that metrics that lag still know who shared the load
)
_FOUND_AGE = 3600.0  # seconds the first pods have been there when a world begins
_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"  # what Kubernetes builds generated names from: no vowels, no words
_TEMPLATE = "6b7c9d8f5c"  # the hash of a pod template that never changes
_UID_DRAW = 1 << 20  # a draw that no start uses


class World:
    """The state at `at`. Workloads are numbered as in `shape.workloads`."""

    def __init__(self, shape: WorldShape, at: float) -> None:
        self.shape = shape
        self.at = at
        self.index = {workload.key: number for number, workload in enumerate(shape.workloads)}
        count = len(shape.workloads)
        self.replicas = np.zeros(count, np.int64)
        self.epochs = np.zeros(count, np.int64)
        self.pods = PodTable()
        self._changes = np.ones(count, np.int64)  # of each workload; what its present pods add is counted in `versions`
        self._serial = 0
        self._rooms = [node for node in shape.nodes for _ in range(node.count)]
        self._free_cores = np.array([node.cores for node in self._rooms])
        self._free_bytes = np.array([node.bytes for node in self._rooms])
        self._needs = np.array([[w.requests.cores or 0.0, w.requests.bytes or 0.0] for w in shape.workloads]).reshape(
            -1, 2
        )

    @classmethod
    def begin(cls, shape: WorldShape, at: float) -> World:
        """A world whose pods have all been ready for a while, as a cluster is found."""
        world = cls(shape, at)
        for number, workload in enumerate(shape.workloads):
            world.begin_workload(number, workload.replicas)
        return world

    def begin_workload(self, number: int, replicas: int) -> None:
        """Give a workload its first pods: ready for a while already, where there is room."""
        self.replicas[number] = replicas
        self._create(number, replicas)
        rows = self.active(number)
        rows = rows[self.pods.scheduled[rows] < NEVER]
        for column in (self.pods.created, self.pods.scheduled, self.pods.running, self.pods.ready):
            column[rows] = self.at - _FOUND_AGE

    # time

    def advance(self, now: float) -> None:
        """Let time pass until `now`; a moment that has already been is left as it is."""
        if now <= self.at:
            return
        pods = self.pods
        leaving = (pods.gone > self.at) & (pods.gone <= now) & (pods.node != NOWHERE)
        rows = np.flatnonzero(leaving)
        for moment in np.unique(pods.gone[rows]):
            self._make_room(rows[pods.gone[rows] == moment])
            self._place_waiting(float(moment))
        self.at = now
        self._forget()

    def _forget(self) -> None:
        over = self.pods.gone <= self.at - REMEMBERED
        if not over.any():
            return
        was_ready = self.pods.ready[over] < NEVER
        np.add.at(self._changes, self.pods.workload[over], 1 + was_ready)
        self.pods.keep(~over)

    # writes

    def set_replicas(self, number: int, replicas: int) -> None:
        """Set `spec.replicas`; pods are created and deleted at once, as the controllers do within milliseconds."""
        active = self.active(number)
        if replicas > len(active):
            self._create(number, replicas - len(active))
        elif replicas < len(active):
            self._delete(number, self._removal_order(active)[: len(active) - replicas])
        self.replicas[number] = replicas
        self._changes[number] += 1

    def claim(self, number: int, epoch: int) -> None:
        """Write the annotation that says which leadership owns the workload."""
        self.epochs[number] = epoch
        self._changes[number] += 1

    # what is asked

    def active(self, number: int) -> Int64s:
        """Rows of a workload's pods that nobody has deleted."""
        return np.flatnonzero((self.pods.workload == number) & (self.pods.deleted == NEVER))

    def per_workload(self, mask: Bools) -> Int64s:
        """How many marked pods each workload has."""
        return np.bincount(self.pods.workload[mask], minlength=len(self.replicas)).astype(np.int64)

    def versions(self) -> Int64s:
        """A number per workload that has moved whenever anything about it did: writes, pods turning Ready, pods ending.

        The deployment's status carries those counts, and writing a status moves the resourceVersion too.
        """
        pods = self.pods
        return self._changes + self.per_workload(pods.ready <= self.at) + self.per_workload(pods.gone <= self.at)

    def version(self, number: int) -> int:
        """The same for one workload."""
        pods = self.pods
        mine = pods.workload == number
        moved = np.count_nonzero(mine & (pods.ready <= self.at)) + np.count_nonzero(mine & (pods.gone <= self.at))
        return int(self._changes[number] + moved)

    # pods

    def _create(self, number: int, count: int) -> None:
        key = self.shape.workloads[number].key
        for _ in range(count):
            self._serial += 1
            row = self.pods.add(
                workload=number,
                serial=self._serial,
                node=NOWHERE,
                restarts=0,
                created=self.at,
                scheduled=NEVER,
                running=NEVER,
                ready=NEVER,
                deleted=NEVER,
                gone=NEVER,
                name=(key.namespace, pod_name(key.name, self._serial)),
            )
            self._place(row, self.at)

    def _delete(self, number: int, rows: Int64s) -> None:
        pods = self.pods
        runs = pods.running[rows] <= self.at
        pods.deleted[rows] = self.at
        pods.gone[rows] = self.at + np.where(runs, self.shape.workloads[number].termination, 0.0)
        for column in (pods.ready, pods.running):
            column[rows] = np.where(column[rows] <= self.at, column[rows], NEVER)
        ended = rows[(pods.gone[rows] <= self.at) & (pods.node[rows] != NOWHERE)]
        if len(ended):
            self._make_room(ended)
            self._place_waiting(self.at)

    def _removal_order(self, rows: Int64s) -> Int64s:
        pods = self.pods
        siblings = Counter(pods.node[rows].tolist())

        def rank(row: int) -> tuple[float, ...]:
            node, ready = int(pods.node[row]), bool(pods.ready[row] <= self.at)
            crowd = -siblings[node] if node != NOWHERE else 0
            since = float(pods.ready[row]) if ready else float(pods.created[row])
            restarts = 0 if ready else -int(pods.restarts[row])
            return (
                bool(pods.scheduled[row] < NEVER),
                bool(pods.running[row] <= self.at),
                ready,
                crowd,
                restarts,
                _age_class(self.at - since),
                mixed(self.shape.seed, int(pods.serial[row]), _UID_DRAW),
            )

        return np.array(sorted(rows.tolist(), key=rank), np.int64)

    # nodes

    def _place(self, row: int, moment: float) -> bool:
        number = int(self.pods.workload[row])
        if self._rooms:
            cores, size = self._needs[number]
            fits = np.flatnonzero((self._free_cores >= cores - 1e-9) & (self._free_bytes >= size))
            if not len(fits):
                return False
            node = int(fits[np.argmax(self._free_cores[fits])])  # the emptiest: the scheduler's LeastAllocated
            self._free_cores[node] -= cores
            self._free_bytes[node] -= size
            self.pods.node[row] = node
        running, ready, restarts = start_up(
            self.shape.workloads[number].startup, self.shape.seed, int(self.pods.serial[row])
        )
        self.pods.scheduled[row] = moment
        self.pods.running[row] = moment + running
        self.pods.ready[row] = moment + ready
        self.pods.restarts[row] = restarts
        return True

    def _place_waiting(self, moment: float) -> None:
        too_big: set[int] = set()
        for row in np.flatnonzero((self.pods.scheduled == NEVER) & (self.pods.deleted == NEVER)):
            number = int(self.pods.workload[row])
            if number not in too_big and not self._place(int(row), moment):
                too_big.add(number)

    def _make_room(self, rows: Int64s) -> None:
        needs = self._needs[self.pods.workload[rows]]
        np.add.at(self._free_cores, self.pods.node[rows], needs[:, 0])
        np.add.at(self._free_bytes, self.pods.node[rows], needs[:, 1])

    # saved and loaded

    def columns(self) -> Columns:
        """The whole state as arrays."""
        keys = [str(workload.key).encode() for workload in self.shape.workloads]
        return {
            "at": np.array(self.at),
            "serial": np.array(self._serial),
            "keys": np.array(keys, np.bytes_),
            "replicas": self.replicas.copy(),
            "epochs": self.epochs.copy(),
            "changes": self._changes.copy(),
        } | {f"pods.{name}": column for name, column in self.pods.columns().items()}

    @classmethod
    def restored(cls, shape: WorldShape, columns: Columns) -> World:
        """The world that `columns` describes. Workloads new in `shape` begin now; those it no longer names are gone."""
        world = cls(shape, float(columns["at"]))
        world._serial = int(columns["serial"])
        names = {str(workload.key).encode(): number for number, workload in enumerate(shape.workloads)}
        moved = np.array([names.get(key, UNNAMED) for key in columns["keys"].tolist()], np.int64)
        known = moved != UNNAMED
        for target, name in ((world.replicas, "replicas"), (world.epochs, "epochs"), (world._changes, "changes")):
            target[moved[known]] = columns[name][known]
        world._restore_pods(columns, moved)
        for number in sorted(set(range(len(shape.workloads))) - set(moved.tolist())):
            world.begin_workload(number, shape.workloads[number].replicas)
        return world

    def _restore_pods(self, columns: Columns, moved: Int64s) -> None:
        saved = {name.removeprefix("pods."): column.tolist() for name, column in columns.items() if "pods." in name}
        for values in zip(*saved.values(), strict=True):
            pod = dict(zip(saved, values, strict=True))
            pod["workload"] = int(moved[pod["workload"]])
            if pod["workload"] == UNNAMED:
                continue
            pod["node"] = pod["node"] if pod["node"] < len(self._rooms) else NOWHERE
            key = self.shape.workloads[pod["workload"]].key
            self.pods.add(**pod, name=(key.namespace, pod_name(key.name, pod["serial"])))
        held = np.flatnonzero((self.pods.node != NOWHERE) & (self.pods.gone > self.at))
        if len(held):
            needs = self._needs[self.pods.workload[held]]
            np.subtract.at(self._free_cores, self.pods.node[held], needs[:, 0])
            np.subtract.at(self._free_bytes, self.pods.node[held], needs[:, 1])


UNNAMED = -1  # a saved workload that the shape no longer has


def pod_name(workload: str, serial: int) -> str:
    """`web-6b7c9d8f5c-x2x9k`: as generated names are, cut to 63 characters, and never the same twice.

    27^5 serials give distinct endings, because 9,473,221 has no factor in common with 27.
    """
    ending, number = "", serial * 9_473_221 % 27**5
    for _ in range(5):
        number, digit = divmod(number, 27)
        ending += _ALPHABET[digit]
    return f"{workload}-{_TEMPLATE}-"[:58] + ending


def _age_class(seconds: float) -> int:
    return int(math.log2(seconds * 1e9)) if seconds > 0 else -1
