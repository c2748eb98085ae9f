"""What was seen, by workload: its pods, what they request and use, and who scales or protects it."""

from __future__ import annotations

import collections
import dataclasses
import functools
import math
from collections.abc import Iterable, Mapping

from podium.clients.kubernetes import selectors
from podium.loop.survey import objects
from podium.loop.survey.lately import Lately
from podium.loop.survey.reading import Seen
from podium.model.clock import parse_duration
from podium.model.quantities import parse_milli

Name = tuple[str, str, str]  # namespace, kind in lower case, name
HASHES = ("pod-template-hash", "rollouts-pod-template-hash")  # what a ReplicaSet's name ends with, as a label


@dataclasses.dataclass(frozen=True, slots=True)
class Amounts:
    """CPU in thousandths of cores, memory in bytes; None: not known, or not said."""

    cpu: int | None = None
    memory: int | None = None


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One workload."""

    name: Name
    replicas: int  # wanted
    pods: tuple[objects.Pod, ...]  # that are there and not on their way out
    request: Amounts  # of one pod, by the template
    limit: Amounts
    bare: tuple[str, ...]  # containers without a request of CPU
    used: tuple[Amounts, ...]  # pod by pod, of those that were measured
    hpas: tuple[objects.Hpa, ...]
    budgets: tuple[objects.Budget, ...] | None
    throttled: float | None = None  # share of the CPU periods of its worst pod, by a history
    most_memory: int | None = None  # bytes that its fullest pod used at most, by a history

    @property
    def shown(self) -> str:
        """`shop/deployment/web`."""
        return "/".join(self.name)

    def peak(self, resource: str) -> int | None:
        """What the fullest pod used."""
        values = [value for one in self.used if (value := getattr(one, resource)) is not None]
        return max(values, default=None)

    def total(self, resource: str) -> int | None:
        """What all measured pods used together."""
        values = [value for one in self.used if (value := getattr(one, resource)) is not None]
        return sum(values) if values else None


@dataclasses.dataclass(frozen=True, slots=True)
class Fleet:
    """All workloads, and what of the cluster belongs to none."""

    rows: tuple[Row, ...]
    astray: tuple[objects.Hpa, ...]  # HPAs whose target was not seen
    window_seconds: float  # over which usage was measured; NaN: it was not


def rows(seen: Seen, lately: Lately) -> Fleet:
    """Put together what belongs together."""
    pods = _by_owner(seen.pods or ())
    used = {(one.metadata.namespace, one.metadata.name): _used(one) for one in seen.usage or ()}
    scaled: dict[Name, list[objects.Hpa]] = collections.defaultdict(list)
    for hpa in seen.hpas or ():
        target = hpa.spec.scale_target_ref
        scaled[hpa.metadata.namespace, target.kind.lower(), target.name].append(hpa)
    budgets: dict[str, list[tuple[selectors.Selector, objects.Budget]]] = collections.defaultdict(list)
    for budget in seen.budgets or ():
        if budget.spec.selector is not None:
            parsed = selectors.of(budget.spec.selector)
            budgets[budget.metadata.namespace].append((parsed, budget))
    out = []
    for kind, one in seen.workloads:
        name = (one.metadata.namespace, kind, one.metadata.name)
        labels = one.spec.template.metadata.labels or {}
        template, own = one.spec.template.spec, tuple(pods.get(name, ()))
        pod_names = [(name[0], pod.metadata.name) for pod in own]
        known = [used.get(one) for one in pod_names]
        out.append(
            Row(
                name=name,
                replicas=one.spec.replicas,
                pods=own,
                request=_sum(template.counted, "requests"),
                limit=_sum(template.counted, "limits"),
                bare=tuple(part.name for part in template.counted if "cpu" not in (part.resources.requests or {})),
                used=tuple(amounts for amounts in known if amounts is not None),
                hpas=tuple(scaled.pop(name, ())),
                budgets=None
                if seen.budgets is None
                else tuple(budget for selector, budget in budgets[name[0]] if selector.matches(labels)),
                throttled=max((lately.throttled[one] for one in pod_names if one in lately.throttled), default=None),
                most_memory=max((lately.memory[one] for one in pod_names if one in lately.memory), default=None),
            )
        )
    kinds = {kind for kind, _ in seen.workloads}
    astray = [hpa for (_, kind, _), some in scaled.items() if kind in kinds for hpa in some]
    return Fleet(tuple(out), tuple(astray), _window(seen.usage or ()))


def _by_owner(pods: Iterable[objects.Pod]) -> Mapping[Name, list[objects.Pod]]:
    """Live pods by the workload that made them: of a ReplicaSet its name, without the hash at its end."""
    out: dict[Name, list[objects.Pod]] = collections.defaultdict(list)
    for pod in pods:
        owner = next((one for one in pod.metadata.owner_references or () if one.controller), None)
        if owner is None or pod.metadata.deletion_timestamp is not None or pod.status.phase in ("Succeeded", "Failed"):
            continue
        kind, name = owner.kind.lower(), owner.name
        if kind == "replicaset":
            hashes = [value for label in HASHES if (value := (pod.metadata.labels or {}).get(label))]
            cut = next((value for value in hashes if name.endswith(f"-{value}")), None)
            if cut is None:
                continue
            kind, name = "deployment", name.removesuffix(f"-{cut}")
        out[pod.metadata.namespace, kind, name].append(pod)
    return out


def _used(one: objects.PodMetrics) -> Amounts:
    usages = [container.usage or {} for container in one.containers or ()]
    cpu = [_milli(usage["cpu"]) for usage in usages if "cpu" in usage]
    memory = [_milli(usage["memory"]) for usage in usages if "memory" in usage]
    return Amounts(_added(cpu), None if (total := _added(memory)) is None else total // 1000)


def _sum(containers: Iterable[objects.Container], field: str) -> Amounts:
    """Of a pod; None as soon as one container does not say it."""
    said = [getattr(one.resources, field) or {} for one in containers]
    cpu = [_milli(one["cpu"]) if "cpu" in one else None for one in said]
    memory = [_milli(one["memory"]) if "memory" in one else None for one in said]
    return Amounts(_added(cpu), None if (total := _added(memory)) is None else total // 1000)


def _added(values: Iterable[int | None]) -> int | None:
    listed = list(values)
    known = [value for value in listed if value is not None]
    return sum(known) if listed and len(known) == len(listed) else None


@functools.lru_cache(4096)
def _milli(quantity: objects.Quantity) -> int | None:
    """Thousandths; None for what is no quantity."""
    try:
        return parse_milli(quantity if isinstance(quantity, str) else repr(quantity))
    except ValueError:
        return None


def _window(usage: Iterable[objects.PodMetrics]) -> float:
    for one in usage:
        try:
            return parse_duration(one.window)
        except ValueError:
            continue
    return math.nan
