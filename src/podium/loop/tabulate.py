"""From what people wrote to what decides: `ScalingPolicy` documents and a fleet become a `PolicyTable`."""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from podium.documents.document import Document
from podium.documents.kubernetes import MetricSpec, ScalingRules
from podium.loop import conditions
from podium.loop.anomalies.asked import AnomalySignal, scored
from podium.loop.calendar.document import Announced, Calendar
from podium.loop.calendar.holidays import Holidays
from podium.loop.calendar.rows import announced
from podium.loop.capacity.asked import learning
from podium.loop.decide.table import Guards, MetricGroup, MetricKind, Mode, PolicyTable, RateRules, Reactive, Select
from podium.loop.policy import ScalingPolicy, ScalingPolicySpec
from podium.model.arrays import UNKNOWN
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

# A shortfall costs only what exceeds the capacity, and only while it lasts: one thousandth unserved is met near the
# .99 quantile of the peak. The factor is a first guess that a later calibration replaces.
SHORTFALL_FACTOR = 10.0
RESOURCE_UNITS = {"cpu": "cores", "memory": "bytes"}


@dataclasses.dataclass(frozen=True, slots=True)
class Limits:
    """Limits around every policy's own: fewest and most replicas, and the most that any mode may do."""

    minimum: int = 1
    maximum: int = 2**31 - 1
    mode: str = "own"


@dataclasses.dataclass(frozen=True, slots=True)
class Policies:
    """All that decides beside the measurements, as it is recorded: the documents by workload, the fleet's guards."""

    documents: Mapping[WorkloadKey, ScalingPolicy]
    guards: Guards = dataclasses.field(default_factory=Guards)
    reactive: Reactive = dataclasses.field(default_factory=Reactive)
    limits: Limits = dataclasses.field(default_factory=Limits)
    units: Mapping[str, str] = dataclasses.field(default_factory=dict)  # "namespace/signal" -> unit, for people
    calendars: tuple[Calendar, ...] = ()
    anomalies: tuple[AnomalySignal, ...] = ()

    def to_json(self) -> bytes:
        """A canonical form, its keys sorted: the same policies give the same bytes.

        Document by document: the plain form of 100,000 at once takes a gigabyte.
        """
        documents = (
            f"{json.dumps(name)}:{_canonical(_plain(self.documents[key]))}"
            for name, key in sorted((str(key), key) for key in self.documents)
        )
        rest = _canonical(
            {
                "guards": dataclasses.asdict(self.guards),
                "reactive": dataclasses.asdict(self.reactive),
                "limits": dataclasses.asdict(self.limits),
                "units": dict(self.units),
            }
            | ({"calendars": [_plain(one) for one in self.calendars]} if self.calendars else {})
            | ({"anomalies": [dataclasses.asdict(one) for one in self.anomalies]} if self.anomalies else {})
        )
        return f'{{"documents":{{{",".join(documents)}}},{rest[1:]}'.encode()

    @classmethod
    def from_json(cls, data: bytes) -> Policies:
        """The inverse of `to_json`."""
        written = msgspec.json.decode(data, type=_Written)
        documents = {
            WorkloadKey.parse(key): ScalingPolicy.model_validate_json(bytes(document))
            for key, document in written.documents.items()
        }
        calendars = tuple(Calendar.model_validate_json(bytes(one)) for one in written.calendars)
        return cls(
            documents, written.guards, written.reactive, written.limits, written.units, calendars, written.anomalies
        )

    @property
    def events(self) -> tuple[tuple[Announced | Holidays, str], ...]:
        """Every announced event and the time zone it is told in, in the order that reasons number them."""
        return tuple((event, one.spec.time_zone) for one in self.calendars for event in one.spec.told())

    def unit(self, key: WorkloadKey, signal: str) -> str:
        """The unit of a workload's signal; "" where nobody wrote one. Resources have Kubernetes' own."""
        return self.units.get(f"{key.namespace}/{signal}") or RESOURCE_UNITS.get(signal, "")

    def digest(self) -> str:
        """SHA-256 of the canonical form."""
        return hashlib.sha256(self.to_json()).hexdigest()


