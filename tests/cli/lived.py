"""The history of a small cluster in a Prometheus: one HPA that follows its load, as kube-state-metrics tells of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

MINUTES = 3200  # a little over two days
PODS = ("web-5f6-aaaaa", "web-5f6-bbbbb")
SELDOM = 4  # minutes between samples of what does not change


def load_at(minute: int) -> float:
    """Cores that the workload uses: 0.6 at night, 5.4 at noon."""
    return 3.0 - 2.4 * math.cos(minute * 2 * math.pi / 1440)


def replicas_at(minute: int) -> int:
    """What the HPA did: 60 % of one core each, ten minutes late."""
    return max(2, math.ceil(load_at(minute - 10) / 0.6))


def lines(now: float, *, without: tuple[str, ...] = ()) -> list[str]:
    """OpenMetrics of the last MINUTES; families named in `without` are left out."""
    last = int(now // 60)
    minutes = range(last - MINUTES, last + 1)
    out: list[str] = []
    for family in _families(minutes):
        name = family[0].split()[2]
        if name not in without:
            out += family
    return out


def _families(minutes: range) -> Iterator[list[str]]:
    """One list of lines for each metric family, its TYPE first: OpenMetrics wants families in one piece."""
    yield _gauge("kube_deployment_spec_replicas", 'deployment="web"', minutes, 1, replicas_at)
    yield _gauge("kube_deployment_status_replicas_ready", 'deployment="web"', minutes, 1, replicas_at)
    hpa = 'horizontalpodautoscaler="web"'
    target = 'scaletargetref_kind="Deployment",scaletargetref_name="web"'
    yield _gauge("kube_horizontalpodautoscaler_info", f"{hpa},{target}", minutes, SELDOM, lambda _: 1)
    yield _gauge("kube_horizontalpodautoscaler_spec_min_replicas", hpa, minutes, SELDOM, lambda _: 2)
    yield _gauge("kube_horizontalpodautoscaler_spec_max_replicas", hpa, minutes, SELDOM, lambda _: 30)
    metric = f'{hpa},metric_name="cpu",metric_target_type="utilization"'
    yield _gauge("kube_horizontalpodautoscaler_spec_target_metric", metric, minutes, SELDOM, lambda _: 60)
    sets = 'replicaset="web-5f6",owner_kind="Deployment",owner_name="web"'
    yield _gauge("kube_replicaset_owner", sets, minutes, SELDOM, lambda _: 1)
    owners = [f'pod="{pod}",owner_kind="ReplicaSet",owner_name="web-5f6"' for pod in PODS]
    yield _gauges("kube_pod_owner", owners, minutes, SELDOM, lambda _: 1)
    for resource, value in (("cpu", 1.0), ("memory", 2.0**30)):
        requests = [f'pod="{pod}",container="app",resource="{resource}"' for pod in PODS]
        made = _gauges("kube_pod_container_resource_requests", requests, minutes, SELDOM, lambda _, value=value: value)
        yield made if resource == "cpu" else made[1:]
    yield _gauges("kube_pod_created", [f'pod="{pod}"' for pod in PODS], minutes, SELDOM, lambda _: 1000)
    yield _gauges("kube_pod_status_ready_time", [f'pod="{pod}"' for pod in PODS], minutes, SELDOM, lambda _: 1090)
    yield _counters(minutes)


def _counters(minutes: range) -> list[str]:
    out = ["# TYPE container_cpu_usage_seconds counter"]
    for pod in PODS:
        used = 0.0
        for minute in minutes:
            used += load_at(minute) * 60 / len(PODS)
            labels = f'namespace="shop",pod="{pod}",container="app"'
            out.append(f"container_cpu_usage_seconds_total{{{labels}}} {used:.3f} {minute * 60}")
    return out


def _gauge(name: str, labels: str, minutes: range, every: int, value: Callable[[int], float]) -> list[str]:
    return _gauges(name, [labels], minutes, every, value)


def _gauges(name: str, labels: list[str], minutes: range, every: int, value: Callable[[int], float]) -> list[str]:
    out = [f"# TYPE {name} gauge"]
    for one in labels:
        at = [minute for minute in minutes if minute % every == 0 or minute == minutes[-1]]
        out += [f'{name}{{namespace="shop",{one}}} {value(minute)} {minute * 60}' for minute in at]
    return out
