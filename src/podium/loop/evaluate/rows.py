"""What one HPA sees of a world, as rows: a row per selected pod, then one per sample whose pod is gone."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Iterable, Mapping, Sequence

from podium.clients.kubernetes.objects import Condition, Pod, PodMetrics
from podium.loop.clusters.kubernetes import requests
from podium.loop.decide.table import MetricKind
from podium.loop.evaluate import labels, quantity
from podium.loop.evaluate.cases import CustomValue, ExternalValue
from podium.loop.evaluate.rules import Asked
from podium.model.arrays import UNKNOWN
from podium.model.clock import parse_duration
from podium.model.quantities import MAX_MILLI
from podium.model.snapshot import Phase, Ready

Sample = tuple[int, float, float]  # thousandths, Unix seconds, window in seconds

NEVER = -62_135_596_800.0  # Go's zero time, in Unix seconds
DEFAULT_SELECTOR = "app=oracle"
DEFAULT_LABELS = {"app": "oracle"}

_PHASES = {phase.name.capitalize(): int(phase) for phase in Phase if phase is not Phase.GONE}
_READY = {"True": int(Ready.TRUE), "False": int(Ready.FALSE)}
_GONE, _ABSENT, _UNKNOWN = int(Phase.GONE), int(Ready.ABSENT), int(Ready.UNKNOWN)

_duration = functools.lru_cache(256)(parse_duration)


@dataclasses.dataclass(slots=True)
class Rows:
    """The rows of one HPA. Lists, because thousands of these are laid end to end before they become arrays."""

    pods: Sequence[Pod]  # the selected ones, in the lister's order
    phase: list[int]
    ready: list[int]
    deleting: list[bool]
    start: list[float]
    transition: list[float]
    requests: dict[str, list[int]]  # signal -> a request per pod
    samples: dict[str, tuple[list[int], list[Sample]]]  # signal -> rows that have a sample, and the samples
    values: dict[str, int]  # signal -> thousandths
    answered: list[bool]  # per metric: did its API answer with anything at all?
    existing: int  # pods that are neither deleted nor over, selected or not

    def __len__(self) -> int:
        return len(self.phase)


@dataclasses.dataclass(frozen=True, slots=True)
class Scene:
    """The world of one HPA at one moment."""

    selector: str = DEFAULT_SELECTOR
    pods: Sequence[Pod] = ()
    pod_metrics: Sequence[PodMetrics] = ()
    custom: Sequence[CustomValue] = ()
    external: Sequence[ExternalValue] = ()


def seen(scene: Scene, asked: Sequence[Asked], namespace: str) -> Rows:
    """The rows of one HPA that asks for these metrics. Raises ValueError that shows what cannot be read."""
    selected = _selected(scene)
    phase, ready, deleting, start, transition = [], [], [], [], []
    for pod in selected:
        status = pod.status
        condition = _ready_condition(status.conditions)
        phase.append(_PHASES.get(status.phase, _UNKNOWN_PHASE))
        deleting.append(pod.metadata.deletion_timestamp is not None)
        start.append(_NAN if status.start_time is None else status.start_time.timestamp())
        if condition is None:
            ready.append(_ABSENT)
            transition.append(_NAN)
        else:
            ready.append(_READY.get(condition.status, _UNKNOWN))
            moved = condition.last_transition_time
            transition.append(NEVER if moved is None else moved.timestamp())
    rows = Rows(selected, phase, ready, deleting, start, transition, {}, {}, {}, [], _existing(scene.pods))
    index = _Index(rows, scene.pods)
    for one in asked:
        rows.answered.append(_measure(rows, index, scene, one, namespace))
    return rows


_NAN = float("nan")
_UNKNOWN_PHASE = int(Phase.UNKNOWN)


def _selected(scene: Scene) -> Sequence[Pod]:
    if scene.selector == DEFAULT_SELECTOR and all(pod.metadata.labels is None for pod in scene.pods):
        return scene.pods
    chosen = labels.parse(scene.selector)
    return [pod for pod in scene.pods if chosen.matches(_labels(pod))]


def _labels(pod: Pod) -> Mapping[str, str]:
    return DEFAULT_LABELS if pod.metadata.labels is None else pod.metadata.labels


def _ready_condition(conditions: Iterable[Condition] | None) -> Condition | None:
    for one in conditions or ():
        if one.type == "Ready":
            return one
    return None


def _existing(pods: Sequence[Pod]) -> int:
    return sum(
        pod.metadata.deletion_timestamp is None and pod.status.phase not in ("Succeeded", "Failed") for pod in pods
    )


class _Index:
    """Which row a sample belongs to: its pod's, or one of its own when that pod is no more."""

    def __init__(self, rows: Rows, every_pod: Sequence[Pod]) -> None:
        self._rows = rows
        self._row = {pod.metadata.name: number for number, pod in enumerate(rows.pods)}
        others = len(every_pod) > len(rows.pods)
        self._others = {pod.metadata.name for pod in every_pod} - self._row.keys() if others else frozenset()

    def of(self, name: str) -> int | None:
        """The row; None for a pod that exists and is not selected, whose sample the API does not answer with."""
        row = self._row.get(name)
        if row is not None:
            return row
        if name in self._others:
            return None
        rows = self._rows
        row = self._row[name] = len(rows.phase)
        rows.phase.append(_GONE)
        rows.ready.append(_ABSENT)
        rows.deleting.append(False)
        rows.start.append(_NAN)
        rows.transition.append(_NAN)
        return row


