"""Ready-made queries against a real Prometheus that scrapes what real exporters say, under their names and labels."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest
from tests.documents.samples import complaints
from tests.servers.prometheus import Server

from podium.clients.prometheus import PrometheusClient
from podium.documents.loading import loads
from podium.kinds import KINDS
from podium.signals.parameters import PresetParameters, adapted
from podium.signals.presets import PRESETS
from podium.signals.prometheus import PrometheusSource
from podium.signals.signal import Signal
from podium.signals.source import Subject

A, B, DB = "web-6d4c8-abcde", "web-6d4c8-fghij", "db-0"
WINDOW = {"window": "3s"}  # the exporter is scraped four times a second


def buckets(metric: str, labels: str, *per_second: float) -> list[str]:
    """A histogram with these counts a second within 100, 200 and 400 ms, and none above."""
    scale = 1000 if "milliseconds" in metric else 1
    rows = zip((0.1 * scale, 0.2 * scale, 0.4 * scale, "+Inf"), (*per_second, per_second[-1]), strict=True)
    return [f'{metric}_bucket{{{labels},le="{bound}"}} {rate}/s' for bound, rate in rows]


def pod(name: str, more: str = "") -> str:
    return f'namespace="shop",pod="{name}"' + (f",{more}" if more else "")


def kubernetes() -> list[str]:
    """What cAdvisor, the kubelet and kube-state-metrics say of web (two pods of a ReplicaSet) and db (one pod)."""
    out = []
    for name, cores in ((A, 0.5), (B, 0.25), (DB, 1.5)):
        app = pod(name, f'container="app",image="app:1",id="/kubepods/{name}/app",name="x{name}"')
        whole, pause = pod(name, f'container="",id="/kubepods/{name}"'), pod(name, f'container="POD",id="/k/{name}/p"')
        side = pod(name, f'container="proxy",image="proxy:1",id="/kubepods/{name}/proxy",name="y{name}"')
        out += [f'container_cpu_usage_seconds_total{{{app},cpu="total"}} {cores}/s']
        out += [f'container_cpu_usage_seconds_total{{{side},cpu="total"}} 0.1/s']
        out += [f'container_cpu_usage_seconds_total{{{whole},cpu="total"}} {cores + 0.1}/s']
        out += [f"container_memory_working_set_bytes{{{app}}} 1e8", f"container_memory_working_set_bytes{{{side}}} 2e7"]
        out += [f"container_memory_working_set_bytes{{{whole}}} 1.2e8"]
        out += [f"container_memory_working_set_bytes{{{pause}}} 5e5"]
        interface = pod(name, f'id="/kubepods/{name}",interface="eth0"')
        out += [f"container_network_receive_bytes_total{{{interface}}} 1000/s"]
        out += [f"container_network_transmit_bytes_total{{{interface}}} 3000/s"]
        for device, rate in (("/dev/vda", 100), ("/dev/vdb", 50)):
            out += [f'container_fs_reads_bytes_total{{{app},device="{device}"}} {rate}/s']
            out += [f'container_fs_writes_bytes_total{{{app},device="{device}"}} {rate * 2}/s']
    for claim, used in (("data-db-0", 30), ("wal-db-0", 80)):
        for node in ("n1", "n2"):
            labels = f'namespace="shop",persistentvolumeclaim="{claim}",node="{node}"'
            out += [f"kubelet_volume_stats_used_bytes{{{labels}}} {used}e9"]
            out += [f"kubelet_volume_stats_capacity_bytes{{{labels}}} 100e9"]
        info = pod(DB, f'uid="3",volume="v",persistentvolumeclaim="{claim}"')
        out += [f"kube_pod_spec_volumes_persistentvolumeclaims_info{{{info}}} 1"]
    for name in (A, B):
        owner = pod(name, 'uid="1",owner_kind="ReplicaSet",owner_name="web-6d4c8",owner_is_controller="true"')
        out += [f"kube_pod_owner{{{owner}}} 1"]
        out += [
            f'namespace_workload_pod:kube_pod_owner:relabel{{{pod(name)},workload="web",workload_type="deployment"}} 1'
        ]
    owner = pod(DB, 'uid="3",owner_kind="StatefulSet",owner_name="db",owner_is_controller="true"')
    out += [f"kube_pod_owner{{{owner}}} 1"]
    of_set = 'namespace="shop",replicaset="web-6d4c8",owner_kind="Deployment",owner_name="web"'
    return [*out, f'kube_replicaset_owner{{{of_set},owner_is_controller="true"}} 1']


def applications() -> list[str]:
    """What the pods' own client libraries count, and what has a name only in the brief."""
    out = []
    for name, ok, bad in ((A, 8, 2), (B, 10, 0)):
        for metric in ("http_requests_total", "api_requests_total"):
            out += [f'{metric}{{{pod(name)},method="GET",code="200"}} {ok}/s']
            out += [f'{metric}{{{pod(name)},method="GET",code="503"}} {bad}/s'] if bad else []
        for metric in ("http_request_duration_seconds", "ml_inference_duration_seconds"):
            out += buckets(metric, pod(name, 'handler="/"'), *((5, 10, 10) if name == A else (0, 5, 10)))
        for metric in ("queue_length", "audio_processing_queue_length", "active_sessions"):
            out += [f"{metric}{{{pod(name)}}} {7 if name == A else 5}"]
    out += [
        'rabbitmq_queue_messages_ready{queue="audio",vhost="/"} 40',
        'rabbitmq_queue_messages_ready{queue="mail"} 9',
    ]
    out += [f'kafka_consumergroup_lag{{consumergroup="web",topic="t",partition="{n}"}} 15' for n in range(3)]
    return out


