"""Ready-made queries: what is measured in most clusters under names that are the same everywhere.

Names and labels are those of cAdvisor and the kubelet, kube-state-metrics, Prometheus' client libraries, Istio,
ingress-nginx, OpenTelemetry's semantic conventions, RabbitMQ and kafka_exporter. Whatever a Signal says in `parameters`
stands in their place.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Literal, TypeAlias

from podium.signals.promql import Owners, Series, Whom, matchers

Family: TypeAlias = Literal["rate", "gauge", "quantile", "share", "volume"]

_EVERY = ("metric", "selector", "labels", "owners", "workload")
ACCEPTED: Mapping[Family, tuple[str, ...]] = {
    "gauge": _EVERY,
    "rate": (*_EVERY, "window"),
    "quantile": (*_EVERY, "window", "quantile"),
    "share": (*_EVERY, "window", "errors"),
    "volume": ("selector", "owners"),
}


OF_PODS = Whom("namespace", "pod", "pod")


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """One ready-made query and how its values are read. The fields with `metric` and below may be changed."""

    family: Family
    unit: Literal["cores", "bytes", "per_second", "seconds", "ratio", "count"]
    sentence: str
    reduce: Literal["sum", "mean", "max"] = "sum"
    interval_seconds: float = 15.0
    stale_after_seconds: float = 60.0
    metric: str = ""  # of a histogram: without `_bucket`
    selector: str = ""  # always there; a Signal's own is added to it
    errors: str = ""  # what of it counts as an error
    window_seconds: float = 120.0  # of rates: four scrapes of 30 s, of which two may be lost
    quantile: float = 0.95
    whom: Whom = OF_PODS
    owners: Owners = "none"
    per_unit: int = 1  # so many of the metric's units are one of the signal's: 1000 milliseconds
    needs_workload: bool = False  # no label of the metric can say whose it is

    def promql(self) -> str:
        """The query."""
        series = Series(self.metric, self.selector, self.whom, self.owners)
        match self.family:
            case "gauge":
                query = series.lifted("sum", series.summed("sum", series.text()))
            case "rate":
                query = series.lifted("sum", series.rate(self.window_seconds))
            case "quantile":
                buckets = series.lifted("sum", series.rate(self.window_seconds, suffix="_bucket", keep="le"), "le")
                value = f"histogram_quantile({self.quantile:g}, {buckets})"
                # A histogram that nothing fell into has no quantile (NaN), which is no series here.
                query = f"{value} >= 0" if self.per_unit == 1 else f"{value} / {self.per_unit} >= 0"
            case "share":
                every, bad = series.rate(self.window_seconds), series.narrowed(self.errors).rate(self.window_seconds)
                # No error yet is no series, which is a share of zero; no request at all has no share.
                query = series.lifted("sum", f"({bad} or {every} * 0)") + f" / ({series.lifted('sum', every)} > 0)"
            case "volume":
                query = series.lifted("max", _fullest_volume(self.selector, series))
        return series.named(query)

    @property
    def past(self) -> Preset:
        """The one that tells of the past: pods that are gone are known to kube-state-metrics alone."""
        by_pod = self.owners == "none" and self.whom.kind == "pod" and self.whom.constant is None
        return dataclasses.replace(self, owners="kube-state-metrics") if by_pod else self


def _fullest_volume(selector: str, series: Series) -> str:
    """By pod: how full its fullest volume is. The kubelet tells it of claims, and kube-state-metrics whose they are."""
    used = Series("kubelet_volume_stats_used_bytes", selector, series.whom).text()
    room = Series("kubelet_volume_stats_capacity_bytes", selector, series.whom).text()
    claim = "namespace, persistentvolumeclaim"
    mounted = f"max by (pod, {claim}) (kube_pod_spec_volumes_persistentvolumeclaims_info)"
    # A claim that many nodes mount is told by each of them.
    return series.summed("max", f"{mounted} * on ({claim}) group_left () max by ({claim}) ({used} / {room})")


_CONTAINERS = matchers('container!=""', 'container!="POD"')  # neither a pod's own sum nor its pause container
_MESH = Whom("destination_workload_namespace", "workload", "destination_workload")
_INGRESS = Whom("exported_namespace", "workload", "exported_service")
_OTEL = Whom("k8s_namespace_name", "deployment", "k8s_deployment_name")
_JOINED: Owners = "kube-state-metrics"


def _of_pods(
    family: Family,
    unit: Literal["cores", "bytes", "per_second"],
    metric: str,
    sentence: str,
    *,
    selector: str = _CONTAINERS,
) -> Preset:
    """What kubelets tell, who are usually scraped every 30 s."""
    return Preset(
        family=family, unit=unit, metric=metric, selector=selector, sentence=sentence,
        interval_seconds=30.0, stale_after_seconds=120.0,
    )  # fmt: skip


PRESETS: Mapping[str, Preset] = {
    "cpu": _of_pods(
        "rate", "cores", "container_cpu_usage_seconds_total", "Processor time that the containers use, in cores."
    ),
    "memory": _of_pods(
        "gauge", "bytes", "container_memory_working_set_bytes",
        "Memory that the containers cannot give back: the working set, by which the kernel kills.",
    ),
    "network-receive": _of_pods(
        "rate", "per_second", "container_network_receive_bytes_total", "Bytes a second that the pods receive.",
        selector="",
    ),
    "network-transmit": _of_pods(
        "rate", "per_second", "container_network_transmit_bytes_total", "Bytes a second that the pods send.",
        selector="",
    ),
    "disk-read": _of_pods(
        "rate", "per_second", "container_fs_reads_bytes_total", "Bytes a second read from disks."
    ),
    "disk-write": _of_pods(
        "rate", "per_second", "container_fs_writes_bytes_total", "Bytes a second written to disks."
    ),
    "volume-usage": Preset(
        family="volume", unit="ratio", reduce="max", interval_seconds=60.0, stale_after_seconds=300.0,
        sentence="How full the fullest persistent volume is, from 0 to 1.",
    ),
    "http-requests": Preset(
        family="rate", unit="per_second", metric="http_requests_total",
        sentence="Requests a second, as the pods count them.",
    ),
    "http-latency": Preset(
        family="quantile", unit="seconds", reduce="max", metric="http_request_duration_seconds", owners=_JOINED,
        sentence="The time within which 95 % of the requests are answered, over all pods of a workload.",
    ),
    "error-rate": Preset(
        family="share", unit="ratio", reduce="max", metric="http_requests_total", errors='code=~"5.."', owners=_JOINED,
        sentence="The share of requests that fail, from 0 to 1.",
    ),
    "queue-length": Preset(
        family="gauge", unit="count", metric="queue_length",
        sentence="What waits in the queues of the pods.",
    ),
    "audio-queue": Preset(
        family="gauge", unit="count", metric="audio_processing_queue_length",
        sentence="Audio that waits to be processed.",
    ),
    "ml-inference-latency": Preset(
        family="quantile", unit="seconds", reduce="max", metric="ml_inference_duration_seconds", owners=_JOINED,
        sentence="The time within which 95 % of the model's inferences are done.",
    ),
    "active-sessions": Preset(
        family="gauge", unit="count", metric="active_sessions", sentence="Sessions that are open.",
    ),
    "api-requests": Preset(
        family="rate", unit="per_second", metric="api_requests_total", sentence="API requests a second.",
    ),
    "api-error-rate": Preset(
        family="share", unit="ratio", reduce="max", metric="api_requests_total", errors='code=~"5.."', owners=_JOINED,
        sentence="The share of API requests that fail, from 0 to 1.",
    ),
    "istio-requests": Preset(
        family="rate", unit="per_second", metric="istio_requests_total", selector='reporter="destination"', whom=_MESH,
        sentence="Requests a second that reach the workload, as Istio's sidecars count them.",
    ),
    "istio-latency": Preset(
        family="quantile", unit="seconds", reduce="max", metric="istio_request_duration_milliseconds", per_unit=1000,
        selector='reporter="destination"', whom=_MESH,
        sentence="The time within which 95 % of the requests are answered, as Istio's sidecars see it.",
    ),
    "istio-error-rate": Preset(
        family="share", unit="ratio", reduce="max", metric="istio_requests_total", errors='response_code=~"5.."',
        selector='reporter="destination"', whom=_MESH,
        sentence="The share of requests that fail, as Istio's sidecars see it.",
    ),
    "ingress-nginx-requests": Preset(
        family="rate", unit="per_second", metric="nginx_ingress_controller_requests", whom=_INGRESS,
        sentence="Requests a second through ingress-nginx, for a workload that is named like its Service.",
    ),
    "ingress-nginx-latency": Preset(
        family="quantile", unit="seconds", reduce="max", metric="nginx_ingress_controller_request_duration_seconds",
        whom=_INGRESS,
        sentence="The time within which 95 % of the requests through ingress-nginx are answered.",
    ),
    "ingress-nginx-error-rate": Preset(
        family="share", unit="ratio", reduce="max", metric="nginx_ingress_controller_requests", whom=_INGRESS,
        errors='status=~"5.."', sentence="The share of requests through ingress-nginx that fail.",
    ),
    "otel-http-requests": Preset(
        family="rate", unit="per_second", metric="http_server_request_duration_seconds_count", whom=_OTEL,
        sentence="Requests a second, as OpenTelemetry's conventions name them.",
    ),
    "otel-http-latency": Preset(
        family="quantile", unit="seconds", reduce="max", metric="http_server_request_duration_seconds", whom=_OTEL,
        sentence="The time within which 95 % of the requests are answered, by OpenTelemetry's conventions.",
    ),
    "otel-http-error-rate": Preset(
        family="share", unit="ratio", reduce="max", metric="http_server_request_duration_seconds_count", whom=_OTEL,
        errors='http_response_status_code=~"5.."',
        sentence="The share of requests that fail, by OpenTelemetry's conventions.",
    ),
    "rabbitmq-queue": Preset(
        family="gauge", unit="count", metric="rabbitmq_queue_messages_ready", needs_workload=True,
        sentence="Messages that wait in RabbitMQ's queues; `selector` says in which.",
    ),
    "kafka-lag": Preset(
        family="gauge", unit="count", metric="kafka_consumergroup_lag", needs_workload=True,
        sentence="Messages that a consumer group is behind, as kafka_exporter tells it; `selector` says which group.",
    ),
}  # fmt: skip
