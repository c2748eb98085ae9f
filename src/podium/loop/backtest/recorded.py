"""What a cluster really did, read from a Prometheus that scrapes it: loads, replicas, requests, HPAs. Read-only.

Names are those of kube-state-metrics and of the kubelet's cAdvisor. What is missing is said, with what would bring it.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import numpy as np

from podium.clients.prometheus import PrometheusClient, Refused, Silent, Unusable
from podium.model.arrays import Float64s
from podium.signals.prometheus import PrometheusSource
from podium.signals.source import Garbage, Permanent, Subject, Temporary

MINUTE = 60.0
STALE_SECONDS = 300.0  # Prometheus' own lookback
KINDS = ("deployment", "statefulset")
STATE_METRICS = "kube-state-metrics, scraped by this Prometheus, brings it"
CADVISOR = "the kubelet's /metrics/cadvisor, scraped by this Prometheus, brings it"


@dataclasses.dataclass(frozen=True, slots=True)
class Hpa:
    """An HPA as kube-state-metrics tells of it."""

    name: str
    minimum: int
    maximum: int
    target: int | None  # CPU utilisation in per cent; None where it has no such metric
    others: tuple[str, ...]  # names of its other metrics


@dataclasses.dataclass(frozen=True, slots=True)
class Recorded:
    """One workload over t minutes; NaN where nothing is known."""

    subject: Subject
    load: Float64s  # [t] cores in use, or what the query says
    ordered: Float64s  # [t] replicas
    ready: Float64s  # [t]
    request_cpu: float | None  # cores of one replica
    request_memory: float | None  # bytes of one replica
    startup_seconds: float | None  # 95 in 100 pods were ready within it
    hpa: Hpa | None


@dataclasses.dataclass(frozen=True, slots=True)
class History:
    """All workloads that were found, and sentences about what was not."""

    first: int  # minute since the epoch
    workloads: tuple[Recorded, ...]
    missing: tuple[str, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted: the last `minutes` before `until`, of one namespace or all of them ("")."""

    until: float  # Unix seconds
    minutes: int
    namespace: str = ""
    hpa: str = ""  # this one alone
    query: str = ""  # its load; left out, the CPU that its pods use


async def read(client: PrometheusClient, asked: Asked) -> History:
    """Ask for everything. Raises Temporary or Permanent when the server cannot be asked at all."""
    reading = _Reading(client, asked)
    hpas = await reading.hpas()
    if asked.hpa:
        hpas = {subject: hpa for subject, hpa in hpas.items() if hpa.name == asked.hpa}
        if not hpas:
            return History(reading.first, (), tuple(reading.missing))
    kinds = {subject.kind for subject in hpas} if asked.hpa else set(KINDS)
    workloads: list[Recorded] = []
    for kind in KINDS:
        if kind in kinds:
            workloads += await reading.workloads(kind, hpas)
    return History(reading.first, tuple(workloads), tuple(dict.fromkeys(reading.missing)))


class _Labels(msgspec.Struct):
    namespace: str = ""
    horizontalpodautoscaler: str = ""
    scaletargetref_kind: str = ""
    scaletargetref_name: str = ""
    metric_name: str = ""
    metric_target_type: str = ""