def proxies() -> list[str]:
    """What Istio's sidecars, ingress-nginx and OpenTelemetry say: each of a workload, none of it in our labels."""
    mesh = 'reporter="destination",destination_workload="web",destination_workload_namespace="shop"'
    out = [
        f'istio_requests_total{{{mesh},response_code="200"}} 9/s',
        f'istio_requests_total{{{mesh},response_code="500"}} 1/s',
    ]
    out += [f'istio_requests_total{{{mesh.replace("destination", "source", 1)},response_code="200"}} 9/s']
    out += buckets("istio_request_duration_milliseconds", mesh, 5, 10, 10)
    ingress = 'namespace="ingress",exported_namespace="shop",exported_service="web",ingress="web",controller_pod="c-1"'
    out += [f'nginx_ingress_controller_requests{{{ingress},status="200"}} 15/s']
    out += [f'nginx_ingress_controller_requests{{{ingress},status="502"}} 5/s']
    out += buckets("nginx_ingress_controller_request_duration_seconds", ingress, 5, 10, 10)
    otel = 'k8s_namespace_name="shop",k8s_deployment_name="web",k8s_pod_name="p",http_route="/"'
    metric = "http_server_request_duration_seconds"
    out += buckets(metric, f'{otel},http_response_status_code="200"', 5, 10, 10)
    out += [f'{metric}_count{{{otel},http_response_status_code="200"}} 6/s']
    return [*out, f'{metric}_count{{{otel},http_response_status_code="500"}} 2/s']


WEB_A, WEB_B, DB_0 = (Subject("shop", "pod", name) for name in (A, B, DB))
WEB, BY_NAME = Subject("shop", "deployment", "web"), Subject("shop", "workload", "web")
DB_SET = Subject("shop", "statefulset", "db")
PODS = (WEB_A, WEB_B, DB_0)

