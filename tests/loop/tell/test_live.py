"""What a running loop shows: rows, columns and sums agree; memory and ledger tell the same; the HPA stands beside."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.brief.stage import WEB, Stage, stage

from podium.loop.remember import anew
from podium.loop.remember.restore import restore
from podium.loop.tell.live import Live
from podium.loop.tell.past import archive, charts
from podium.loop.tell.past.diary import Diary
from podium.loop.tell.selection import Selection
from podium.loop.tell.sheet import STATES
from podium.model import columns

QUERY = "sum by (namespace, deployment) (rate(http_requests_total[1m]))"
DOCUMENTS = f"""\
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {{name: requests, namespace: shop}}
spec: {{unit: per_second, prometheus: {{query: '{QUERY}'}}}}
---
apiVersion: podium.dev/v1alpha1
kind: ScalingPolicy
metadata: {{name: web, namespace: shop}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: web}}
  mode: own
  replicas: {{min: 1, max: 30}}
  load: {{signal: requests, capacityPerReplica: 10}}
"""


async def risen(run: Stage) -> Live:
    """A load of 35 that becomes 95 after four turns; twelve turns in all."""
    level = [35.0]
    run.measured.of_workloads[QUERY] = lambda: {"web": level[0]}
    await run.turns(4)
    level[0] = 95.0
    await run.turns(8)
    return run.program.live


@pytest.mark.timeout(120)
async def test_rows_columns_sums_and_tails_tell_the_same(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS, replicas=5) as run:
        live = await risen(run)
        fleet, sheet, (row,) = live.fleet(), live.sheet(), live.page(Selection()).items
        tail = live.tail(str(WEB), since=fleet.at - 15)
    assert (row.key, row.replicas, row.load, row.capacity_per_replica) == (str(WEB), 14, 95.0, 10.0)
    assert (sheet.replicas.tolist(), STATES[sheet.state[0]], sheet.use.round(2).tolist()) == ([14], row.state, [0.68])
    assert (fleet.total.workloads, fleet.total.replicas, fleet.total.states) == (1, 14, {row.state: 1})
    assert (fleet.tick, fleet.tenant_count, [one.tenant for one in fleet.tenants]) == (sheet.tick, 1, ["shop"])
    assert (tail.row, tail.series.at[-1], tail.series.replicas[-1]) == (row, fleet.at, 14)
    assert [one.at for one in tail.decisions] == [fleet.at, fleet.at - 15]


@pytest.mark.timeout(120)
async def test_the_hpa_beside_the_loop_is_told_in_rows_series_and_sums(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS, replicas=5) as run:
        live = await risen(run)
        row, series = live.workload(str(WEB)), live.series(str(WEB), 0.0, live.sheet().at, 100)
        total = live.fleet().total.shadow
    assert row.hpa == 14  # 95 at seven each
    assert (series.hpa[0], series.hpa[-1]) == (5, 14)
    assert row.shadow == series.shadow == total
    assert total is not None
    assert total.replica_hours.podium is not None
    assert total.replica_hours.hpa is not None
    assert 0 < total.replica_hours.podium < total.replica_hours.hpa
    assert total.cost is None  # nobody said what a replica costs


@pytest.mark.timeout(120)
async def test_decisions_are_the_same_from_memory_and_from_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage(tmp_path, DOCUMENTS, replicas=5) as run:
        live = await risen(run)
        for changed_only in (False, True):
            known = live.decisions(str(WEB), limit=100, changed_only=changed_only)
            with monkeypatch.context() as patch:
                forgetful = archive.Archive(live._ledger, live._library, Diary())
                patch.setattr(live, "_archive", forgetful)
                read = live.decisions(str(WEB), limit=100, changed_only=changed_only)
            assert known == read
            assert len(known.items) == (2 if changed_only else 12) or changed_only
            assert all(one.changed for one in known.items) or not changed_only


@pytest.mark.timeout(120)
async def test_a_restart_goes_on_with_the_comparison_and_the_charts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(charts, "RECALL_WORK_SECONDS", 60.0)
    async with stage(tmp_path, DOCUMENTS, replicas=5) as run:
        live = await risen(run)
        at, shadow = live.sheet().at, live._scene.turned.shadow  # type: ignore[union-attr]
        restored = restore(live._ledger, anew.new_memory())
        again = Live(live._ledger, live._scene.setting, run.pace)  # type: ignore[union-attr]
        again.recall(at)
        drawn, redrawn = (one._charts._recent.since(0, 0.0, at) for one in (live, again))
    assert {name: array.tolist() for name, array in columns.flatten(restored.memory.shadow.course.tally).items()} == {
        name: array.tolist() for name, array in columns.flatten(shadow.tally).items()
    }
    assert (redrawn[0].tolist(), redrawn[1]["load"].tolist()) == (drawn[0].tolist(), drawn[1]["load"].tolist())


async def test_before_the_first_turn_there_is_nobody_and_every_question_has_an_answer(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS) as run:
        live = run.program.live
        assert (live.fleet().total.workloads, live.tenants(), live.page(Selection(recent_seconds=60)).items) == (
            0,
            (),
            (),
        )
        for ask in (live.workload, lambda key: live.tail(key, 0.0), lambda key: live.series(key, 0.0, 1.0, 10)):
            with pytest.raises(KeyError):
                ask(str(WEB))
