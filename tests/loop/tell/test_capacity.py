"""A running loop that was told no capacity: what it learns is in the row, in the decision's reasons, and acted on."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from tests.brief.stage import WEB, policy, signal, stage

from podium.loop.tell.selection import Selection

SWING = "sum by (namespace, deployment) (rate(requests[1m]))"
CPU = """\
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]
  load: {signal: load}
"""


@pytest.mark.timeout(120)
async def test_what_a_replica_serves_is_learned_from_its_cpu_and_told(tmp_path: Path) -> None:
    """A pod uses a hundredth of a core per request a second and requests one core: half of it is 50/s."""

    def load(now: float) -> float:
        return 400.0 * (1 + 0.4 * math.sin(now / 1800))

    documents = signal("load", SWING, "per_second") + policy(rest=CPU)
    async with stage(tmp_path, documents, replicas=8, load=lambda _, now: load(now), interval=30.0) as run:
        run.measured.of_workloads[SWING] = lambda: {"web": load(run.pace())}
        await run.minutes(4)
        (early,) = run.program.live.page(Selection()).items
        await run.minutes(200)
        (row,) = run.program.live.page(Selection()).items
        told = run.program.live.explain(str(WEB))
    assert early.learned is not None
    assert (early.capacity_per_replica, early.learned.words.split(",")[0]) == (
        None, "not known yet what a replica serves",
    )  # fmt: skip
    assert row.learned is not None
    assert (row.learned.basis, row.learned.estimate) == ("cpu", pytest.approx(50, rel=0.1))
    assert row.capacity_per_replica == pytest.approx(46, rel=0.15)
    assert row.use == pytest.approx(row.load / row.ready / row.capacity_per_replica)  # type: ignore[operator]
    assert told.inputs["capacity"] == row.learned.words
    assert any(reason.startswith("load asks for ") for reason in told.decision.reasons)
    assert row.troubles == ()
