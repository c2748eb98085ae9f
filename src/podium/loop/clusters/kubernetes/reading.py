"""From what is known of the API's objects to the arrays of an observation. Pure: what is missing comes in as values."""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Collection, Iterable, Iterator, Sequence

import numpy as np

from podium.clients.kubernetes import objects
from podium.clients.kubernetes.selectors import Selector
from podium.loop.clusters.kubernetes import kept, requests, room
from podium.loop.clusters.port import Observation
from podium.model.arrays import UNKNOWN, Float64s, Int64s
from podium.model.clock import parse_duration
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.quantities import MAX_MILLI, parse_milli
from podium.model.snapshot import Phase, Pods, Ready, Room, Samples, no_room

RESOURCES = ("cpu", "memory")

_quantity = functools.lru_cache(4096)(parse_milli)  # a fleet's requests are few different texts


@dataclasses.dataclass(frozen=True, slots=True)
class Namespace:
    """The pods of one namespace and their metrics; `pods` is None where they are not known."""

    pods: Collection[kept.Pod] | None
    metrics: Collection[objects.PodMetrics]
    bounds: room.Bounds = room.UNBOUNDED


@dataclasses.dataclass(frozen=True, slots=True)
class _Row:
    """One pod of one workload."""

    slot: int
    namespace: str
    name: str
    pod: kept.Pod | None  # None: it is gone, and its sample is still there
    metrics: objects.PodMetrics | None


def observation(
    fleet: Fleet,
    seen: dict[WorkloadKey, kept.Workload],
    namespaces: dict[str, Namespace],
    troubles: dict[WorkloadKey, str],
    containers: Collection[str] = (),
    *,
    now: float = math.nan,
) -> Observation:
    """The arrays of what was read. Slots of nobody, of other clusters and of unread workloads are unknown.

    `containers`: `resource@container` for each container that is measured by itself, too. `now` (Unix seconds) tells
    how long a pod has waited for a node.
    """
    size = len(fleet)
    numbers = {name: np.full(size, UNKNOWN, np.int64) for name in ("replicas", "status_replicas", "ready")}
    epochs = np.zeros(size, np.int64)
    versions = [""] * size
    for key, one in seen.items():
        slot = fleet.index[key]
        numbers["replicas"][slot] = one.replicas
        numbers["status_replicas"][slot] = one.status_replicas
        epochs[slot] = one.epoch
        versions[slot] = one.version
        if namespaces[key.namespace].pods is not None:
            numbers["ready"][slot] = 0
    rows = list(_rows(fleet, seen, namespaces))
    for row in rows:
        numbers["ready"][row.slot] += row.pod is not None and _serves(row.pod)
    return Observation(
        replicas=numbers["replicas"],
        status_replicas=numbers["status_replicas"],
        ready=numbers["ready"],
        resource_versions=tuple(versions),
        epochs=epochs,
        pods=_pods(rows, (*RESOURCES, *sorted(containers))),
        pod_names=tuple((row.namespace, row.name) for row in rows),
        troubles=troubles,
        marks={key: one.marks for key, one in seen.items() if one.marks},
        room=_room(size, rows, namespaces, now),
    )


def _room(size: int, rows: list[_Row], namespaces: dict[str, Namespace], now: float) -> Room:
    """What bounds each workload; a pod of it stands for all that it would still get."""
    quota, budget = np.full(size, UNKNOWN, np.int64), np.full(size, UNKNOWN, np.int64)
    waiting, looked = np.zeros(size, np.int64), set()
    for row in rows:
        if row.pod is None:
            continue
        waiting[row.slot] += room.waits(row.pod, now)
        bounds = namespaces[row.namespace].bounds
        if row.slot not in looked and (bounds.quotas or bounds.budgets):
            looked.add(row.slot)
            asked = {resource: _request(row.pod.spec, resource, "") for resource in RESOURCES}
            quota[row.slot] = room.left(bounds.quotas, asked)
            budget[row.slot] = room.needed(bounds.budgets, row.pod.labels)
    bounded = waiting.any() or (quota != UNKNOWN).any() or (budget != UNKNOWN).any()
    return Room(quota, budget, waiting) if bounded else no_room()


def cpu(namespace: Namespace, pods: Collection[kept.Pod]) -> dict[str, int]:
    """What each of these pods uses, in thousandths of a core, as far as it was measured."""
    names = {pod.name for pod in pods}
    used = {
        one.metadata.name: _total([container.usage for container in one.containers or ()], "cpu")
        for one in namespace.metrics
        if one.metadata.name in names
    }
    return {name: milli for name, milli in used.items() if milli != UNKNOWN}


