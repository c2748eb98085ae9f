"""The metrics APIs of a cluster as a source: what is asked, what answers mean, and silence, garbage and refusals."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web

from podium.clients.kubernetes.access import Access
from podium.clients.kubernetes.client import Client
from podium.signals.metrics_api import Metric, MetricsApiSource
from podium.signals.source import Garbage, Permanent, Subject, Temporary

NOW = 1_795_262_400.0  # 2026-11-21T12:00:00Z
AT = "2026-11-21T11:59:50Z"
QUEUE = Metric(type="External", namespace="shop", name="queue/length", selector="q in (a,b)", of=("deployment", "web"))
BUSY = Metric(type="Pods", namespace="shop", name="busy", selector="verb=GET")
HITS = Metric(
    type="Object", namespace="shop", name="hits", object=("networking.k8s.io", "Ingress", "front"), of=("fleet", "web")
)


class Adapter:
    """Metrics adapters behind one API server, which answer `body` to every question for values."""

    def __init__(self) -> None:
        self.body: Any = {"items": []}
        self.status = 200
        self.slow = 0.0
        self.versions = ["v1beta2", "v1beta1"]
        self.asked: list[str] = []

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.path == "/apis/custom.metrics.k8s.io":
            versions = [{"groupVersion": f"custom.metrics.k8s.io/{one}", "version": one} for one in self.versions]
            return web.json_response({"preferredVersion": versions[-1], "versions": versions})
        if request.path == "/apis/networking.k8s.io":
            version = {"groupVersion": "networking.k8s.io/v1", "version": "v1"}
            return web.json_response({"preferredVersion": version, "versions": [version]})
        if request.path == "/apis/networking.k8s.io/v1":
            return web.json_response({"resources": [{"name": "ingresses", "kind": "Ingress"}]})
        self.asked.append(request.raw_path if hasattr(request, "raw_path") else str(request.rel_url))
        await asyncio.sleep(self.slow)
        return web.json_response(self.body, status=self.status)


@pytest.fixture
def adapter() -> Adapter:
    return Adapter()


@pytest.fixture
async def source(adapter: Adapter) -> AsyncIterator[MetricsApiSource]:
    runner = web.ServerRunner(web.Server(adapter.answer), shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    access = Access(server=f"http://127.0.0.1:{runner.addresses[0][1]}")
    made = MetricsApiSource("local/metrics", Client(access, timeout_seconds=1.0))
    yield made
    await made.close()
    await runner.cleanup()


def value(number: Any, at: str | None = AT, pod: str = "") -> dict[str, Any]:
    return {"value": number, "timestamp": at, "describedObject": {"kind": "Pod", "name": pod}}


async def test_series_of_an_external_metric_add_up_and_are_as_old_as_the_oldest(
    adapter: Adapter, source: MetricsApiSource
) -> None:
    adapter.body = {"items": [value("1500m"), value("7", "2026-11-21T11:59:00Z")]}
    reading = await source.read(QUEUE.query(), NOW)
    assert (reading.subjects, reading.values.tolist(), reading.at.tolist()) == (
        (Subject("shop", "deployment", "web"),),
        [8.5],
        [NOW - 60],
    )
    path = "/apis/external.metrics.k8s.io/v1beta1/namespaces/shop/queue%2Flength"
    assert adapter.asked == [f"{path}?labelSelector=q+in+(a,b)"]


async def test_a_metric_of_pods_is_asked_once_for_all_of_them(adapter: Adapter, source: MetricsApiSource) -> None:
    adapter.body = {"items": [value("2k", pod="web-1"), value(3, pod="cart-1")]}
    reading = await source.read(BUSY.query(), NOW)
    assert reading.subjects == (Subject("shop", "pod", "web-1"), Subject("shop", "pod", "cart-1"))
    assert reading.values.tolist() == [2000.0, 3.0]
    assert adapter.asked == [
        "/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/pods/*/busy?metricLabelSelector=verb%3DGET"
    ]
    assert (await source.read(BUSY.query(), NOW)).subjects is reading.subjects


async def test_a_metric_of_an_object_belongs_to_the_workload_that_asks(
    adapter: Adapter, source: MetricsApiSource
) -> None:
    adapter.body, adapter.versions = {"items": [value("12")]}, ["v1beta1"]
    reading = await source.read(HITS.query(), NOW)
    assert (reading.subjects, reading.values.tolist()) == ((Subject("shop", "fleet", "web"),), [12.0])
    path = "/apis/custom.metrics.k8s.io/v1beta1/namespaces/shop/ingresses.networking.k8s.io/front/hits"
    assert adapter.asked == [path]


async def test_a_metric_of_a_namespace_has_a_path_of_its_own(adapter: Adapter, source: MetricsApiSource) -> None:
    metric = Metric(type="Object", namespace="shop", name="n", object=("", "Namespace", "shop"), of=("fleet", "web"))
    await source.read(metric.query(), NOW)
    assert adapter.asked == ["/apis/custom.metrics.k8s.io/v1beta2/namespaces/shop/metrics/n"]


async def test_no_series_is_a_gap_and_not_zero(source: MetricsApiSource) -> None:
    assert (await source.read(QUEUE.query(), NOW)).subjects == ()


async def test_a_clock_that_is_a_little_ahead_has_measured_now(adapter: Adapter, source: MetricsApiSource) -> None:
    for at, told in (("2026-11-21T12:00:30Z", NOW), ("2026-11-21T13:00:00Z", NOW + 3600), (None, NOW)):
        adapter.body = {"items": [value("1", at)]}
        assert (await source.read(QUEUE.query(), NOW)).at.tolist() == [told]


@pytest.mark.parametrize("body", [{"items": [value("a lot")]}, {"items": 5}, ["no"], "<html>"])
async def test_garbage_is_told_as_garbage(adapter: Adapter, source: MetricsApiSource, body: Any) -> None:
    adapter.body = body
    with pytest.raises(Garbage):
        await source.read(QUEUE.query(), NOW)


@pytest.mark.parametrize(("status", "kind"), [(503, Temporary), (429, Temporary), (404, Permanent), (403, Permanent)])
async def test_refusals_say_whether_to_ask_again(
    adapter: Adapter, source: MetricsApiSource, status: int, kind: type[Exception]
) -> None:
    adapter.status, adapter.body = status, {"message": "no metric queue/length"}
    with pytest.raises(kind, match=r"queue/length|missing"):
        await source.read(QUEUE.query(), NOW)


async def test_silence_is_temporary_in_time(adapter: Adapter, source: MetricsApiSource) -> None:
    adapter.slow = 3.0
    with pytest.raises(Temporary, match="no answer within 1 s"):
        await source.read(QUEUE.query(), NOW)
