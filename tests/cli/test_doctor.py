"""`podium doctor`: what is missing, what is wrong, and what a running Podium says of its sources."""

from __future__ import annotations

import contextlib
import email.utils
import http.server
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.outside import Done, podium
from tests.journeys.installation import Installation, rising

from testbed.control_plane import ControlPlane

SIGNAL = """
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {name: outside, namespace: shop}
spec: {unit: per_second, prometheus: {query: up}}
"""


def checks(done: Done) -> dict[str, tuple[str, str]]:
    """what -> (state, words); the last of several rows counts."""
    return {row["what"]: (row["state"], row["words"]) for row in done.answer["checks"]}


@pytest.fixture
def laid(tmp_path: Path) -> Path:
    return Installation.lay(tmp_path / "here", rising(60 * 10)).folder


def with_prometheus(folder: Path, url: str) -> Path:
    """A source more, and a signal that it serves."""
    settings = folder / "podium.yaml"
    source = f"sources:\n  - {{name: prom, kind: prometheus, url: {json.dumps(url)}, timeout: 2s}}\n"
    settings.write_text(settings.read_text().replace("sources:\n", source))
    (folder / "policies" / "outside.yaml").write_text(SIGNAL)
    return folder


def test_a_sound_installation_has_nothing_wrong_and_nothing_is_made(laid: Path) -> None:
    before = {str(file) for file in laid.rglob("*")}
    done = podium("doctor", "-o", "json", at=laid)
    found = checks(done)
    assert (done.code, done.answer["ok"]) == (0, True)
    assert found["settings"] == ("ok", f"{laid}/podium.yaml")
    assert found["database"] == ("ok", f"{laid}/podium.db is not there yet; `podium run` makes it")
    assert found["documents"] == ("ok", f"5 in {laid}/policies")
    assert found["cluster local"] == ("ok", f"simulated, {laid}/scenario.yaml")
    assert {str(file) for file in laid.rglob("*")} == before


def test_the_table_says_the_same_to_people(laid: Path) -> None:
    done = podium("doctor", at=laid, COLUMNS="80")
    assert done.code == 0
    assert max(map(len, done.out.splitlines())) <= 80
    assert done.out.splitlines()[-1].startswith("nothing is wrong; ")


def test_mistakes_in_the_settings_are_rows_and_the_machine_is_told_anyway(tmp_path: Path) -> None:
    text = "apiVersion: podium.dev/v1alpha1\nkind: Settings\nloop: {interval: soon}\nlog: {level: loud}\n"
    (tmp_path / "podium.yaml").write_text(text)
    done = podium("doctor", "-o", "json", at=tmp_path)
    wrong = [row["words"] for row in done.answer["checks"] if row["state"] == "wrong"]
    assert (done.code, len(wrong)) == (1, 2)
    assert all(words.startswith(f"{tmp_path}/podium.yaml:") for words in wrong)
    assert checks(done)["python"][0] == "ok"


def test_everything_that_is_wrong_is_told_at_once(laid: Path) -> None:
    policies = laid / "policies" / "shop.yaml"
    policies.write_text(policies.read_text().replace("max: 500", "max: many", 1))
    (laid / "podium.db").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        listen = f"127.0.0.1:{taken.getsockname()[1]}"
        done = podium("doctor", "-o", "json", "--set", f"api.listen={listen}", at=laid)
    found = checks(done)
    assert done.code == 1
    assert found["address"] == ("wrong", f"{listen} is in use by another program")
    assert found["database"] == ("wrong", f"sqlite:///{laid}/podium.db is a directory")
    assert (found["documents"][0], f"{policies}:12:22" in found["documents"][1]) == ("wrong", True)


def test_policies_without_a_workload_and_with_idle_fields_are_named(laid: Path) -> None:
    policies = laid / "policies" / "shop.yaml"
    text = policies.read_text().replace("name: web}\n  mode: own", "name: wbe}\n  requests: {mode: own}\n  mode: own")
    policies.write_text(text)
    done = podium("doctor", "-o", "json", at=laid)
    rows = [(row["state"], row["words"]) for row in done.answer["checks"] if row["what"] == "policy shop/web"]
    assert done.code == 1
    assert rows == [
        ("hint", "this version does not act on requests.mode own yet"),
        ("wrong", "deployment shop/wbe does not exist in the scenario small, so nothing is scaled"),
    ]