def _rows(fleet: Fleet, seen: dict[WorkloadKey, kept.Workload], namespaces: dict[str, Namespace]) -> Iterator[_Row]:
    """A row per workload and pod that its selector matches; for gone pods, per sample whose labels it matches."""
    selectors: dict[str, dict[int, Selector]] = {name: {} for name in namespaces}
    for key, one in seen.items():
        selectors[key.namespace][fleet.index[key]] = one.selector
    for name, namespace in namespaces.items():
        if namespace.pods is None:
            continue
        owners = _Owners(selectors[name])
        metrics = {one.metadata.name: one for one in namespace.metrics}
        for pod in namespace.pods:
            sample = metrics.pop(pod.name, None)
            for slot in owners.of_shared(pod.labels):
                yield _Row(slot, name, pod.name, pod, sample)
        for gone in metrics.values():
            for slot in owners.of(gone.metadata.labels or {}):
                yield _Row(slot, name, gone.metadata.name, None, gone)


class _Owners:
    """Which slots' selectors match some labels: looked up by a label that each needs."""

    def __init__(self, selectors: dict[int, Selector]) -> None:
        self._selectors = selectors
        self._by_pair: dict[tuple[str, str], list[int]] = {}
        self._anywhere: list[int] = []
        self._known: dict[int, list[int]] = {}  # by the identity of labels that pods share
        for slot, selector in selectors.items():
            pairs = selector.pairs()
            for pair in pairs:
                self._by_pair.setdefault(pair, []).append(slot)
            if not pairs:
                self._anywhere.append(slot)

    def of_shared(self, labels: dict[str, str]) -> list[int]:
        """The same for labels that outlive this: asked once for all pods that carry the same ones."""
        slots = self._known.get(id(labels))
        if slots is None:
            slots = self._known[id(labels)] = self.of(labels)
        return slots

    def of(self, labels: dict[str, str]) -> list[int]:
        candidates = [slot for pair in labels.items() for slot in self._by_pair.get(pair, ())]
        return [slot for slot in [*candidates, *self._anywhere] if self._selectors[slot].matches(labels)]


def _serves(pod: kept.Pod) -> bool:
    return pod.phase == Phase.RUNNING and pod.ready == Ready.TRUE and not pod.deleting


def _pods(rows: list[_Row], metrics: Sequence[str]) -> Pods:
    pods = [row.pod for row in rows]
    return Pods(
        slot=np.array([row.slot for row in rows], np.int32),
        phase=np.array([Phase.GONE if pod is None else pod.phase for pod in pods], np.int8),
        ready=np.array([Ready.ABSENT if pod is None else pod.ready for pod in pods], np.int8),
        deleting=np.array([pod is not None and pod.deleting for pod in pods], bool),
        start=_times(None if pod is None else pod.start for pod in pods),
        transition=_times(None if pod is None else pod.transition for pod in pods),
        requests={metric: _requests(rows, metric) for metric in metrics},
        samples={metric: _samples(rows, metric) for metric in metrics if any(row.metrics for row in rows)},
    )


def _times(times: Iterable[float | None]) -> Float64s:
    return np.array([math.nan if time is None else time for time in times], np.float64)


def _requests(rows: list[_Row], metric: str) -> Int64s:
    resource, _, container = metric.partition("@")
    known: dict[int, int] = {}  # by the identity of what pods share

    def asked(pod: kept.Pod | None) -> int:
        if pod is None:
            return UNKNOWN
        if id(pod.spec) not in known:
            known[id(pod.spec)] = _request(pod.spec, resource, container)
        return known[id(pod.spec)]

    return np.array([asked(row.pod) for row in rows], np.int64)


def _request(spec: objects.PodSpec, resource: str, container: str) -> int:
    """Thousandths; UNKNOWN where a pod, or the container that is named, does not say it in a form that can be read."""
    try:
        amount = requests.requested(spec, resource, container, _read)
    except ValueError:
        return UNKNOWN
    return UNKNOWN if amount is None else min(amount, MAX_MILLI)


def _read(text: requests.Quantity) -> int:
    return _quantity(str(text))


def _total(parts: list[dict[str, str | int | float] | None], resource: str) -> int:
    """The sum of a resource over parts; UNKNOWN when one does not name it, or there are none."""
    total = 0
    for part in parts:
        if part is None or resource not in part:
            return UNKNOWN
        try:
            total += _quantity(str(part[resource]))
        except ValueError:
            return UNKNOWN
    return min(total, MAX_MILLI) if parts else UNKNOWN


def _samples(rows: list[_Row], metric: str) -> Samples:
    resource, _, container = metric.partition("@")
    milli = np.full(len(rows), UNKNOWN, np.int64)
    at, window = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    for number, row in enumerate(rows):
        if row.metrics is None or row.metrics.timestamp is None:
            continue
        used = [one.usage for one in row.metrics.containers or () if container in ("", one.name)]
        total = _total(used, resource)
        if total != UNKNOWN:
            milli[number] = total
            at[number] = row.metrics.timestamp.timestamp()
            window[number] = _window(row.metrics.window)
    return Samples(milli, at, window)


def _window(text: str) -> float:
    try:
        return parse_duration(text)
    except ValueError:
        return math.nan
