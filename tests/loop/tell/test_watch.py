from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.loop.scenes import FLEET, WEB, History

from podium.foresight.calibration import Changes
from podium.ledger.ledger import Ledger
from podium.loop.clusters.port import Observation
from podium.loop.decide.draft import ReasonLog
from podium.loop.decide.state import Trust
from podium.loop.observe import Sight
from podium.loop.tell.watch import Watch
from podium.model.decision import Reason
from podium.model.identity import WorkloadKey
from podium.model.snapshot import no_pods
from podium.signals.health import Counts, Health, State

ONE = np.ones(1, np.int64)
SILENT = Health(name="prom", state=State.SILENT, since=0.0, words="no answer from prom", counts=Counts())
SUSPECT = Trust(moved=True, moved_at=0.0, suspect_since=1.0, frozen_since=np.nan)
FROZEN = Trust(moved=True, moved_at=0.0, suspect_since=np.nan, frozen_since=1.0)


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    ledger = Ledger.open(f"sqlite:///{tmp_path}/podium.db", heads=tmp_path / "heads")
    yield History(ledger, ledger.lead("one", 60))
    ledger.close()


class Watched:
    """A loop whose turns are watched, under troubles of a test's choosing."""

    def __init__(self, history: History) -> None:
        self.history, self.watch = history, Watch()

    def turn(
        self,
        *health: Health,
        cluster: str = "",
        reasons: tuple[Reason, ...] = (),
        unread: dict[WorkloadKey, str] | None = None,
        unclaimed: dict[WorkloadKey, str] | None = None,
    ) -> list[tuple[str, str]]:
        turn = self.history.turn(300.0)
        log = ReasonLog()
        for code in reasons:
            log.add(np.ones(1, np.bool_), code, 3, 0.2, 0.05)
        decided = dataclasses.replace(turn.decisions, reasons=log.reasons())
        seen = Observation(ONE, ONE, ONE, ("1",), ONE, no_pods(), (), unread or {})
        sight = Sight(turn.snapshot, seen, health, {}, cluster)
        told = dataclasses.replace(turn, decisions=decided)
        events = self.watch.events(told, sight, unclaimed or {}, self.history.restored.memory, FLEET)
        return sorted((event.type, event.subject) for event in events)

    def trusting(self, **trust: Trust) -> None:
        memory = self.history.restored.memory
        memory.state = dataclasses.replace(memory.state, trust=trust)


def test_a_trouble_is_told_when_it_begins_and_when_it_ends_and_not_between(history: History) -> None:
    watched = Watched(history)
    told = [watched.turn(*health) for health in ((), (SILENT,), (SILENT,), (SILENT,), (), ())]
    assert told == [[], [("signal.lost.began", "prom")], [], [], [("signal.lost.ended", "prom")], []]


def test_a_cluster_that_is_out_of_reach_is_told(history: History) -> None:
    watched = Watched(history)
    assert watched.turn(cluster="connection refused") == [("cluster.lost.began", "local")]
    assert watched.turn() == [("cluster.lost.ended", "local")]


def test_a_workload_that_could_not_be_read_stays_so_while_nobody_can_look(history: History) -> None:
    watched = Watched(history)
    assert watched.turn(unread={WEB: "forbidden"}) == [("workload.unread.began", str(WEB))]
    assert watched.turn(cluster="connection refused") == [("cluster.lost.began", "local")]
    assert watched.turn() == [("cluster.lost.ended", "local"), ("workload.unread.ended", str(WEB))]


def test_a_claim_that_is_refused_is_told_until_it_succeeds(history: History) -> None:
    watched = Watched(history)
    told = [watched.turn(unclaimed=refused) for refused in ({WEB: "forbidden"}, {WEB: "forbidden"}, {})]
    assert told == [[("workload.unclaimed.began", str(WEB))], [], [("workload.unclaimed.ended", str(WEB))]]


def test_the_guard_is_told_once_while_it_holds(history: History) -> None:
    watched = Watched(history)
    told = [watched.turn(reasons=(Reason.REDUCTION_GUARD,)) for _ in range(2)]
    assert told == [[("reduction.frozen.began", "fleet")], []]


def test_a_dependency_that_fails_is_told_of_whoever_leans_on_it(history: History) -> None:
    watched = Watched(history)
    told = [watched.turn(reasons=reasons) for reasons in ((Reason.DEPENDENCY_FAILS,), (Reason.DEPENDENCY_RECOVERS,))]
    assert told == [[("dependency.failing.began", str(WEB))], [("dependency.failing.ended", str(WEB))]]


def test_distrust_is_told_with_the_source_it_falls_on(history: History) -> None:
    watched = Watched(history)
    turn = history.turn(300.0)
    sight = Sight(turn.snapshot, Observation(ONE, ONE, ONE, ("1",), ONE, no_pods(), (), {}), (), {}, "")
    watched.trusting(prom=SUSPECT, local=FROZEN)
    events = list(watched.watch.events(turn, sight, {}, history.restored.memory, FLEET))
    assert sorted((event.type, event.subject) for event in events) == [
        ("source.frozen.began", "local"),
        ("source.suspect.began", "prom"),
    ]
    assert all("nothing goes down on its word" in event.data["words"] for event in events)


def test_a_forecast_that_lost_its_trust_is_told_to_its_tenant(history: History) -> None:
    watched = Watched(history)
    turn = history.turn(300.0)
    memory = history.restored.memory
    memory.changes = Changes(np.array([0]), np.empty(0, np.int64))
    sight = Sight(turn.snapshot, Observation(ONE, ONE, ONE, ("1",), ONE, no_pods(), (), {}), (), {}, "")
    (event,) = watched.watch.events(turn, sight, {}, memory, FLEET)
    assert (event.type, event.subject, event.tenant) == ("forecast.demoted", str(WEB), "shop")