CASES: list[tuple[str, dict[str, Any], dict[Subject, float]]] = [
    ("cpu", WINDOW, {WEB_A: 0.6, WEB_B: 0.35, DB_0: 1.6}),
    ("cpu", {**WINDOW, "owners": "recorded"}, {WEB: 0.95}),
    ("cpu", {**WINDOW, "owners": "kube-state-metrics"}, {WEB: 0.95, DB_SET: 1.6}),
    ("cpu", {**WINDOW, "selector": 'container="app"'}, {WEB_A: 0.5, WEB_B: 0.25, DB_0: 1.5}),
    ("memory", {}, dict.fromkeys(PODS, 1.2e8)),
    ("network-receive", WINDOW, dict.fromkeys(PODS, 1000)),
    ("network-transmit", WINDOW, dict.fromkeys(PODS, 3000)),
    ("disk-read", WINDOW, dict.fromkeys(PODS, 150)),
    ("disk-write", WINDOW, dict.fromkeys(PODS, 300)),
    ("volume-usage", {}, {DB_0: 0.8}),
    ("volume-usage", {"owners": "kube-state-metrics"}, {DB_SET: 0.8}),
    ("http-requests", WINDOW, {WEB_A: 10, WEB_B: 10}),
    ("http-requests", {**WINDOW, "metric": "api_requests_total", "selector": 'code="503"'}, {WEB_A: 2}),
    ("http-latency", WINDOW, {WEB: 0.36}),
    ("http-latency", {**WINDOW, "quantile": 0.5}, {WEB: 0.15}),
    ("http-latency", {**WINDOW, "owners": "none"}, {WEB_A: 0.19, WEB_B: 0.38}),
    ("error-rate", WINDOW, {WEB: 0.1}),
    ("error-rate", {**WINDOW, "owners": "none"}, {WEB_A: 0.2, WEB_B: 0}),
    ("error-rate", {**WINDOW, "errors": 'code="200"'}, {WEB: 0.9}),
    ("queue-length", {}, {WEB_A: 7, WEB_B: 5}),
    ("audio-queue", {}, {WEB_A: 7, WEB_B: 5}),
    ("ml-inference-latency", WINDOW, {WEB: 0.36}),
    ("active-sessions", {}, {WEB_A: 7, WEB_B: 5}),
    ("api-requests", WINDOW, {WEB_A: 10, WEB_B: 10}),
    ("api-error-rate", WINDOW, {WEB: 0.1}),
    ("istio-requests", WINDOW, {BY_NAME: 10}),
    ("istio-latency", WINDOW, {BY_NAME: 0.19}),
    ("istio-error-rate", WINDOW, {BY_NAME: 0.1}),
    ("ingress-nginx-requests", WINDOW, {BY_NAME: 20}),
    ("ingress-nginx-latency", WINDOW, {BY_NAME: 0.19}),
    ("ingress-nginx-error-rate", WINDOW, {BY_NAME: 0.25}),
    ("otel-http-requests", WINDOW, {WEB: 8}),
    ("otel-http-requests", {**WINDOW, "labels": {"pod": "k8s_pod_name"}}, {Subject("shop", "pod", "p"): 8}),
    ("otel-http-latency", WINDOW, {WEB: 0.19}),
    ("otel-http-error-rate", WINDOW, {WEB: 0.25}),
    ("rabbitmq-queue", {"workload": "web", "selector": 'queue="audio"'}, {BY_NAME: 40}),
    ("kafka-lag", {"workload": "web"}, {BY_NAME: 45}),
]  # fmt: skip


def parameters(**changed: Any) -> PresetParameters:
    return PresetParameters.model_validate(changed, strict=False)


@pytest.fixture(scope="module")
def scraped(prometheus: Server) -> Server:
    """The server after 13 scrapes of all of it: the longest window is full."""
    prometheus.expose(*kubernetes(), *applications(), *proxies())
    prometheus.until('count_over_time(kafka_consumergroup_lag{partition="0"}[10m]) >= 13', 1)
    return prometheus


@pytest.fixture
async def source(scraped: Server) -> AsyncIterator[PrometheusSource]:
    found = PrometheusSource("prom", PrometheusClient(scraped.url))
    yield found
    await found.close()


@pytest.mark.prometheus
@pytest.mark.parametrize(
    ("name", "changed", "expected"), CASES, ids=lambda value: value if isinstance(value, str) else ""
)
async def test_a_preset_measures_what_real_exporters_tell(
    name: str, changed: dict[str, Any], expected: dict[Subject, float], source: PrometheusSource
) -> None:
    query = adapted(name, parameters(**changed), "shop").promql()
    reading = await source.read(query, time.time())  # noqa: TID251  a real server's clock
    found = dict(zip(reading.subjects, reading.values.tolist(), strict=True))
    assert found == {subject: pytest.approx(value, rel=0.05) for subject, value in expected.items()}
    assert reading.unplaced == 0


@pytest.mark.prometheus
@pytest.mark.parametrize("name", ["cpu", "memory", "http-requests", "active-sessions"])
async def test_the_past_of_pods_is_asked_by_workload(name: str, source: PrometheusSource) -> None:
    preset = adapted(
        name, parameters(**(WINDOW if "window" in name or name in ("cpu", "http-requests") else {})), "shop"
    )
    reading = await source.read(preset.past.promql(), time.time())  # noqa: TID251
    assert WEB in reading.subjects
    assert {subject.kind for subject in reading.subjects} <= {"deployment", "statefulset"}