class _Reading:
    """The questions of one reading."""

    def __init__(self, client: PrometheusClient, asked: Asked) -> None:
        self._client = client
        self._source = PrometheusSource("history", client)
        self._asked = asked
        self.first = int(asked.until // MINUTE) - asked.minutes + 1
        self._at: Float64s = (self.first + np.arange(asked.minutes, dtype=np.float64)) * MINUTE
        self._newest = asked.until  # when the last replicas were told: what is asked of now is asked of then
        self.missing: list[str] = []

    async def hpas(self) -> dict[Subject, Hpa]:
        """Every HPA by the workload that it scales."""
        name = "kube_horizontalpodautoscaler_"
        info = await self._instant(self._metric(name + "info"))
        if not info:
            self._miss(name + "info", STATE_METRICS)
        low = await self._instant(self._metric(name + "spec_min_replicas"))
        high = await self._instant(self._metric(name + "spec_max_replicas"))
        lowest = {(one.namespace, one.horizontalpodautoscaler): value for one, value in low}
        highest = {(one.namespace, one.horizontalpodautoscaler): value for one, value in high}
        targets = await self._instant(self._metric(name + "spec_target_metric"))
        found = {}
        for labels, _ in info:
            key = labels.namespace, labels.horizontalpodautoscaler
            own = [(one, value) for one, value in targets if (one.namespace, one.horizontalpodautoscaler) == key]
            cpu = [value for one, value in own if (one.metric_name, one.metric_target_type) == ("cpu", "utilization")]
            others = sorted({one.metric_name for one, _ in own if one.metric_name != "cpu"})
            subject = Subject(labels.namespace, labels.scaletargetref_kind.lower(), labels.scaletargetref_name)
            maximum = int(highest.get(key, 1_000_000))
            found[subject] = Hpa(key[1], int(lowest.get(key, 1)), maximum, int(cpu[0]) if cpu else None, tuple(others))
        return found

    async def workloads(self, kind: str, hpas: dict[Subject, Hpa]) -> list[Recorded]:
        """Every workload of a kind of which replicas are recorded, or only the targets of `hpas` when one was asked."""
        prefix = f"kube_{kind}_"
        ordered = await self._past(kind, self._metric(prefix + ("spec_replicas" if kind == KINDS[0] else "replicas")))
        if not ordered:
            if kind == KINDS[0]:
                self._miss("kube_deployment_spec_replicas", STATE_METRICS)
            return []
        known = np.flatnonzero((~np.isnan(np.array(list(ordered.values())))).any(axis=0))
        self._newest = float(self._at[known[-1]]) if len(known) else self._newest
        wanted = [one for one in ordered if not self._asked.hpa or one in hpas]
        ready = await self._past(kind, self._metric(prefix + "status_replicas_ready"))
        load = await self._load(kind, wanted)
        cpu = await self._now(kind, self._requests(kind, "cpu"))
        memory = await self._now(kind, self._requests(kind, "memory"))
        if not cpu:
            self._miss("kube_pod_container_resource_requests", STATE_METRICS)
        startup = await self._now(kind, self._startup(kind))
        unknown = np.full(len(self._at), np.nan)
        return [
            Recorded(
                subject=one,
                load=load.get(one, unknown),
                ordered=ordered[one],
                ready=ready.get(one, ordered[one]),
                request_cpu=cpu.get(one),
                request_memory=memory.get(one),
                startup_seconds=startup.get(one),
                hpa=hpas.get(one),
            )
            for one in wanted
        ]

    async def _load(self, kind: str, wanted: list[Subject]) -> dict[Subject, Float64s]:
        if self._asked.query and len(wanted) == 1:
            (one,) = wanted
            named = f'label_replace(sum({self._asked.query}), "namespace", "{one.namespace}", "", "")'
            found = await self._past(kind, f'label_replace({named}, "{kind}", "{one.name}", "", "")')
            if not found:
                self.missing.append(f"the query {self._asked.query} answers nothing in that time")
            return found
        used = self._metric("container_cpu_usage_seconds_total", 'container!=""', 'container!="POD"')
        found = await self._past(kind, self._of(kind, f"sum by (namespace, pod) (rate({used}[3m]))", "sum"))
        if not found and kind == KINDS[0]:
            self._miss("container_cpu_usage_seconds_total", CADVISOR)
            if not await self._instant(self._metric("kube_pod_owner")):
                self._miss("kube_pod_owner (and kube_replicaset_owner)", STATE_METRICS)
        return found

    def _requests(self, kind: str, resource: str) -> str:
        requests = self._metric("kube_pod_container_resource_requests", f'resource="{resource}"')
        return self._of(kind, f"sum by (namespace, pod) ({requests})", "avg")

    def _startup(self, kind: str) -> str:
        ready, created = (
            f"max by (namespace, pod) ({self._metric(name)})"
            for name in ("kube_pod_status_ready_time", "kube_pod_created")
        )
        return self._of(kind, f"({ready} - on (namespace, pod) {created})", "quantile")

    def _of(self, kind: str, of_pods: str, fold: str) -> str:
        """A query over pods folded over the pods of each workload."""
        owner = self._metric("kube_pod_owner", 'owner_kind="StatefulSet"')
        owners = (
            f'max by (namespace, pod, statefulset) (label_replace({owner}, "statefulset", "$1", "owner_name", "(.+)"))'
        )
        if kind == "deployment":
            pods = self._metric("kube_pod_owner", 'owner_kind="ReplicaSet"')
            sets = self._metric("kube_replicaset_owner", 'owner_kind="Deployment"')
            owners = (
                f'max by (namespace, pod, deployment) (label_replace({pods}, "replicaset", "$1", "owner_name", "(.+)") '
                "* on (namespace, replicaset) group_left (deployment) max by (namespace, replicaset, deployment) "
                f'(label_replace({sets}, "deployment", "$1", "owner_name", "(.+)")))'
            )
        by = f"{fold} by (namespace, {kind}) (" + ("0.95, " if fold == "quantile" else "")
        return f"{by}{of_pods} * on (namespace, pod) group_left ({kind}) {owners})"

    def _metric(self, name: str, *matchers: str) -> str:
        own = [*matchers, *([f'namespace="{self._asked.namespace}"'] if self._asked.namespace else [])]
        return f"{name}{{{','.join(own)}}}" if own else name

    def _miss(self, metric: str, how: str) -> None:
        where = f" in namespace {self._asked.namespace}" if self._asked.namespace else ""
        self.missing.append(f"{metric} is not there{where}; {how}")

    async def _past(self, kind: str, query: str) -> dict[Subject, Float64s]:
        """[t] values by workload. Of several series of one workload (two kube-state-metrics) the largest counts."""
        subjects, values = await self._source.past(query, self._at, STALE_SECONDS)
        found: dict[Subject, Float64s] = {}
        for column, subject in enumerate(subjects):
            if subject.kind == kind:
                found[subject] = np.fmax(found[subject], values[:, column]) if subject in found else values[:, column]
        return found

    async def _now(self, kind: str, query: str) -> dict[Subject, float]:
        reading = await self._source.read(query, self._newest)
        pairs = zip(reading.subjects, reading.values.tolist(), strict=True)
        return {subject: value for subject, value in pairs if subject.kind == kind and np.isfinite(value)}

    async def _instant(self, query: str) -> list[tuple[_Labels, float]]:
        try:
            # What was told within the hour: a restart of kube-state-metrics makes nobody disappear.
            vector = await self._client.instant(f"last_over_time({query}[1h])", self._asked.until)
        except Silent as error:
            raise Temporary(str(error)) from error
        except Unusable as error:
            raise Garbage(str(error)) from error
        except Refused as error:
            raise Permanent(f"{error} (query: {query})") from error
        decode: Any = msgspec.json.Decoder(_Labels).decode
        return [(decode(labels), value) for labels, value in zip(vector.labels, vector.values.tolist(), strict=True)]