def test_a_read_only_folder_is_wrong(laid: Path) -> None:
    sealed = laid / "sealed"
    sealed.mkdir(mode=0o555)
    url = f"database.url=sqlite:///{sealed}/podium.db"
    found = checks(podium("doctor", "-o", "json", "--set", url, at=laid, bound=True))
    assert found["database"] == ("wrong", f"{sealed}/podium.db cannot be made")


def test_a_database_of_a_server_that_does_not_answer_is_wrong(laid: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    url = f"database.url=postgresql://podium@127.0.0.1:{port}/podium"
    done = podium("doctor", "-o", "json", "--set", url, at=laid)
    assert (done.code, checks(done)["database"][0]) == (1, "wrong")


def test_a_source_that_is_dead_is_named_with_its_address(laid: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    done = podium("doctor", "-o", "json", at=with_prometheus(laid, url))
    state, words = checks(done)["source prom"]
    assert (done.code, state) == (1, "wrong")
    assert words == f"silent: {url}/api/v1/query: connection refused: nothing listens there"


def test_a_source_that_says_nothing_is_given_up_in_its_time(laid: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = podium("doctor", "-o", "json", at=with_prometheus(laid, url))
    assert checks(done)["source prom"] == ("wrong", f"silent: {url}/api/v1/query: no answer within 2 s")


@pytest.mark.parametrize(("ahead", "state"), [(0, None), (12, "hint"), (-3600, "wrong")])
def test_a_clock_that_differs_is_told(ahead: int, state: str | None, laid: Path) -> None:
    with prometheus(ahead) as url:
        done = podium("doctor", "-o", "json", at=with_prometheus(laid, url))
    found = checks(done)
    assert found["source prom"] == ("ok", f"{url} answers: 1 query, 1 series")
    assert found.get("clock", (None, ""))[0] == state
    assert done.code == (1 if state == "wrong" else 0)


def test_garbage_is_told_from_an_answer(laid: Path) -> None:
    with prometheus(0, b"<html>") as url:
        state, words = checks(podium("doctor", "-o", "json", at=with_prometheus(laid, url)))["source prom"]
    assert (state, "is not Prometheus' JSON" in words) == ("wrong", True)


def vector(*labels: dict[str, str], age: float = 0.0) -> bytes:
    """An answer to an instant query."""
    result = [{"metric": one, "value": [time.time() - age, "1"]} for one in labels]  # noqa: TID251
    return json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode()


@pytest.mark.parametrize(
    ("labels", "age", "said"),
    [
        ([], 0.0, "up: no series at all"),
        ([{"job": "a"}], 0.0, "up: none of 1 series names a namespace and a pod or workload in its labels"),
        ([{"namespace": "x", "deployment": "web"}], 0.0, "up: none of 1 series belongs to a workload that a policy"),
        ([{"namespace": "shop", "deployment": "web"}], 600.0, "up: all 1 values are too old: the newest is of 10m"),
        ([{"namespace": "shop", "pod": "web-5c7d-x2"}, {"job": "a"}], 0.0, ""),
    ],
)
def test_an_answer_of_no_use_is_a_hint(labels: list[dict[str, str]], age: float, said: str, laid: Path) -> None:
    with prometheus(0, vector(*labels, age=age)) as url:
        done = podium("doctor", "-o", "json", at=with_prometheus(laid, url))
    state, words = checks(done)["source prom"]
    assert (done.code, state) == (0, "hint" if said else "ok")
    assert words.startswith(f"{url} answers: 1 query, {len(labels)} series")
    assert said in words


@pytest.mark.prometheus
def test_a_real_prometheus_that_knows_itself_alone_is_of_no_use_yet(laid: Path, request: pytest.FixtureRequest) -> None:
    server = request.getfixturevalue("prometheus")
    deadline = time.monotonic() + 30
    with_prometheus(laid, server.url)
    while True:  # until its first scrape
        found = checks(podium("doctor", "-o", "json", at=laid))
        if "1 series" in found["source prom"][1] or time.monotonic() > deadline:
            break
    words = (
        f"{server.url} answers: 1 query, 1 series\nup: none of 1 series names a namespace and a pod or workload in its"
    )
    assert found["source prom"] == ("hint", f"{words} labels")
    assert "clock" not in found


def test_a_running_podium_says_which_of_its_sources_is_silent(tmp_path: Path) -> None:
    place = Installation.lay(tmp_path / "here", rising(60 * 10), speed=60)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    with_prometheus(place.folder, url)
    place.start()
    place.until_ready()
    done = podium("doctor", "-o", "json", at=place.folder)
    table = podium("doctor", at=place.folder)
    assert place.stop() == 0
    found = checks(done)
    state, words = found["its source prom"]
    assert (done.code, state, words.startswith("silent: "), url in words) == (1, "wrong", True, True)
    assert found["podium"][1].startswith("turn ")
    assert found["address"][1].startswith("Podium runs at http://127.0.0.1:")
    assert "its source prom" in table.out


def on_kubernetes(folder: Path, kubeconfig: Path) -> Path:
    """The same installation, told to scale a real cluster."""
    settings = folder / "podium.yaml"
    lines = [
        f"  - {{name: local, kind: kubernetes, kubeconfig: {kubeconfig}}}" if "name: local," in line else line
        for line in settings.read_text().splitlines()
    ]
    settings.write_text("\n".join(lines) + "\n")
    return folder


def test_a_broken_kubeconfig_is_named_with_its_line(laid: Path) -> None:
    (laid / "kubeconfig").write_text("apiVersion: v1\nkind: Config\ncurrent-context: prod\n")
    done = podium("doctor", "-o", "json", at=on_kubernetes(laid, laid / "kubeconfig"))
    state, words = checks(done)["cluster local"]
    assert (done.code, state, str(laid / "kubeconfig") in words, "prod" in words) == (1, "wrong", True, True)


@pytest.mark.cluster
def test_missing_rights_in_a_real_cluster_are_named_one_by_one(
    laid: Path, control_plane: ControlPlane, namespace: str
) -> None:
    control_plane.kubectl("create", "serviceaccount", "podium", "-n", namespace)
    rights = ("create", "role", "podium", "-n", namespace, "--resource=deployments.apps", "--verb=get,list,patch")
    control_plane.kubectl(*rights)
    control_plane.kubectl(
        "create", "rolebinding", "podium", "-n", namespace, "--role=podium", f"--serviceaccount={namespace}:podium"
    )
    token = control_plane.kubectl("create", "token", "podium", "-n", namespace).strip()
    mine = json.loads(control_plane.kubeconfig.read_text())
    mine["users"][0]["user"] = {"token": token}
    (laid / "kubeconfig").write_text(json.dumps(mine))
    policies = laid / "policies" / "shop.yaml"
    policies.write_text(policies.read_text().replace("namespace: shop", f"namespace: {namespace}"))
    done = podium("doctor", "-o", "json", at=on_kubernetes(laid, laid / "kubeconfig"))
    rows: list[dict[str, Any]] = [row for row in done.answer["checks"] if row["what"] == "cluster local"]
    assert done.code == 1
    assert rows[0]["state"] == "ok"
    assert sorted(row["words"].split(": ", 1)[1] for row in rows[1:]) == [
        f"the right to get deployments/scale.apps in namespace {namespace} is missing",
        f"the right to list pods in namespace {namespace} is missing",
        f"the right to list pods.metrics.k8s.io in namespace {namespace} is missing",
        f"the right to update deployments/scale.apps in namespace {namespace} is missing",
        f"the right to watch deployments.apps in namespace {namespace} is missing",
        f"the right to watch pods in namespace {namespace} is missing",
    ]


@contextlib.contextmanager
def prometheus(ahead_seconds: int, body: bytes | None = None) -> Iterator[str]:
    """A server with Prometheus' answer to an instant query, and a clock of its own."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            sample = {"metric": {"namespace": "shop", "deployment": "web"}, "value": [time.time(), "1"]}  # noqa: TID251
            data = {"resultType": "vector", "result": [sample]}
            self.answer(json.dumps({"status": "success", "data": data}).encode() if body is None else body)

        def do_HEAD(self) -> None:
            self.answer(b"")

        def answer(self, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def date_time_string(self, timestamp: float | None = None) -> str:
            del timestamp
            return email.utils.formatdate(time.time() + ahead_seconds, usegmt=True)  # noqa: TID251

        def log_message(self, *words: object) -> None:
            del words

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            serving.join()


def test_a_source_that_waits_to_be_told_is_said_to_wait(laid: Path) -> None:
    settings = laid / "podium.yaml"
    settings.write_text(settings.read_text().replace("sources:\n", "sources:\n  - {name: told, kind: push}\n"))
    unread = checks(podium("doctor", "-o", "json", at=laid))["source told"]
    signal = SIGNAL.replace("prometheus: {query: up}", "push: {metric: up}")
    (laid / "policies" / "outside.yaml").write_text(signal)
    read = checks(podium("doctor", "-o", "json", at=laid))["source told"]
    words = "waits at /ingest for senders with Podium's token"
    assert (unread, read) == (("hint", f"{words}; no signal reads it"), ("ok", f"{words}: 1 query"))
