"""The parts of policies that hold at times, as rows of the policy table: schedules, rules, latency, dependencies."""

from __future__ import annotations

import collections
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from podium.documents import cel
from podium.documents.kubernetes import TargetRef
from podium.loop.decide.table import Activation, Dependencies, LatencyGroup, Reading, Rules, Span, Windows
from podium.loop.policy import Outcome, ScalingPolicySpec
from podium.model.arrays import UNKNOWN, Bools
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

Specs = Sequence[ScalingPolicySpec | None]  # [n] a row per slot; None: no policy

# What a rule may name beside the signals of its namespace: replicas, pods that serve, and the parts of now in UTC.
RESOURCES = ("cpu", "memory")  # what the cluster itself measures of every workload: cores and bytes
KNOWN = ("replicas", "ready", "minute", "hour", "weekday", "day", "month")


def windows(specs: Specs) -> Windows:
    """Every window of every schedule; alike ones share a span."""
    spans: dict[Span, int] = {}
    rows = [
        (
            slot,
            spans.setdefault(Span(one.cron, one.time_zone, one.duration), len(spans)),
            position,
            UNKNOWN if one.min_replicas is None else one.min_replicas,
            UNKNOWN if one.max_replicas is None else one.max_replicas,
        )
        for slot, spec in enumerate(specs)
        if spec is not None
        for position, one in enumerate(spec.schedule)
    ]
    if not rows:
        return Windows()
    slots, span, position, low, high = zip(*rows, strict=True)
    return Windows(
        spans=tuple(spans),
        slots=np.array(slots, np.int32),
        span=np.array(span, np.int32),
        position=np.array(position, np.int16),
        minimum=np.array(low, np.int64),
        maximum=np.array(high, np.int64),
    )


def rules(specs: Specs, namespaces: Sequence[str], units: Mapping[str, str]) -> Rules:
    """Every rule; alike expressions are one. `units`: "namespace/signal" of every Signal there is."""
    known: dict[str, list[str]] = collections.defaultdict(list)
    for key in units:
        namespace, _, name = key.partition("/")
        known[namespace].append(name)
    asked: dict[tuple[str, str], tuple[str, tuple[str, ...]]] = {}
    expressions: dict[tuple[str, tuple[str, ...]], int] = {}
    rows: list[tuple[int, int, int, Outcome]] = []
    reading: dict[str, list[int]] = collections.defaultdict(list)
    for slot, spec in enumerate(specs):
        for position, rule in enumerate(spec.rules if spec is not None else ()):
            here = (namespaces[slot], rule.when)
            if here not in asked:
                asked[here] = rule.when, named(rule.when, known[namespaces[slot]])
            rows.append((slot, expressions.setdefault(asked[here], len(expressions)), position, rule.then))
            for signal in asked[here][1]:
                reading[signal].append(slot)
    if not rows:
        return Rules()
    slots, whens, positions, then = zip(*rows, strict=True)
    return Rules(
        expressions=tuple(text for text, _ in expressions),
        names=tuple(names for _, names in expressions),
        reads=tuple(Reading(name, np.unique(np.array(found, np.int32))) for name, found in sorted(reading.items())),
        slots=np.array(slots, np.int32),
        expression=np.array(whens, np.int32),
        position=np.array(positions, np.int16),
        minimum=np.array([UNKNOWN if one.min_replicas is None else one.min_replicas for one in then], np.int64),
        maximum=np.array([UNKNOWN if one.max_replicas is None else one.max_replicas for one in then], np.int64),
        pause_up=np.array([one.pause in ("up", "both") for one in then], np.bool_),
        pause_down=np.array([one.pause in ("down", "both") for one in then], np.bool_),
    )


def named(expression: str, signals: Iterable[str]) -> tuple[str, ...]:
    """Which of a namespace's `signals` an expression reads; cpu and memory are there without a Signal of their own."""
    spoken = cel.spoken(sorted({*RESOURCES, *signals}))
    words = (word for word in cel.words(expression) if word not in KNOWN and word in spoken)
    return tuple(dict.fromkeys(spoken[word] for word in words))


def latency(specs: Specs) -> tuple[LatencyGroup, ...]:
    """The bounds on latency, by the signal that measures it."""
    found: dict[str, list[tuple[int, float]]] = collections.defaultdict(list)
    for slot, spec in enumerate(specs):
        if spec is not None and spec.objective.latency is not None:
            found[spec.objective.latency.signal].append((slot, spec.objective.latency.below))
    return tuple(
        LatencyGroup(
            signal,
            np.array([slot for slot, _ in rows], np.int32),
            np.array([below for _, below in rows], np.float64),
        )
        for signal, rows in sorted(found.items())
    )


def activation(specs: Specs) -> tuple[Activation, ...]:
    """What wakes workloads from zero, by signal."""
    found: dict[str, list[tuple[int, float, float]]] = collections.defaultdict(list)
    for slot, spec in enumerate(specs):
        if spec is not None and spec.activation is not None:
            found[spec.activation.signal].append((slot, spec.activation.above, spec.activation.idle))
    out = []
    for signal, rows in sorted(found.items()):
        slots, above, idle = zip(*rows, strict=True)
        out.append(
            Activation(signal, np.array(slots, np.int32), np.array(above, np.float64), np.array(idle, np.float64))
        )
    return tuple(out)


def dependencies(specs: Specs, fleet: Fleet) -> tuple[Dependencies, ...]:
    """What workloads lean on, by the signal that tells its health. A dependency that is not in the fleet is unseen."""
    found: dict[str, list[tuple[int, int, float, int]]] = collections.defaultdict(list)
    for slot, spec in enumerate(specs):
        key = fleet.slots[slot].key
        if spec is None or key is None:
            continue
        for position, one in enumerate(spec.dependencies):
            of = slot if one.target_ref is None else fleet.index.get(target(key, one.target_ref), UNKNOWN)
            if of != UNKNOWN:
                found[one.signal].append((slot, of, one.below, position))
    out = []
    for signal, rows in sorted(found.items()):
        slots, of_slots, below, positions = zip(*rows, strict=True)
        out.append(
            Dependencies(
                signal,
                np.array(slots, np.int32),
                np.array(of_slots, np.int32),
                np.array(below, np.float64),
                np.array(positions, np.int16),
            )
        )
    return tuple(out)


def target(of: WorkloadKey, ref: TargetRef) -> WorkloadKey:
    """The workload that a reference in the policy of `of` names: beside it, in its namespace."""
    return WorkloadKey(of.cluster, of.namespace, ref.kind.lower(), ref.group, ref.name)


def limits_alone(specs: Specs) -> Bools | None:
    """[n] which policies have a schedule or rules and measure nothing; None: no one."""
    alone = [
        spec is not None
        and not spec.metrics
        and (spec.load is None or spec.load.capacity_per_replica is None)
        and (
            any(one.min_replicas is not None for one in spec.schedule)
            or any(rule.then.min_replicas is not None for rule in spec.rules)
        )
        for spec in specs
    ]
    return np.array(alone, np.bool_) if any(alone) else None