class _Written(msgspec.Struct):
    """The canonical form, its documents as they are written."""

    documents: dict[str, msgspec.Raw]
    guards: Guards
    reactive: Reactive
    limits: Limits
    units: dict[str, str]
    calendars: list[msgspec.Raw] = []
    anomalies: tuple[AnomalySignal, ...] = ()


def _plain(document: Document) -> dict[str, Any]:
    plain: dict[str, Any] = document.model_dump(mode="json", exclude_unset=True)
    return plain


def _canonical(plain: dict[str, Any]) -> str:
    return json.dumps(plain, sort_keys=True, separators=(",", ":"))


def tabulate(policies: Policies, fleet: Fleet) -> PolicyTable:
    """The arrays for `fleet`. Slots without a document have mode -1."""
    size, limits, tolerance = len(fleet), policies.limits, policies.reactive.tolerance
    documents = [policies.documents.get(slot.key) if slot.key else None for slot in fleet.slots]
    specs = [document.spec if document else None for document in documents]

    def column(pick: Any, unknown: Any, dtype: Any) -> Any:
        return np.array([unknown if spec is None else pick(spec) for spec in specs], dtype).reshape(size)

    def level(spec: Any) -> float:
        asked = spec.objective.unserved_fraction
        return float(min(max(1.0 - SHORTFALL_FACTOR * asked, 0.5), 0.99)) if asked is not None else 0.99

    def risk(spec: Any) -> float:
        asked = spec.objective.unserved_fraction
        return np.nan if asked is None else float(asked)

    return PolicyTable(
        digest=policies.digest(),
        mode=column(lambda s: min(Mode[s.mode.upper()], Mode[limits.mode.upper()]), UNKNOWN, np.int8),
        minimum=column(lambda s: _fewest(s, limits), 0, np.int64),
        maximum=column(lambda s: max(min(s.replicas.max, limits.maximum), limits.minimum), 0, np.int64),
        pause_up=column(lambda s: s.pause in ("up", "both"), False, np.bool_),
        pause_down=column(lambda s: s.pause in ("down", "both"), False, np.bool_),
        metrics=_groups(specs),
        behaved=column(lambda s: "behavior" in s.model_fields_set, False, np.bool_),
        up=_rules([spec.behavior.up if spec else None for spec in specs], tolerance),
        down=_rules([spec.behavior.down if spec else None for spec in specs], tolerance),
        load=tuple(spec.load.signal if spec and spec.load else "" for spec in specs),
        capacity=column(lambda s: (s.load and s.load.capacity_per_replica) or np.nan, np.nan, np.float64),
        level=column(level, np.nan, np.float64),
        risk=column(risk, np.nan, np.float64),
        forecast=column(lambda s: s.load is not None and s.forecast.enabled, False, np.bool_),
        lead=column(
            lambda s: np.nan if s.forecast.lead_time == "learned" else s.forecast.lead_time, np.nan, np.float64
        ),
        reactive=policies.reactive,
        guards=policies.guards,
        windows=conditions.windows(specs),
        rules=conditions.rules(specs, [slot.key.namespace if slot.key else "" for slot in fleet.slots], policies.units),
        latency=conditions.latency(specs),
        activation=conditions.activation(specs),
        dependencies=conditions.dependencies(specs, fleet),
        limits_alone=conditions.limits_alone(specs),
        learning=learning(specs),
        announced=announced(policies.calendars, documents),
        scores=scored(policies.anomalies, fleet),
    )


def _fewest(spec: ScalingPolicySpec, limits: Limits) -> int:
    """The minimum, within the installation's own; one of 1, which everybody has, forbids nobody to rest at zero."""
    least = limits.minimum if spec.replicas.min or limits.minimum > 1 else 0
    return min(max(spec.replicas.min, least), limits.maximum)


