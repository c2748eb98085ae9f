"""From documents to an assignment: which workloads, under which policies, measured by which signals."""

from __future__ import annotations

from collections.abc import Callable

from podium.documents.collection import Documents
from podium.loop import apimetrics
from podium.loop.anomalies.asked import AnomalySignal
from podium.loop.calendar.document import Calendar
from podium.loop.cycle import Assignment
from podium.loop.decide.table import Guards, Reactive
from podium.loop.observe import ClusterSignal
from podium.loop.policy import ScalingPolicy
from podium.loop.tabulate import Limits, Policies
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.signals.bound import BoundSignal
from podium.signals.signal import ClusterOrigin, Origin, PrometheusOrigin, PushOrigin, Signal

SourceOf = Callable[[str, str | None], str]  # (kind of source, its name if written) -> the source's name
TenantOf = Callable[[WorkloadKey], str]


def bind(
    documents: Documents,
    cluster: str,
    fleet: Fleet,
    *,
    source_of: SourceOf,
    tenant_of: TenantOf,
    guards: Guards,
    reactive: Reactive,
    limits: Limits,
    metrics_source: str = "",
    owned: Callable[[WorkloadKey], bool] = lambda _: True,
) -> Assignment:
    """What a set of documents asks of the loop of `cluster`. Workloads that stay keep their slots in `fleet`.

    `metrics_source` answers metrics that no Signal measures; "": nothing does, and they are unknown. Workloads that are
    not `owned` are another process's.
    """
    policies = {policy.workload(cluster): policy for policy in documents.of(ScalingPolicy)}
    policies = {key: policy for key, policy in policies.items() if owned(key)}
    by_pod = {
        (policy.namespace, metric.pods.metric.name)
        for policy in policies.values()
        for metric in policy.spec.metrics
        if metric.pods is not None
    }
    signals, cluster_signals = [], []
    for signal in documents.of(Signal):
        origin = signal.spec.origin
        if origin is None:
            continue  # an anomaly: judged, not asked
        if isinstance(origin, ClusterOrigin):
            cluster_signals.append(
                ClusterSignal(signal.namespace, signal.metadata.name, origin.resource, signal.spec.stale_after)
            )
        else:
            of_pods = (signal.namespace, signal.metadata.name) in by_pod
            signals.append(_bound(signal, origin, source_of, cluster, of_pods=of_pods))
    if metrics_source:
        known = {(signal.namespace, signal.metadata.name) for signal in documents.of(Signal)}
        signals += apimetrics.bound(policies.values(), known, metrics_source, cluster)
    return Assignment(
        policies=Policies(
            policies,
            guards,
            reactive,
            limits,
            {f"{signal.namespace}/{signal.metadata.name}": signal.spec.unit for signal in documents.of(Signal)},
            tuple(sorted(documents.of(Calendar), key=lambda calendar: calendar.key)),
            _anomalies(documents),
        ),
        fleet=fleet.revised({key: tenant_of(key) for key in policies}),
        signals=tuple(signals),
        cluster_signals=tuple(cluster_signals),
    )


def _anomalies(documents: Documents) -> tuple[AnomalySignal, ...]:
    """Signals that judge others, each at the pace of the one it judges."""
    signals = documents.of(Signal)
    pace = {(one.namespace, one.metadata.name): one.spec.interval for one in signals}
    return tuple(
        sorted(
            AnomalySignal(one.namespace, one.metadata.name, judged.of, judged.threshold, pace[one.namespace, judged.of])
            for one in signals
            if (judged := one.spec.anomaly) is not None
        )
    )


def query_of(signal: Signal, origin: Origin) -> str:
    """What a signal's source is asked."""
    match origin:
        case PrometheusOrigin():
            return origin.promql(signal.namespace)
        case PushOrigin():
            return origin.query()
        case ClusterOrigin():
            return ""
        case _:
            return origin.column


def _bound(signal: Signal, origin: Origin, source_of: SourceOf, cluster: str, *, of_pods: bool) -> BoundSignal:
    spec = signal.spec
    return BoundSignal(
        namespace=signal.namespace,
        name=signal.metadata.name,
        source=source_of(signal.spec.origin_kind, origin.source),
        query=query_of(signal, origin),
        past_query=origin.promql_of_past(signal.namespace) if isinstance(origin, PrometheusOrigin) else "",
        unit=spec.unit,
        reduce=spec.reduce,
        stale_after_seconds=spec.stale_after,
        of="pods" if of_pods else "workloads",
        cluster=cluster,
    )
