"""What is pushed brings the next turn forward where it matters; neither the grid nor the ledger suffers from it."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import types
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.loop.scenes import FLEET, WEB, OneWorkload, empty_memory, policies
from tests.signals.push.senders import named, write_request

from podium.ledger.ledger import Ledger
from podium.loop.cycle import Assignment, Cycle, Turned
from podium.loop.drive import drive
from podium.loop.early import EARNED, MOST, Early, _reasons
from podium.loop.pace import WallPace, passed_by
from podium.loop.remember.replay import replay_all
from podium.loop.remember.restore import Restored
from podium.loop.tabulate import tabulate
from podium.model.snapshot import Level
from podium.signals.bound import BoundSignal
from podium.signals.observe import Observer
from podium.signals.push.question import question
from podium.signals.push.source import PushSource

INTERVAL = 1.0
LOAD = BoundSignal(
    namespace="shop", name="requests_per_second", source="pushed", query=question("load", {}, rate=False),
    unit="per_second", cluster="local",
)  # fmt: skip


class Waiting:
    """What of Live a drive needs."""

    def waiting(self, words: str, due: float = 0.0) -> None: ...


@dataclasses.dataclass
class Run:
    """A loop over one workload, on the machine's own clock."""

    source: PushSource
    cluster: OneWorkload
    cycle: Cycle
    early: Early | None
    pace: WallPace = dataclasses.field(default_factory=WallPace)
    turns: list[tuple[float, int]] = dataclasses.field(default_factory=list)  # moment, skipped before it
    woken: asyncio.Event = dataclasses.field(default_factory=asyncio.Event)

    def push(self, load: float) -> None:
        now = self.pace()
        body = write_request((named("load", deployment="web"), [(now, load)]))
        self.source.take(self.source.decoder.decode(body), now)

    def after(self, turned: Turned, skipped: int) -> None:
        self.turns.append((turned.turn.snapshot.now, skipped))
        self.woken.set()

    @property
    def forward(self) -> list[float]:
        """Moments off the grid."""
        return [at for at, _ in self.turns if abs(at - round(at)) > 1e-6]

    def grid(self) -> list[float]:
        """Moments on the grid, each of which was turned at or is counted as skipped: a loaded machine may skip one."""
        out = [at for at, _ in self.turns if at not in self.forward]
        skipped = sum(count for at, count in self.turns if out[0] < at <= out[-1])
        assert round(out[-1] - out[0]) == len(out) - 1 + skipped
        return out

    async def turned(self, count: int) -> None:
        async with asyncio.timeout(10):
            while len(self.turns) < count:
                self.woken.clear()
                await self.woken.wait()

    async def through(self, does: Callable[[Run], Awaitable[None]]) -> Run:
        driving = asyncio.create_task(
            drive(self.cycle, self.pace, INTERVAL, Waiting(), self.after, early=self.early)  # type: ignore[arg-type]
        )
        try:
            await does(self)
        finally:
            driving.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await driving
            await self.cycle.close()
        return self


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    yield ledger
    ledger.close()


@pytest.fixture
def run(ledger: Ledger) -> Run:
    return running(ledger)


def running(ledger: Ledger, *, early: bool = True, apart: float = 1.0) -> Run:
    source, cluster = PushSource("pushed"), OneWorkload(4)
    observer = Observer([source])
    cycle = Cycle(
        cluster, observer, ledger, ledger.lead("one", 3600.0), Restored(empty_memory()),
        default_lead_seconds=60.0, deadline_seconds=1.0,
    )  # fmt: skip
    cycle.assign(Assignment(policies(), FLEET, (LOAD,)))
    looking = Early(observer, {"pushed": source}, FLEET, apart_seconds=apart) if early else None
    if looking is not None:
        source.listen(looking.pushed)
    return Run(source, cluster, cycle, looking)


async def step(run: Run) -> None:
    """A load that four replicas serve, and right after a turn one that they do not."""
    run.push(300.0)
    await run.turned(2)
    run.push(301.0)
    await asyncio.sleep(0.2)
    assert run.forward == []
    run.push(850.0)
    await run.turned(3)