def _groups(specs: Sequence[Any]) -> tuple[MetricGroup, ...]:
    """One group per calculation and signal; the load, where a replica's capacity is known, is one more metric."""
    rows: dict[tuple[MetricKind, str], list[tuple[int, int, int]]] = collections.defaultdict(list)
    for slot, spec in enumerate(specs):
        if spec is None:
            continue
        for position, metric in enumerate(spec.metrics):
            kind, signal, target = _calculation(metric)
            rows[kind, signal].append((slot, target, position))
        if spec.load is not None and spec.load.capacity_per_replica is not None:
            target = round(spec.load.capacity_per_replica * 1000)
            rows[MetricKind.LOAD, spec.load.signal].append((slot, max(target, 1), len(spec.metrics)))
    groups = []
    for (kind, signal), entries in sorted(rows.items()):
        # A policy may use a signal twice (two objects of one metric): each use has a group of its own.
        for uses in _distinct(entries):
            slots, targets, positions = zip(*uses, strict=True)
            groups.append(
                MetricGroup(
                    kind,
                    signal,
                    np.array(slots, np.int32),
                    np.array(targets, np.int64),
                    np.array(positions, np.int16),
                )
            )
    return tuple(groups)


def _distinct(entries: list[tuple[int, int, int]]) -> list[list[tuple[int, int, int]]]:
    """Split rows so that no part names a slot twice."""
    parts: list[list[tuple[int, int, int]]] = []
    uses: collections.Counter[int] = collections.Counter()
    for entry in entries:
        number = uses[entry[0]]
        uses[entry[0]] += 1
        if number == len(parts):
            parts.append([])
        parts[number].append(entry)
    return parts


def _calculation(metric: MetricSpec) -> tuple[MetricKind, str, int]:
    """Which calculation, on which signal, towards which target (percent or thousandths)."""
    target = metric.target
    name = metric.identifier.name if metric.identifier else ""
    if metric.resource is not None:
        name = metric.resource.name
    elif metric.container_resource is not None:
        name = f"{metric.container_resource.name}@{metric.container_resource.container}"
    per_pod = metric.type in ("Resource", "ContainerResource", "Pods")
    # Upstream never reads target.type for resources: an average value wins, then the utilisation.
    if target.average_value is not None:
        return MetricKind.AVERAGE if per_pod else MetricKind.AVERAGE_VALUE, name, target.average_value
    if per_pod and target.average_utilization is not None:
        return MetricKind.UTILISATION, name, target.average_utilization
    if target.value is not None:
        return MetricKind.VALUE, name, target.value
    raise ValueError(f"metric {name!r} has no target; its document should not have been accepted")


def _rules(rules: Sequence[ScalingRules | None], default_tolerance: float) -> RateRules:
    size = len(rules)
    window, tolerance, longest = np.zeros(size), np.full(size, default_tolerance), np.zeros(size)
    select = np.zeros(size, np.int8)
    rows: list[tuple[int, bool, int, float]] = []
    for slot, rule in enumerate(rules):
        if rule is None:
            continue
        window[slot] = rule.stabilization_window_seconds or 0
        select[slot] = Select[rule.select_policy.upper()]
        if rule.tolerance is not None:
            tolerance[slot] = rule.tolerance / 1000
        policies = rule.policies or ()
        rows += [(slot, p.type == "Percent", p.value, float(p.period_seconds)) for p in policies]
        longest[slot] = max((p.period_seconds for p in policies), default=0)
    slots, percent, value, period = zip(*rows, strict=True) if rows else ((), (), (), ())
    return RateRules(
        window=window,
        select=select,
        tolerance=tolerance,
        slots=np.array(slots, np.int32),
        percent=np.array(percent, np.bool_),
        value=np.array(value, np.int64),
        period=np.array(period, np.float64),
        longest=longest,
    )