def test_every_preset_is_measured_here() -> None:
    assert {name for name, _, _ in CASES} == set(PRESETS)


def signal(prometheus: str, more: str = "") -> str:
    return (
        "apiVersion: podium.dev/v1alpha1\nkind: Signal\nmetadata: {name: load, namespace: shop}\n"
        f"spec:\n  prometheus: {prometheus}\n{more}"
    )


def test_a_preset_brings_unit_reduction_and_patience() -> None:
    (found,) = loads(signal("{preset: volume-usage}").encode(), "s.yaml", KINDS)
    assert isinstance(found, Signal)
    spec = found.spec
    assert (spec.unit, spec.reduce, spec.interval, spec.stale_after) == ("ratio", "max", 60, 300)


def test_what_a_signal_writes_itself_stands_before_the_preset() -> None:
    (found,) = loads(signal("{preset: memory}", "  reduce: max\n  staleAfter: 4m\n").encode(), "s.yaml", KINDS)
    assert isinstance(found, Signal)
    assert (found.spec.unit, found.spec.reduce, found.spec.stale_after) == ("bytes", "max", 240)


def test_the_namespace_of_a_fixed_workload_is_the_signals_own() -> None:
    (found,) = loads(signal("{preset: kafka-lag, parameters: {workload: web}}").encode(), "s.yaml", KINDS)
    assert isinstance(found, Signal)
    assert found.spec.prometheus is not None
    of_shop = 'label_replace(sum(kafka_consumergroup_lag), "namespace", "shop", "", "")'
    assert found.spec.prometheus.promql("shop") == f'label_replace({of_shop}, "workload", "web", "", "")'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (signal("{preset: http-request}"), "spec.prometheus.preset: expected a preset; did you mean http-requests?"),
        (signal("{preset: xyzzy}"), "expected a preset: one of cpu, memory, network-receive"),
        (signal("{preset: cpu, parameters: {windw: 1m}}"), "did you mean window?"),
        (signal("{preset: cpu, parameters: {quantile: 0.5}}"), "because cpu has no quantile; it has metric, selector"),
        (signal("{preset: cpu, query: up}"), "spec.prometheus.preset: expected nothing here, because query is written"),
        (signal("{parameters: {window: 1m}, query: up}", "  unit: count\n"), "because there is no preset"),
        (signal("{source: prom}", "  unit: count\n"), "prometheus.query: expected PromQL, or the name of a preset"),
        (signal("{preset: cpu}", "  unit: bytes\n"), "spec.unit: expected cores, in which the preset measures"),
        (signal("{query: up}"), "spec.unit: expected cores, bytes, per_second, seconds, ratio or count"),
        (signal("{preset: rabbitmq-queue}"), "rabbitmq_queue_messages_ready does not say whose it is"),
        (signal("{preset: cpu, parameters: {selector: 'job=web'}}"), 'expected label matchers, as in job="web"'),
        (signal("{preset: cpu, parameters: {metric: 'rate(x)'}}"), "expected a metric's name"),
        (signal("{preset: http-latency, parameters: {quantile: 95}}"), "expected a number below 1"),
        (signal("{preset: cpu, parameters: {labels: {namespace: ns}}}"), "label that names the subject: one of pod"),
        (signal("{preset: cpu, parameters: {labels: {pod: p, workload: w}}}"), "because pod names the subject"),
        (signal("{preset: cpu, parameters: {workload: web, owners: recorded}}"), "because workload says whose"),
        (
            signal("{preset: cpu, parameters: {labels: {workload: w}, owners: recorded}}"),
            "parameters.owners: expected none, because the labels do not name pods",
        ),
    ],
)  # fmt: skip
def test_a_preset_that_cannot_be_asked_is_refused_in_one_sentence(text: str, said: str) -> None:
    (complaint,) = complaints(text)
    assert said in complaint


def test_matchers_of_a_signal_are_added_to_the_presets_own() -> None:
    query = adapted("memory", parameters(selector=' namespace="shop" '), "shop").promql()
    inner = re.search(r"\{(.*)\}", query)
    assert inner is not None
    assert inner[1] == 'container!="",container!="POD",namespace="shop"'