def _measure(rows: Rows, index: _Index, scene: Scene, asked: Asked, namespace: str) -> bool:
    """Lay one metric's samples and requests into the rows. Answers whether its API had anything to say."""
    metric = asked.metric
    if asked.problem:
        return False
    if metric.type == "External":
        return _external(rows, scene, asked)
    if metric.type == "Object":
        return _of_object(rows, scene, asked, namespace)
    if metric.type == "Pods":
        return _custom(rows, index, scene, asked)
    part = metric.resource or metric.container_resource
    assert part is not None  # noqa: S101  the type says so
    container = part.container if metric.type == "ContainerResource" else ""
    if asked.utilised:
        rows.requests[asked.signal] = [request(pod, part.name, container) for pod in rows.pods]
    return _resource(rows, index, scene.pod_metrics, asked.signal, part.name, container)


def _resource(
    rows: Rows, index: _Index, metrics: Sequence[PodMetrics], signal: str, resource: str, container: str
) -> bool:
    answered = False
    found: dict[int, Sample] = {}
    for one in metrics:
        row = index.of(one.metadata.name)
        if row is None:
            continue
        answered = True
        milli = _used(one, resource, container)
        if milli is not None:
            at = NEVER if one.timestamp is None else one.timestamp.timestamp()
            found[row] = (milli, at, _duration(one.window or "30s"))
    rows.samples[signal] = (list(found), list(found.values()))
    return answered


def _used(metrics: PodMetrics, resource: str, container: str) -> int | None:
    """A pod's usage: all containers or none of them, or the one that is named; None where it is not told."""
    total, found = 0, False
    for one in metrics.containers or ():
        if container and one.name != container:
            continue
        usage = one.usage
        if usage is None or resource not in usage:
            return None
        total, found = total + quantity.milli(usage[resource]), True
        if container:
            break
    return total if found else None


def _custom(rows: Rows, index: _Index, scene: Scene, asked: Asked) -> bool:
    metric = asked.metric.pods
    assert metric is not None  # noqa: S101  the type says so
    answered = False
    found: dict[int, Sample] = {}
    wanted = str(labels.of(metric.metric.selector))
    for value in scene.custom:
        if value.described_object.kind == "Pod" and _is_named(value, metric.metric.name, wanted):
            row = index.of(value.described_object.name)
            if row is not None:
                answered = True
                found[row] = (quantity.milli(value.value), 0.0, 60.0)  # only cpu looks at the time of a sample
    rows.samples[asked.signal] = (list(found), list(found.values()))
    return answered


def _is_named(value: CustomValue, name: str, selector: str) -> bool:
    """Whether a value is of this metric. A selector is part of its name, and is compared as it is sent."""
    if value.metric.name != name:
        return False
    if value.metric.selector is None:
        return not selector
    try:
        return str(labels.of(value.metric.selector)) == selector
    except ValueError:
        return False


def objects_of(scene: Scene, asked: Asked, namespace: str) -> list[CustomValue]:
    """The values of an object's metric: exactly one is right. Namespaces are asked for by the HPA's own name."""
    metric = asked.metric.object
    assert metric is not None  # noqa: S101  the type says so
    described, wanted = metric.described_object, str(labels.of(metric.metric.selector))
    core = "/" not in described.api_version
    name = namespace if described.kind == "Namespace" and core else described.name
    return [
        value
        for value in scene.custom
        if value.described_object.kind == described.kind
        and value.described_object.name == name
        and _is_named(value, metric.metric.name, wanted)
    ]


def _of_object(rows: Rows, scene: Scene, asked: Asked, namespace: str) -> bool:
    found = objects_of(scene, asked, namespace)
    if len(found) != 1:
        return False
    rows.values[asked.signal] = quantity.milli(found[0].value)
    return True


def _external(rows: Rows, scene: Scene, asked: Asked) -> bool:
    """All series of a metric together. It travels as text, so an HPA without a selector asks for every series."""
    metric = asked.metric.external
    assert metric is not None  # noqa: S101  the type says so
    chosen = labels.of(metric.metric.selector)
    values = [
        quantity.milli(one.value)
        for one in scene.external
        if one.metric_name == metric.metric.name and chosen.matches(one.metric_labels or {})
    ]
    if values:
        rows.values[asked.signal] = _summed(values, shared=asked.kind is MetricKind.AVERAGE_VALUE)
    return bool(values)


def _summed(values: list[int], *, shared: bool) -> int:
    """The sum as upstream holds it inside int64: a shared one that falls below zero is taken for an overflow, too."""
    total = 0
    for value in values:
        total += value
        if total > MAX_MILLI or (shared and total < 0):
            return MAX_MILLI
    return total


def request(pod: Pod, resource: str, container: str) -> int:
    """Thousandths that a pod requests, as the HPA adds them up; UNKNOWN where it is not said."""
    amount = requests.requested(pod.spec, resource, container, quantity.milli)
    return UNKNOWN if amount is None else amount
