"""Metrics of policies that no Signal measures: they are asked of the cluster's metrics APIs, as an HPA would."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from podium.documents.collection import Documents
from podium.documents.kubernetes import LabelSelector, MetricIdentifier, MetricSpec
from podium.documents.problem import Problem
from podium.documents.source import Path
from podium.loop.policy import ScalingPolicy
from podium.signals.bound import BoundSignal
from podium.signals.metrics_api import Metric
from podium.signals.signal import Signal

STALE_SECONDS = 120.0  # an adapter answers what its own source said last: two scrapes of a minute


def asked(policy: ScalingPolicy, signals: Collection[tuple[str, str]]) -> Iterator[tuple[int, Metric]]:
    """The metrics of a policy, by their place, that none of `signals` (namespace, name) measures."""
    for number, metric in enumerate(policy.spec.metrics):
        if metric.identifier is not None and (policy.namespace, metric.identifier.name) not in signals:
            yield number, _metric(policy, metric, metric.identifier)


def bound(
    policies: Iterable[ScalingPolicy], signals: Collection[tuple[str, str]], source: str, cluster: str
) -> tuple[BoundSignal, ...]:
    """Their questions to `source`. Each is told under the metric's own name."""
    found = (
        BoundSignal(
            namespace=metric.namespace,
            name=metric.name,
            source=source,
            query=metric.query(),
            unit="count",
            stale_after_seconds=STALE_SECONDS,
            of="pods" if metric.type == "Pods" else "workloads",
            cluster=cluster,
        )
        for policy in policies
        for _, metric in asked(policy, signals)
    )
    return tuple(dict.fromkeys(found))


def told_apart(documents: Documents) -> Iterator[Problem]:
    """Under one name a workload has one metric: two questions of one name would take each other's answers."""
    signals = {(one.namespace, one.metadata.name) for one in documents.of(Signal)}
    uses: dict[tuple[str, str], list[tuple[ScalingPolicy, int, Metric]]] = {}
    for policy in documents.of(ScalingPolicy):
        for number, metric in asked(policy, signals):
            uses.setdefault((policy.namespace, metric.name), []).append((policy, number, metric))
    for together in uses.values():
        # A metric of pods is asked for all pods of the namespace at once.
        shared = any(metric.type == "Pods" for _, _, metric in together)
        first: dict[str, Metric] = {}
        for policy, number, metric in together:
            if first.setdefault("" if shared else policy.metadata.name, metric) != metric:
                expected = "a name that no other metric has here, or a Signal that measures it"
                yield Problem.at(policy.source, _path(policy, number), expected, metric.name)


def measured(documents: Documents) -> Iterator[Problem]:
    """Where no cluster has metrics APIs, every metric is a Signal."""
    signals = {(one.namespace, one.metadata.name) for one in documents.of(Signal)}
    for policy in documents.of(ScalingPolicy):
        for number, metric in asked(policy, signals):
            expected = f"the name of a Signal in namespace {policy.namespace}"
            yield Problem.at(policy.source, _path(policy, number), expected, metric.name)


def _path(policy: ScalingPolicy, number: int) -> Path:
    part = policy.spec.metrics[number].type
    return ("spec", "metrics", number, part[0].lower() + part[1:], "metric", "name")


def _metric(policy: ScalingPolicy, metric: MetricSpec, identifier: MetricIdentifier) -> Metric:
    about = metric.object.described_object if metric.object is not None else None
    key = policy.workload("")
    return Metric(
        type="Pods" if metric.pods is not None else "External" if about is None else "Object",
        namespace=policy.namespace,
        name=identifier.name,
        selector=_text(identifier.selector) if identifier.selector is not None else "",
        object=None if about is None else (about.group, about.kind, about.name),
        of=None if metric.pods is not None else (key.kind, key.name),
    )


def _text(selector: LabelSelector) -> str:
    """A selector as a query has it: `app=web,tier in (a,b),!canary`."""
    parts = [f"{key}={value}" for key, value in sorted(selector.match_labels.items())]
    for one in selector.match_expressions:
        listed = f"({','.join(one.values)})"
        words = {"In": f"{one.key} in {listed}", "NotIn": f"{one.key} notin {listed}", "Exists": one.key}
        parts.append(words.get(one.operator, f"!{one.key}"))
    return ",".join(parts)
