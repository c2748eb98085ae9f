"""Every query of the dashboard and every alert, asked of a real Prometheus that scrapes the running demo."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from tests.docs.pages import ROOT
from tests.servers.prometheus import HOW, Server, free_port
from tools import dashboard

pytestmark = [pytest.mark.prometheus, pytest.mark.slow, pytest.mark.timeout(300)]

CONFIGURATION = """
global: {{scrape_interval: 500ms, scrape_timeout: 500ms, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: podium
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""
FOR_GRAFANA = {"$__rate_interval": "5s", "$job": ".*", "$instance": ".*", "$tenant": ".*"}


@pytest.fixture(scope="module")
def scraping(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A Prometheus that has scraped some turns of the demo."""
    program = os.environ.get("PODIUM_PROMETHEUS_BIN") or shutil.which("prometheus")
    if program is None:
        pytest.skip(HOW)
    folder, port = tmp_path_factory.mktemp("scraping"), free_port()
    server = Server(program, folder)
    rules = ROOT / "deploy" / "monitoring" / "alerts.yaml"
    (folder / "prometheus.yml").write_text(CONFIGURATION.format(port=port, rules=rules))
    command = [sys.executable, "-m", "podium.cli.main", "run", "--demo", "--listen", f"127.0.0.1:{port}"]
    environment = os.environ | {"HOME": str(folder), "XDG_STATE_HOME": str(folder / "state")}
    with (folder / "podium.log").open("w") as log:
        podium = subprocess.Popen(command, cwd=folder, env=environment, stdout=log, stderr=log)
    try:
        server.start()
        _until_turns(port, 60)
        time.sleep(2)  # two scrapes of what these turns did
        yield server
    finally:
        podium.send_signal(signal.SIGINT)
        podium.wait(30)
        server.stop()


def _until_turns(port: int, count: int) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as answer:
                lines = answer.read().decode().splitlines()
        except (urllib.error.URLError, OSError):
            lines = []
        if any(line.startswith("podium_turns_total ") and float(line.split()[1]) >= count for line in lines):
            return
        time.sleep(0.2)
    raise AssertionError("the demo made no turns")


def asked(server: Server, path: str, **query: str) -> dict[str, Any]:
    address = f"{server.url}/api/v1/{path}?{urllib.parse.urlencode(query)}"
    try:
        with urllib.request.urlopen(address, timeout=5) as answer:
            return dict(json.load(answer))
    except urllib.error.HTTPError as error:
        return dict(json.load(error))


@pytest.mark.parametrize(("panel", "query"), [*dashboard.queries()])
def test_a_panel_s_query_is_answered(scraping: Server, panel: str, query: str) -> None:
    for variable, value in FOR_GRAFANA.items():
        query = query.replace(variable, value)
    answer = asked(scraping, "query", query=query)
    assert (answer["status"], bool(answer.get("data", {}).get("result"))) == ("success", True), (panel, answer)


@pytest.mark.parametrize("name", ["job", "instance", "tenant"])
def test_the_dashboard_s_variables_have_values(scraping: Server, name: str) -> None:
    assert asked(scraping, f"label/{name}/values", **{"match[]": "podium_workloads"})["data"]


def test_every_alert_is_evaluated_without_an_error_and_none_is_critical_in_a_healthy_demo(scraping: Server) -> None:
    rules = asked(scraping, "rules")["data"]["groups"][0]["rules"]
    assert {rule["health"] for rule in rules} == {"ok"}
    loud = [rule["name"] for rule in rules if rule["state"] != "inactive" and rule["labels"]["severity"] == "critical"]
    assert loud == []
