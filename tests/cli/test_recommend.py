"""`podium recommend --context`: a first look at a cluster that nobody prepared."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli import lived, shop
from tests.cli.inside import podium as call
from tests.servers import apiserver
from tests.servers.apiserver import ApiServer
from tests.servers.prometheus import Server

from podium.cli import outcome, pointed
from podium.model.clock import wall_clock


@pytest.fixture
def server() -> Iterator[ApiServer]:
    with apiserver.running() as found:
        shop.open_shop(found)
        yield found


@pytest.fixture
def place(server: ApiServer, tmp_path: Path) -> list[object]:
    return ["recommend", "--kubeconfig", server.kubeconfig(tmp_path), "--context", "here"]


def looked(place: list[object], *words: object) -> Any:
    result = call(*place, *words, "-o", "json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


def codes(found: list[dict[str, Any]]) -> set[tuple[str, str]]:
    return {(one["code"], one["workload"].rpartition("/")[2]) for one in found}


def test_requests_far_above_use_are_the_largest_savings(server: ApiServer, place: list[object]) -> None:
    shop.workload(server, "web", 10, requests={"cpu": "2", "memory": "4Gi"}, used=("200m", "1Gi"))
    shop.workload(server, "cart", 2, requests={"cpu": "1", "memory": "1Gi"}, used=("100m", "900Mi"))
    shop.workload(server, "busy", 9, requests={"cpu": "1", "memory": "1Gi"}, used=("800m", "900Mi"))
    found = looked(place, "--price-cpu-hour", 0.04, "--price-memory-hour", 0.005)
    web, cart = found["savings"]
    gib = 2**30
    assert web | {"evidence": ""} == {
        "code": "requests-above-use",
        "workload": "shop/deployment/web",
        "what": "requests far above use frees 17.5 cores, 27.5 GiB",
        "evidence": "",
        "remedy": "watch it for a week, then lower the requests",
        "freed": {"cpu": 10 * (2000 - 250), "memory": 10 * (4 * gib - gib * 5 // 4)},
        "saved_micro_a_month": round(730 * (17.5 * 40_000 + 27.5 * 5_000)),
    }
    assert "cpu: 2 cores requested, the fullest pod used 200m in one reading of 12 s" in web["evidence"]
    assert cart["freed"] == {"cpu": 2 * (1000 - 125), "memory": None}
    assert found["seen"]["words"].startswith("use: one reading of 21 pods over 12 s; no history")


def test_money_is_unknown_without_prices_and_use_without_a_metrics_server(
    server: ApiServer, place: list[object]
) -> None:
    shop.workload(server, "web", 10, requests={"cpu": "2"}, used=("200m", "1Gi"))
    assert looked(place)["savings"][0]["saved_micro_a_month"] is None
    server.objects = {path: one for path, one in server.objects.items() if "metrics.k8s.io" not in path}
    server.served.discard("pods.metrics.k8s.io")
    found = looked(place)
    assert found["savings"] == []
    assert found["seen"]["window_seconds"] is None
    assert "metrics-server brings it" in found["unseen"][0]


def test_a_minimum_above_what_the_metrics_ask_for_is_a_saving(server: ApiServer, place: list[object]) -> None:
    shop.workload(server, "web", 10, requests={"cpu": "200m"}, used=("110m", "1Mi"))
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 15}}}]
    shop.hpa(server, "web", 10, 20, status={"currentReplicas": 10, "currentMetrics": current})
    (found,) = looked(place)["savings"]
    assert found["evidence"] == "HPA web holds its minimum of 10; its metrics ask for 3 right now"
    assert found["freed"] == {"cpu": 7 * 200, "memory": None}


def test_hpas_that_cannot_work_are_named_with_why(server: ApiServer, place: list[object]) -> None:
    for name in ("fixed", "blind", "full", "bare", "twice"):
        shop.workload(server, name, 4, requests={} if name == "bare" else {"cpu": "100m"}, used=("60m", "1Mi"))
        shop.budget(server, name)
    shop.hpa(server, "fixed", 4, 4)
    inactive = {"type": "ScalingActive", "status": "False", "reason": "FailedGetPodsMetric", "message": "no rps"}
    shop.hpa(server, "blind", status={"conditions": [inactive]})
    current = [{"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 90}}}]
    limited = {"type": "ScalingLimited", "status": "True", "reason": "TooManyReplicas"}
    full = {"currentReplicas": 4, "currentMetrics": current, "conditions": [limited]}
    shop.hpa(server, "full", 2, 4, status=full)
    shop.hpa(server, "bare")
    shop.hpa(server, "twice")
    shop.hpa(server, "again", target="twice")
    shop.hpa(server, "gone")
    found = looked(place)["risks"]
    assert codes(found) == {
        ("hpa-fixed", "fixed"),
        ("metric-missing", "blind"),
        ("pinned-at-maximum", "full"),
        ("no-requests", "bare"),
        ("two-autoscalers", "twice"),
        ("target-missing", "gone"),
    }
    said = {one["workload"].rpartition("/")[2]: one["evidence"] for one in found}
    assert said["full"] == "HPA full stands at its maximum of 4; cpu is at 150% of its target"
    assert said["blind"] == "HPA blind: FailedGetPodsMetric: no rps"
    assert said["bare"] == "HPA bare wants CPU at 60 % of the request; main requests no CPU"


def test_pods_that_wait_die_or_crash_come_first(server: ApiServer, place: list[object]) -> None:
    (pod, *_) = shop.workload(server, "leak", 3, limits={"memory": "256Mi"}, used=("1m", "250Mi"))
    ended = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    pod["status"]["containerStatuses"] = [{"name": "main", "restartCount": 3, "lastState": ended}]
    (pod,) = shop.workload(server, "broken", 1)
    waits = {"waiting": {"reason": "CrashLoopBackOff"}}
    pod["status"]["containerStatuses"] = [{"name": "main", "restartCount": 40, "state": waits}]
    (pod, *_) = shop.workload(server, "wide", 2, used=None)
    message = "0/3 nodes are available: 3 Insufficient cpu."
    refused = [{"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message}]
    pod["status"] = {"phase": "Pending", "conditions": refused}
    found = looked(place)["risks"]
    worst = [(one["code"], one["evidence"]) for one in found[:3]]
    assert worst == [
        ("memory-killed", "1 pod within a day; last leak-0/main 0 min ago, limit 256 MiB"),
        ("pods-pending", f"1 of 2 pods pending: {message}"),
        ("crash-loop", "1 container, 40 restarts of broken-0/main"),
    ]
    assert {("memory-at-limit", "leak"), ("single-replica", "broken")} <= codes(found)


def test_a_minimal_role_sees_less_and_says_what_it_lacks(server: ApiServer, place: list[object]) -> None:
    shop.workload(server, "web", 2, requests={"cpu": "2"}, used=("200m", "1Gi"))
    for one in ("nodes", "poddisruptionbudgets.policy", "horizontalpodautoscalers.autoscaling"):
        server.refused[f"GET {one}"] = 403
    found = looked(place, "--namespace", "shop")
    assert codes(found["savings"]) == {("requests-above-use", "web")}
    assert found["risks"] == []  # of a budget that may not be seen nothing is said
    assert found["unseen"] == [
        "the right to list horizontalpodautoscalers.autoscaling in namespace shop is missing",
        "the right to list poddisruptionbudgets.policy in namespace shop is missing",
        "the right to list nodes in all namespaces is missing",
    ]
    assert (found["seen"]["hpas"], found["seen"]["nodes"]) == (None, None)


def test_without_the_right_to_see_workloads_there_is_one_clear_line(server: ApiServer, place: list[object]) -> None:
    server.refused |= {"GET deployments.apps": 403, "GET statefulsets.apps": 403}
    result = call(*place)
    assert result.exit_code == outcome.BAD_INPUT
    assert "--namespace NAME asks for one namespace alone" in result.stderr
    assert result.stderr.count("\n") == 1


def test_people_see_ten_of_each_and_nothing_is_written(server: ApiServer, place: list[object]) -> None:
    for number in range(15):
        shop.workload(server, f"w{number:02}", number + 1, requests={"cpu": "2"}, used=("20m", "1Mi"))
    result = call(*place)
    assert result.exit_code == 0
    table = result.stdout.partition("Largest savings")[2].partition("Largest risks")[0]
    assert [line.split()[0] for line in table.splitlines() if line.startswith("shop/")] == [
        f"shop/deployment/w{number:02}" for number in range(14, 4, -1)
    ]
    assert "and 5 more: -o json names all" in table
    assert "Nothing was changed" in result.stdout
    assert {verb for verb, _ in server.asked} == {"GET"}


def test_an_empty_cluster_is_a_negative_answer(server: ApiServer, place: list[object]) -> None:
    assert call(*place).exit_code == outcome.NEGATIVE


def test_five_thousand_pods_are_read_in_seconds(server: ApiServer, place: list[object]) -> None:
    for number in range(250):
        shop.workload(
            server, f"w{number:03}", 20, requests={"cpu": "500m", "memory": "1Gi"}, used=(f"{number}m", "1Mi")
        )
    begun = time.process_time()
    found = looked(place)
    assert found["seen"]["measured_pods"] == 5000
    assert time.process_time() - begun < 10  # the server, which is this process too, takes its part


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (401, "the credentials are missing, wrong or expired (HTTP 401)", outcome.BAD_INPUT),
        (500, "HTTP 500", outcome.OUT_OF_REACH),
    ],
)
def test_what_a_server_refuses_is_one_clear_line(
    server: ApiServer, place: list[object], status: int, said: str, code: int
) -> None:
    server.refused["GET"] = status
    result = call(*place)
    assert (result.exit_code, result.stdout, result.stderr.count("\n")) == (code, "", 1)
    assert said in result.stderr


def test_a_context_that_is_not_there_is_named_with_those_that_are(server: ApiServer, tmp_path: Path) -> None:
    result = call("recommend", "--kubeconfig", server.kubeconfig(tmp_path), "--context", "there")
    assert result.exit_code == outcome.BAD_INPUT
    assert "no context is named 'there'; there are: here" in result.stderr


def test_a_server_that_is_not_there_is_out_of_reach(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = ApiServer()
        away.port = taken.getsockname()[1]
        result = call("recommend", "--kubeconfig", away.kubeconfig(tmp_path))
    assert (result.exit_code, result.stderr.count("\n")) == (outcome.OUT_OF_REACH, 1)
    assert "nothing listens there" in result.stderr


def test_a_credential_plugin_that_hangs_is_given_up(
    server: ApiServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pointed, "PLUGIN_SECONDS", 0.3)
    file = server.kubeconfig(tmp_path)
    plugin = "{exec: {apiVersion: client.authentication.k8s.io/v1, command: sleep, args: ['60']}}"
    file.write_text(file.read_text().replace("user: {}", f"user: {plugin}"))
    result = call("recommend", "--kubeconfig", file)
    assert result.exit_code == outcome.OUT_OF_REACH
    assert "the credential plugin sleep gave no credentials within 0.3 s" in result.stderr


def test_a_cluster_that_is_too_old_is_named_with_what_is_expected(
    server: ApiServer, place: list[object], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = {"major": "1", "minor": "21+", "gitVersion": "v1.21.14-eks"}
    answer = server.answer
    monkeypatch.setattr(server, "answer", lambda *words: (200, old) if words[1] == "/version" else answer(*words))
    result = call(*place)
    assert result.exit_code == outcome.BAD_INPUT
    assert "is Kubernetes v1.21.14-eks; expected 1.23 or newer" in result.stderr


@pytest.mark.prometheus
@pytest.mark.timeout(300)
def test_a_history_beside_tells_peaks_and_replays(
    own_prometheus: Server, server: ApiServer, place: list[object]
) -> None:
    own_prometheus.remember(*lived.lines(wall_clock()))
    shop.workload(server, "web", 10, requests={"cpu": "1", "memory": "1Gi"}, used=("1m", "1000Mi"))
    found = looked(place, "--prometheus", own_prometheus.url, "--days", 3)
    (saving,) = found["savings"]
    assert (saving["code"], saving["workload"]) == ("replicas-above-need", "shop/deployment/web")
    assert "fewer replica-hours would have served the load" in saving["evidence"]
    assert "history: the last 3d of 1 workloads" in found["seen"]["words"]
    # What pods of today did lately is told pod by pod: it knows who is throttled, and of the most memory.
    minutes = range(int(wall_clock() // 60) - 60, int(wall_clock() // 60) + 1)
    names = {"throttled_periods": 300, "periods": 600}
    lines = []
    for name, rate in names.items():
        lines.append(f"# TYPE container_cpu_cfs_{name} counter")
        labels = 'namespace="shop",pod="web-0",container="main"'
        lines += [f"container_cpu_cfs_{name}_total{{{labels}}} {at * rate} {at * 60}" for at in minutes]
    lines.append("# TYPE container_memory_working_set_bytes gauge")
    lines += [f"container_memory_working_set_bytes{{{labels}}} {800 * 2**20} {at * 60}" for at in minutes]
    own_prometheus.remember(*lines)
    shop.workload(server, "web", 1, requests={"cpu": "1", "memory": "1Gi"}, limits={"cpu": "1"}, used=("1m", "100Mi"))
    found = looked(place, "--prometheus", own_prometheus.url, "--hours", 2)
    throttled = [one["evidence"] for one in found["risks"] if one["code"] == "throttled"]
    assert throttled == ["its worst pod was held back in 50% of its CPU periods"]
    assert [one["freed"]["memory"] for one in found["savings"]] in ([], [None])
    # Of a few hours there is no replay, but peaks: the one reading, of an idle moment, is not believed alone.
    found = looked(place, "--prometheus", own_prometheus.url, "--hours", 6)
    assert found["savings"] == []
    assert "expected two at least" in found["unseen"][0]
