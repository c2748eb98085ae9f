"""Each example does what its README says. The first is `podium run --demo`, which tests/cli/test_run.py runs."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.cli.outside import podium
from tests.journeys.deployments import Deployments
from tests.journeys.installation import TOKEN, Installation, _simulated_writes
from tests.journeys.loads import serving
from tests.servers.prometheus import Server

from testbed.control_plane import ControlPlane

EXAMPLES = Path(__file__).resolve().parent.parent.parent / "examples"
FREE = ("--listen", "127.0.0.1:0", "--set", "api.token=file:token")
WEB = "/api/v1/workloads/local/shop/deployment.apps/web"

SCENARIO = """\
apiVersion: podium.dev/v1alpha1
kind: Scenario
metadata: {name: one}
spec: {start: "2026-03-02T06:00:00Z", workloads: [{namespace: shop, name: web, replicas: 3}]}
"""


def copied(name: str, to: Path) -> Installation:
    """The example as it lies, in a folder of its own, with a token that the test knows."""
    shutil.copytree(EXAMPLES / name, to)
    (to / "token").write_text(TOKEN)
    return Installation(to, f"sqlite:///{to}/podium.db", lambda: _simulated_writes(to))


def until_wanted(place: Installation, least: int, seconds: float = 60.0) -> Any:
    """The workload, as soon as so many replicas are wanted."""
    deadline = time.monotonic() + seconds
    while ((now := place.asked(WEB))["wanted"] or 0) < least:
        assert time.monotonic() < deadline, place.log.read_text()[-2000:]
        time.sleep(0.2)
    return now


@pytest.mark.slow
def test_your_own_load_is_met_ahead_of_its_morning(tmp_path: Path) -> None:
    place = copied("02-your-own-load", tmp_path / "here")
    # At a third of its pace: the quarter of an hour before the morning is time enough to learn on a busy machine.
    place.start(*FREE, "--set", "clusters[0].simulation.speed=20")
    try:
        place.until_ready()
        now = until_wanted(place, 8, seconds=120)
        assert place.stop() == 0
    finally:
        place.end()
    told = podium("explain", "web", "--config", place.folder / "podium.yaml", at=tmp_path)
    assert now["load"] < 60  # which three replicas serve
    assert now["trusted"]
    assert "the forecast raises it to" in told.out
    assert max(write.after for write in place.writes()) >= 8


def test_the_synthetic_load_is_what_its_program_writes() -> None:
    folder = EXAMPLES / "02-your-own-load"
    again = subprocess.run([sys.executable, folder / "make_load.py"], capture_output=True, text=True, check=True)
    assert again.stdout == (folder / "load.csv").read_text()


@pytest.mark.slow
def test_your_prometheus_is_asked_and_nothing_is_written(tmp_path: Path) -> None:
    """The everyday test: a small server that answers as Prometheus does, and a simulated cluster."""
    place = copied("03-prometheus", tmp_path / "here")
    (place.folder / "scenario.yaml").write_text(SCENARIO)
    with serving("shop", lambda at: {"web": 425.0 - at % 1}) as server:
        place.start(
            *FREE, "--set", "clusters[0].kind=simulated", "--set", "clusters[0].simulation.scenario=scenario.yaml",
            "--set", f"sources[0].url={server.url}",
        )  # fmt: skip
        try:
            place.until_ready()
            until_wanted(place, 5)
            assert place.stop() == 0
        finally:
            place.end()
    told = podium("explain", "web", "-o", "json", "--config", place.folder / "podium.yaml", at=tmp_path).answer
    assert (told["decision"]["wanted"], told["decision"]["outcome"]) == (5, "recommended")
    assert place.writes() == []


@pytest.fixture
def shop(control_plane: ControlPlane) -> Iterator[Deployments]:
    """The namespace and the Deployment that the example names."""
    # The example has its own namespace, which other tests use, too: wait until theirs is gone.
    control_plane.kubectl("delete", "namespace", "shop", "--ignore-not-found")
    control_plane.kubectl("create", "namespace", "shop")
    deployments = Deployments(control_plane, "shop")
    deployments.make({"web": 2})
    yield deployments
    control_plane.kubectl("delete", "namespace", "shop", "--wait=false")


@pytest.mark.cluster
@pytest.mark.prometheus
def test_a_real_prometheus_and_a_real_cluster_are_read_and_nothing_is_written(
    shop: Deployments, own_prometheus: Server, tmp_path: Path
) -> None:
    """Three hundred requests a second, counted up twice a second, need four replicas of eighty-five."""
    place, over = copied("03-prometheus", tmp_path / "here"), threading.Event()

    def count() -> None:
        begun = time.monotonic()
        while not over.wait(0.5):
            total = round(300 * (time.monotonic() - begun))
            own_prometheus.expose(f'http_requests_total{{namespace="shop",deployment="web"}} {total}')

    counting = threading.Thread(target=count)
    counting.start()
    try:
        own_prometheus.until("rate(http_requests_total[1m])", 1)
        place.start(
            *FREE, "--set", f"sources[0].url={own_prometheus.url}", "--set", "loop.interval=2s",
            "--set", f"clusters[0].kubeconfig={shop.control_plane.kubeconfig}",
        )  # fmt: skip
        place.until_ready()
        until_wanted(place, 4)
        assert place.stop() == 0
    finally:
        over.set()
        counting.join()
        place.end()
    told = podium("explain", "web", "-o", "json", "--config", place.folder / "podium.yaml", at=tmp_path).answer
    assert told["decision"]["outcome"] == "recommended"
    marks = shop.control_plane.kubectl(
        "-n", "shop", "get", "deployment", "web", "-o", "jsonpath={.metadata.annotations}"
    )
    assert (shop.writes(), shop.replicas()["web"][0], "podium.dev/epoch" in marks) == ([], 2, False)
