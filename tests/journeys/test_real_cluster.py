"""The whole program on a real API server: pods start and go, the load moves, leaders change, rights are missing."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.journeys.deployments import Deployments
from tests.journeys.installation import Installation
from tests.journeys.loads import LoadServer, serving, steady

from podium import settings
from podium.loop.clusters.port import Cluster
from podium.loop.remember.restore import turns
from podium.model.command import Scale
from podium.wiring import authority, installation
from podium.wiring.outside import world
from podium.wiring.program import Program
from testbed.control_plane import ControlPlane

pytestmark = [pytest.mark.cluster, pytest.mark.slow]


@pytest.fixture
def deployments(control_plane: ControlPlane, namespace: str) -> Deployments:
    made = Deployments(control_plane, namespace)
    made.make({"web": 2, "cart": 2})
    return made


@pytest.fixture
def loads(namespace: str) -> Iterator[LoadServer]:
    with serving(namespace, steady({"web": 20.0, "cart": 20.0})) as server:
        yield server


@pytest.fixture
def place(deployments: Deployments, loads: LoadServer, tmp_path: Path) -> Iterator[Installation]:
    with deployments.installation(tmp_path / "here", loads.url) as laid:
        yield laid


@pytest.fixture
def twin(place: Installation) -> Iterator[Installation]:
    """A second process beside it."""
    with place.twin() as another:
        yield another


def web_of(place: Installation, deployments: Deployments, what: str = "") -> Any:
    return place.asked(f"/api/v1/workloads/local/{deployments.namespace}/deployment.apps/web{what}")


def test_replicas_follow_the_load_up_and_down_and_say_why(
    place: Installation, deployments: Deployments, loads: LoadServer
) -> None:
    place.start()
    place.until_ready()
    for replicas in (6, 9, 13):
        loads.loads = steady({"web": 10.0 * replicas, "cart": 20.0})
        deployments.until(lambda seen, replicas=replicas: seen["web"] == (replicas, replicas))
    loads.loads = steady({"web": 80.0, "cart": 20.0})  # a fall by half would be doubted
    deployments.until(lambda seen: seen == {"web": (8, 8), "cart": (2, 2)})
    fell = next(one for one in web_of(place, deployments, "/decisions")["items"] if one["changed"])
    told = web_of(place, deployments, f"/explain?at={fell['at']}")
    said = r"web goes from 13 to 8 replicas: load asks for 8: (79\.\d+|80) at 10 per replica\."  # it moves a little
    assert re.fullmatch(said, told["sentence"])
    assert place.stop() == 0
    assert (13, 8) in {(write.before, write.after) for write in deployments.writes()}


def test_verdicts_are_reached_and_teach_the_lead_time(
    deployments: Deployments, loads: LoadServer, tmp_path: Path
) -> None:
    deployments.make({"slow": 2}, ready_after="3s")
    path = f"/api/v1/workloads/local/{deployments.namespace}/deployment.apps/slow"
    with deployments.installation(tmp_path / "slow", loads.url) as place:
        place.start()
        place.until_ready()
        for replicas in (3, 4, 5):
            loads.loads = steady({"web": 20.0, "cart": 20.0, "slow": 10.0 * replicas})
            deployments.until(lambda seen, replicas=replicas: seen["slow"] == (replicas, replicas))
            time.sleep(2.5)  # two turns, so that its verdict is there before the next change supersedes it
        outcomes = [one["outcome"] for one in place.asked(f"{path}/decisions?limit=200")["items"] if one["changed"]]
        lead = place.asked(f"{path}/explain")["inputs"]["lead time"]
    assert [outcome[:13] for outcome in outcomes] == ["reached after"] * 3
    assert lead in {"3s", "4s", "5s", "6s"}  # whole turns; 120 s is what nobody has measured


def test_a_frozen_leader_writes_nothing_after_another_took_over(
    place: Installation, twin: Installation, deployments: Deployments, loads: LoadServer
) -> None:
    place.start()
    place.until_ready()
    place.signal(signal.SIGSTOP)
    twin.start()
    twin.until_ready()
    loads.loads = steady({"web": 50.0, "cart": 20.0})
    deployments.until(lambda seen: seen["web"] == (5, 5))
    place.signal(signal.SIGCONT)
    place.until_said("another leads")
    loads.loads = steady({"web": 80.0, "cart": 40.0})
    deployments.until(lambda seen: seen == {"web": (8, 8), "cart": (4, 4)})
    both_run = [one.process is not None and one.process.poll() is None for one in (place, twin)]
    scaled = [len(one.said("scaled")) for one in (place, twin)]
    ledger = place.ledger()
    numbers, findings = [turn.number for turn in turns(ledger)], ledger.verify().findings
    ledger.close()
    assert both_run == [True, True]
    assert scaled == [0, len(deployments.writes())]
    assert (numbers, findings) == (list(range(1, len(numbers) + 1)), ())


class Paused:
    """A real cluster whose first write stops right before it is sent, as a frozen process would."""

    def __init__(self, cluster: Cluster) -> None:
        self.name = cluster.name
        self.observe, self.claim, self.close = cluster.observe, cluster.claim, cluster.close
        self._scale = cluster.scale
        self.reached, self.released = asyncio.Event(), asyncio.Event()

    async def scale(self, command: Scale) -> str:
        self.reached.set()
        await self.released.wait()
        return await self._scale(command)


async def test_a_write_that_was_about_to_be_sent_when_another_took_over_is_refused_by_the_api_server(
    place: Installation, deployments: Deployments, loads: LoadServer
) -> None:
    loads.loads = steady({"web": 50.0, "cart": 20.0})
    async with contextlib.AsyncExitStack() as stack:
        loaded = settings.load({"config": str(place.folder / "podium.yaml")}, {}, place.folder)
        documents = authority.folder(loaded).load()
        outside = await stack.enter_async_context(world(loaded, documents, place.folder))
        ledger = stack.enter_context(contextlib.closing(installation.open_ledger(loaded)))
        paused = Paused(outside.cluster)
        program = Program(loaded, ledger, documents, dataclasses.replace(outside, cluster=paused))
        running = asyncio.create_task(program.run())
        await asyncio.wait_for(paused.reached.wait(), 30)
        place.start()
        await asyncio.to_thread(deployments.until, lambda seen: seen["web"] == (5, 5))
        paused.released.set()
        await asyncio.to_thread(deployments.until_answered, ("web", 409, 5))
        still_running = not running.done()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await running
    assert still_running
    assert deployments.answered() == [("web", 200, 5), ("web", 409, 5)]
