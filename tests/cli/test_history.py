"""`podium backtest --prometheus` and `podium recommend` on the history of a real Prometheus."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from tests.cli import lived
from tests.cli.inside import podium as call
from tests.servers.prometheus import Server, free_port

from podium.cli import history, outcome
from podium.loop.prices import price
from podium.model.clock import wall_clock

pytestmark = pytest.mark.prometheus


@pytest.fixture(scope="module")
def cluster() -> Iterator[Server]:
    """A Prometheus that remembers the small cluster."""
    from tests.servers import prometheus

    for server in prometheus._running():
        server.remember(*lived.lines(wall_clock()))
        yield server


@pytest.fixture(scope="module")
def backtested(cluster: Server) -> Any:
    result = call(
        "backtest", "--prometheus", cluster.url, "--hpa", "shop/web", "--days", 3, "-o", "json",
        "--price-place", "gcp/us-central1/e2", "--policy", "podium", "--policy", "hpa:60", "--policy", "oracle",
    )  # fmt: skip
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def test_what_the_hpa_really_did_is_one_of_the_policies(backtested: Any) -> None:
    policies = backtested["policies"]
    assert list(policies) == ["recorded", "podium", "hpa:60", "oracle"]
    minutes = backtested["judged"]["minutes"]
    until = int(wall_clock() // 60)
    paid = sum(lived.replicas_at(minute) for minute in range(until - minutes, until)) / 60
    assert policies["recorded"]["replica_hours"] == pytest.approx(paid, rel=0.02)
    assert policies["hpa:60"]["replica_hours"] == pytest.approx(paid, rel=0.1)  # the same target, simulated
    assert policies["podium"]["replica_hours"] < policies["recorded"]["replica_hours"]


def test_capacity_and_startup_are_those_of_the_pods(backtested: Any) -> None:
    assert (backtested["capacity"], backtested["startup_seconds"]) == (1.0, 90.0)
    assert any(note.startswith("capacity: 1 cores") for note in backtested["notes"])


def test_money_counts_cpu_and_memory_of_the_requests(backtested: Any) -> None:
    list_price = price.of("gcp/us-central1/e2")
    assert list_price.cpu_hour is not None
    assert list_price.memory_hour is not None
    recorded = backtested["policies"]["recorded"]
    rate = list_price.cpu_hour + list_price.memory_hour
    assert recorded["cost_micro"] == pytest.approx(recorded["replica_hours"] * rate, abs=1)


def test_a_recommendation_names_what_would_change_and_why(cluster: Server) -> None:
    result = call("recommend", "--prometheus", cluster.url, "--days", 3, "-o", "json")
    assert result.exit_code == 0, result.stderr
    answer = json.loads(result.stdout)
    (web,) = answer["workloads"]
    assert (web["workload"], web["hpa"], answer["unseen"]) == ("shop/deployment/web", "web", [])
    assert web["saved_replica_hours_a_month"] > 0
    assert web["saved_micro_a_month"] is None  # no price is unknown
    assert "fewer replica-hours would have served the load" in web["reasons"][0]


def test_a_load_of_ones_own_is_taken_from_a_query(cluster: Server) -> None:
    query = 'sum(rate(container_cpu_usage_seconds_total{namespace="shop"}[3m])) * 100'
    result = call(
        "backtest", "--prometheus", cluster.url, "--hpa", "shop/web", "--days", 3, "--query", query,
        "--policy", "oracle", "-o", "json",
    )  # fmt: skip
    answer = json.loads(result.stdout)
    assert 55 < answer["capacity"] < 75  # what a replica was seen to serve: 60 % of a core, a hundredfold
    assert "in 99 of 100 minutes" in answer["notes"][0]


def test_an_hpa_that_is_not_there_is_said(cluster: Server) -> None:
    result = call("backtest", "--prometheus", cluster.url, "--hpa", "shop/api", "--days", 3)
    assert result.exit_code == outcome.BAD_INPUT
    assert "no HPA 'api' in namespace 'shop'" in result.stderr


def test_what_is_missing_is_named_with_what_brings_it(own_prometheus: Server) -> None:
    without = ("kube_pod_owner", "kube_pod_container_resource_requests")
    own_prometheus.remember(*lived.lines(wall_clock(), without=without))
    result = call("backtest", "--prometheus", own_prometheus.url, "--hpa", "shop/web", "--days", 3)
    assert result.exit_code == outcome.BAD_INPUT
    assert (
        "kube_pod_owner (and kube_replicaset_owner) is not there in namespace shop; kube-state-metrics" in result.stderr
    )
    told = call("recommend", "--prometheus", own_prometheus.url, "--days", 3)
    assert told.exit_code == outcome.NEGATIVE
    assert "Not seen" in told.stdout


def test_a_prometheus_without_any_of_it_says_so(own_prometheus: Server) -> None:
    result = call("backtest", "--prometheus", own_prometheus.url, "--hpa", "shop/web")
    assert result.exit_code == outcome.BAD_INPUT
    assert "kube_horizontalpodautoscaler_info is not there in namespace shop; kube-state-metrics" in result.stderr


def test_a_dead_server_is_out_of_reach() -> None:
    result = call("recommend", "--prometheus", f"http://127.0.0.1:{free_port()}")
    assert result.exit_code == outcome.OUT_OF_REACH
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("recommend", "--prometheus", "ftp://x"), "expected http://… or https://…"),
        (("backtest", "--prometheus", "http://127.0.0.1:1", "--hpa", "web"), "expected NAMESPACE/NAME"),
        (("backtest", "x.csv", "--hpa", "shop/web"), "goes with --prometheus"),
        (("backtest", "x.csv", "--prometheus", "http://127.0.0.1:1"), "one of them"),
        (("recommend", "--prometheus", "http://127.0.0.1:1", "--bearer", "env:NOT_THERE"), "NOT_THERE"),
    ],
)
def test_what_cannot_be_asked_is_one_clear_error(words: tuple[str, ...], said: str) -> None:
    result = call(*words)
    assert result.exit_code == outcome.BAD_INPUT
    assert said in " ".join(result.stderr.split())


@pytest.fixture
def liar() -> Iterator[str]:
    """A server that answers every question with what is no answer."""

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "5")
            self.end_headers()
            self.wfile.write(b"hello")

        def log_message(self, *words: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_what_is_no_prometheus_is_out_of_reach(liar: str) -> None:
    result = call("recommend", "--prometheus", liar)
    assert (result.exit_code, result.stdout) == (outcome.OUT_OF_REACH, "")
    assert liar.removeprefix("http://") in result.stderr


def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "TIMEOUT_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the call and never answers
        result = call("recommend", "--prometheus", f"http://127.0.0.1:{silent.getsockname()[1]}")
    assert (result.exit_code, result.stdout) == (outcome.OUT_OF_REACH, "")
