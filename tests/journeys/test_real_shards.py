"""Two processes, each with a shard of one cluster by a Lease; one dies, one is frozen past its lease."""

from __future__ import annotations

import contextlib
import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.journeys.deployments import Deployments
from tests.journeys.installation import Installation
from tests.journeys.loads import LoadServer, serving, steady

from podium.loop.shards import shard_of
from podium.model.identity import WorkloadKey
from testbed.control_plane import ControlPlane

pytestmark = [pytest.mark.cluster, pytest.mark.slow]

NAMES = [f"web-{number}" for number in range(6)]


@pytest.fixture
def deployments(control_plane: ControlPlane, namespace: str) -> Deployments:
    made = Deployments(control_plane, namespace)
    made.make(dict.fromkeys(NAMES, 2))
    return made


@pytest.fixture
def loads(namespace: str) -> Iterator[LoadServer]:
    with serving(namespace, steady(dict.fromkeys(NAMES, 20.0))) as server:
        yield server


@pytest.fixture
def start(deployments: Deployments, loads: LoadServer, tmp_path: Path) -> Iterator[Callable[[str], Installation]]:
    """Starts one process of the installation, under a name of its own."""
    place = deployments.installation(tmp_path / "here", loads.url, loop="interval: 1s, lease: 10s")
    database = f"database.url=sqlite:///{place.folder}/podium-{{shard}}.db"
    shares = ["part.shards=2", "part.by=workload", f"part.leases={deployments.namespace}", database]
    with contextlib.ExitStack() as stack:

        def started(name: str) -> Installation:
            one = stack.enter_context(place.twin())
            one.name = name
            one.start(*(argument for setting in shares for argument in ("--set", setting)))
            return one

        yield started


def of_shard(namespace: str, shard: int) -> list[str]:
    keys = [WorkloadKey("local", namespace, "deployment", "apps", name) for name in NAMES]
    return sorted(f"deployment.apps/{key.name}" for key in keys if shard_of(key, 2, "workload") == shard)


def scaled(place: Installation) -> list[str]:
    """What a process scaled, without cluster and namespace."""
    return sorted({line["workload"].split("/", 2)[2] for line in place.said("scaled")})


def led(place: Installation) -> int:
    return int(place.until_said("leads a shard")["shard"])


def test_each_workload_has_one_leader_and_a_dead_ones_are_taken_over(
    start: Callable[[str], Installation], deployments: Deployments, loads: LoadServer
) -> None:
    first, second = start("first"), start("second")
    shards = {led(first), led(second)}
    loads.loads = steady(dict.fromkeys(NAMES, 50.0))
    deployments.until(lambda seen: all(one == (5, 5) for one in seen.values()))
    assert shards == {0, 1}
    for place in (first, second):
        assert scaled(place) == of_shard(deployments.namespace, led(place))
    third = start("third")
    third.until_said("waiting for a shard")
    begun = time.monotonic()
    second.kill()
    assert led(third) == led(second)
    print(f"a killed process's shard had a leader after {time.monotonic() - begun:.1f} s")  # noqa: T201  (with -s)
    loads.loads = steady(dict.fromkeys(NAMES, 70.0))
    deployments.until(lambda seen: all(one == (7, 7) for one in seen.values()))
    assert scaled(third) == of_shard(deployments.namespace, led(second))
    holders = json.loads(deployments.control_plane.kubectl("-n", deployments.namespace, "get", "leases", "-o", "json"))
    assert len({lease["spec"]["holderIdentity"] for lease in holders["items"]}) == 2


def test_one_that_is_frozen_past_its_lease_writes_nothing_afterwards_and_ends(
    start: Callable[[str], Installation], deployments: Deployments, loads: LoadServer
) -> None:
    first, second = start("first"), start("second")
    frozen = led(second)
    for place in (first, second):
        place.until_said("running")  # a process that is still starting may be too slow for a lease of seconds
    second.signal(signal.SIGSTOP)
    third = start("third")
    assert led(third) == frozen
    loads.loads = steady(dict.fromkeys(NAMES, 50.0))
    deployments.until(lambda seen: all(one == (5, 5) for one in seen.values()))
    loads.loads = steady(dict.fromkeys(NAMES, 80.0))
    second.signal(signal.SIGCONT)
    assert second.ended(30) == 3
    deployments.until(lambda seen: all(one == (8, 8) for one in seen.values()))
    assert scaled(second) == []
    assert "is lost" in second.log.read_text()
    assert [write for write in deployments.writes() if write.after < write.before] == []
