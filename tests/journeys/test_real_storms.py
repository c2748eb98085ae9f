"""Podium against a real API server that refuses in storms, breaks its watches off, loses its store, or is lied to."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.journeys.deployments import Deployments
from tests.journeys.installation import Installation
from tests.journeys.loads import LoadServer, serving, steady

from testbed.control_plane import ControlPlane
from testbed.proxy import Proxy

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

NAMES = ["web", "cart", "mail"]


@pytest.fixture
def deployments(control_plane: ControlPlane, namespace: str) -> Deployments:
    made = Deployments(control_plane, namespace)
    made.make(dict.fromkeys(NAMES, 4))
    return made


@pytest.fixture
def loads(namespace: str) -> Iterator[LoadServer]:
    with serving(namespace, steady(dict.fromkeys(NAMES, 40.0))) as server:
        yield server


@pytest.fixture
def proxy(control_plane: ControlPlane) -> Iterator[Proxy]:
    with Proxy(control_plane) as one:
        yield one


@pytest.fixture
def place(deployments: Deployments, loads: LoadServer, proxy: Proxy, tmp_path: Path) -> Iterator[Installation]:
    token = deployments.control_plane.token
    kubeconfig = deployments.kubeconfig(tmp_path / "kubeconfig", token=token, server=proxy.url)
    with deployments.installation(tmp_path / "here", loads.url, kubeconfig=kubeconfig) as one:
        one.start()
        one.until_ready()
        one.until_turn(3)
        yield one


def asks(loads: LoadServer, replicas: int) -> None:
    loads.loads = steady(dict.fromkeys(NAMES, 10.0 * replicas))


def until_all(deployments: Deployments, replicas: int, seconds: float = 60.0) -> None:
    deployments.until(lambda seen: set(seen.values()) == {(replicas, replicas)}, seconds)


def lowered(deployments: Deployments) -> list[object]:
    return [write for write in deployments.writes() if write.after < write.before]


@pytest.mark.parametrize("status", [409, 429])
def test_a_storm_of_refusals_is_waited_out_and_the_writes_come_after_it(
    place: Installation, deployments: Deployments, loads: LoadServer, proxy: Proxy, status: int
) -> None:
    proxy.storm(status)
    asks(loads, 6)
    first = place.asked("/api/v1/fleet")["tick"]
    place.until_turn(first + 4)
    during, turns = sum(path.endswith("/scale") for path in proxy.refused), place.asked("/api/v1/fleet")["tick"] - first
    assert deployments.replicas()["web"][0] == 4
    proxy.calm()
    begun = time.monotonic()
    until_all(deployments, 6)
    print(f"after a storm of {status}: {time.monotonic() - begun:.1f} s")  # noqa: T201  (with -s)
    assert 0 < during <= 3 * (turns + 2)  # one attempt of each in a turn, no hammering
    assert lowered(deployments) == []


def test_watches_that_break_off_again_and_again_lose_nothing(
    place: Installation, deployments: Deployments, loads: LoadServer, proxy: Proxy
) -> None:
    for replicas in (5, 6, 7):
        proxy.cut()
        asks(loads, replicas)
        until_all(deployments, replicas)
    assert lowered(deployments) == []


def test_a_server_that_answers_nobody_for_a_while_leaves_everything_as_it_is(
    place: Installation, deployments: Deployments, loads: LoadServer, proxy: Proxy
) -> None:
    proxy.storm(429, reads_too=True)
    proxy.cut()
    place.until_said("cluster.lost.began")
    (row, *_) = place.asked("/api/v1/workloads")["items"]
    proxy.calm()
    asks(loads, 6)
    begun = time.monotonic()
    until_all(deployments, 6)
    print(f"after ten seconds without any answer: {time.monotonic() - begun:.1f} s")  # noqa: T201  (with -s)
    assert row["replicas"] is None
    assert lowered(deployments) == []


def test_a_store_that_stands_still_is_a_gap_and_nothing_goes_down(
    place: Installation, deployments: Deployments, loads: LoadServer
) -> None:
    deployments.control_plane.freeze("etcd")
    with contextlib.ExitStack() as stack:
        stack.callback(deployments.control_plane.thaw, "etcd")
        place.until_said("cluster.lost.began")
        asks(loads, 7)
        time.sleep(5.0)
    begun = time.monotonic()
    until_all(deployments, 7, seconds=90)
    print(f"after a store that stood still: {time.monotonic() - begun:.1f} s")  # noqa: T201  (with -s)
    assert lowered(deployments) == []


def test_metrics_that_vanish_or_drop_to_nothing_lower_nothing(
    place: Installation, deployments: Deployments, loads: LoadServer
) -> None:
    asks(loads, 6)
    until_all(deployments, 6)
    loads.loads = lambda at: {}
    place.until_turn(place.asked("/api/v1/fleet")["tick"] + 8)
    loads.loads = lambda at: dict.fromkeys(NAMES, 0.0)
    place.until_turn(place.asked("/api/v1/fleet")["tick"] + 8)
    assert lowered(deployments) == []
    assert {replicas for replicas, _ in deployments.replicas().values()} == {6}