async def test_a_pushed_step_is_scaled_for_at_once_and_the_grid_goes_on(run: Run, ledger: Ledger) -> None:
    async def does(run: Run) -> None:
        await step(run)
        assert run.cluster.replicas >= 8
        await run.turned(5)

    await run.through(does)
    (forward,) = run.forward
    assert 0.2 <= forward % 1 <= 0.95
    assert len(run.grid()) == len(run.turns) - 1
    assert all(again.identical for again in replay_all(ledger, empty_memory()))


async def test_without_it_the_step_waits_for_the_grid(ledger: Ledger) -> None:
    run = await running(ledger, early=False).through(step)
    assert (run.forward, run.cluster.replicas >= 8) == ([], True)


async def test_a_storm_starves_no_moment_of_the_grid_and_stays_within_its_budget(ledger: Ledger) -> None:
    async def does(run: Run) -> None:
        for number in range(800):
            run.push(300.0 if number % 2 else 3000.0)
            await asyncio.sleep(0.005)

    run = await running(ledger, apart=0.05).through(does)
    grid = run.grid()
    assert len(grid) >= 4
    assert 1 <= len(run.forward) <= MOST + EARNED * len(grid)
    assert np.diff(run.forward).min() >= 0.045


async def test_two_are_a_second_apart(run: Run) -> None:
    async def does(run: Run) -> None:
        for number in range(300):
            run.push(300.0 if number % 2 else 3000.0)
            await asyncio.sleep(0.01)

    await run.through(does)
    assert 1 <= len(run.forward) <= 3
    assert all(apart >= 0.99 for apart in np.diff(run.forward))


async def test_a_sender_that_falls_silent_takes_no_replica_away(ledger: Ledger) -> None:
    source, cluster = PushSource("pushed"), OneWorkload(20)
    cycle = Cycle(
        cluster, Observer([source]), ledger, ledger.lead("one", 3600.0), Restored(empty_memory()),
        default_lead_seconds=60.0, deadline_seconds=1.0,
    )  # fmt: skip
    cycle.assign(Assignment(policies(), FLEET, (LOAD,)))
    start, known, replicas = 1_800_000_000.0, [], []
    for number in range(60):
        now = start + 15 * number
        if number < 4:
            body = write_request((named("load", deployment="web"), [(now, 1690.0)]))
            source.take(source.decoder.decode(body), now)
        turned = await cycle.turn(now)
        known.append(not np.isnan(turned.turn.snapshot.signals["requests_per_second"].value[0]))
        replicas.append(cluster.replicas)
    await cycle.close()
    assert known == [True] * 8 + [False] * 52
    assert replicas == sorted(replicas)


@pytest.mark.parametrize(
    ("seen", "value", "ready", "mode", "expected"),
    [
        (300.0, 340.0, 4, "own", True),  # moved by more than a tenth, though four serve it
        (335.0, 341.0, 4, "own", True),  # four no longer serve it
        (341.0, 350.0, 4, "own", False),  # nor did they before
        (330.0, 335.0, 4, "own", False),
        (300.0, 200.0, 4, "own", True),
        (np.nan, 300.0, 4, "own", False),  # known again: the grid is soon enough
        (np.nan, 900.0, 4, "own", True),
        (300.0, np.nan, 4, "own", False),
        (300.0, 900.0, 4, "recommend", False),
        (10.0, 10.5, -1, "own", False),
    ],
)
def test_what_matters(seen: float, value: float, ready: int, mode: str, expected: bool) -> None:
    level = Level(np.array([seen]), np.zeros(1), np.zeros(1, np.int32))
    snapshot = types.SimpleNamespace(signals={"requests_per_second": level})
    turn = types.SimpleNamespace(snapshot=snapshot, ready=np.array([ready]))
    table = tabulate(policies(f"  mode: {mode}\n"), FLEET)
    saw: Any = types.SimpleNamespace(table=table, turn=turn)
    assert FLEET.index[WEB] == 0
    assert _reasons(np.array([value]), "requests_per_second", saw).tolist() == [expected]


@pytest.mark.parametrize(
    ("last", "moment", "expected"),
    [
        (15, 30, 0),
        (15, 45, 1),
        (15, 22.5, 0),
        (22.5, 30, 0),
        (29.9, 45, 1),
        (15, 47, 2),
        (60, 15, 0),
        (float("nan"), 15, 0),
    ],
)
def test_moments_of_the_grid_passed_by_are_counted_from_anywhere(last: float, moment: float, expected: int) -> None:
    assert passed_by(last, moment, 15.0) == expected
