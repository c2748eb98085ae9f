"""Small recorded histories: a policy, a fleet of one, and turns as the loop records them."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
from tests.documents.samples import policy

from podium.foresight import installed
from podium.foresight.calibration import Calibration
from podium.foresight.outlook import Outlook
from podium.ledger.entry import Draft
from podium.ledger.lease import Leadership
from podium.ledger.ledger import Ledger
from podium.loop.act.carry_out import Fate, Result
from podium.loop.clusters.port import Observation
from podium.loop.policy import ScalingPolicy
from podium.loop.remember import record
from podium.loop.remember.memory import Memory
from podium.loop.remember.record import Turn
from podium.loop.remember.restore import Restored
from podium.loop.tabulate import Policies, tabulate
from podium.model.arrays import UNKNOWN
from podium.model.command import Scale
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey
from podium.model.snapshot import Level, Snapshot, no_pods

START = 1_800_000_000.0
WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")
FLEET = Fleet().revised({WEB: "shop"})


def policies(spec: str = "  mode: own\n") -> Policies:
    """One policy: 85 requests per second per replica, 2 to 60 replicas."""
    document = policy(spec)
    assert isinstance(document, ScalingPolicy)
    return Policies({WEB: document})


def empty_memory() -> Memory:
    """Nothing learned."""
    return Memory.empty(Outlook(installed.load("last-value")(60.0, 0), Calibration(), 0))


def seen(at: float, replicas: int, load: float) -> Snapshot:
    """One workload under a load."""
    nothing = np.full(1, UNKNOWN, np.int64)
    count = np.array([replicas], np.int64)
    level = Level(np.array([load]), np.array([at]), np.zeros(1, np.int32))
    return Snapshot(
        at,
        ("prom", "local"),
        np.ones(2, np.bool_),
        count,
        count,
        nothing,
        nothing,
        no_pods(),
        {"requests_per_second": level},
    )


class History:
    """A loop that writes its turns into a ledger, as `loop.cycle` does, on a cluster that does what it is told."""

    def __init__(self, ledger: Ledger, leadership: Leadership) -> None:
        self.ledger, self.leadership = ledger, leadership
        self.policies = policies()
        self.table = tabulate(self.policies, FLEET)
        self.restored = Restored(empty_memory())
        self.restored.memory.adopt(FLEET)
        self.replicas, self.at = 2, START
        self._append([record.draft_fleet(FLEET, START), record.draft_policies(self.policies, self.table.digest, START)])

    def turn(self, load: float, *, dies: bool = False, checkpoint: bool = False) -> Turn:
        """One turn. `dies`: the process ends after its write and before the results are recorded."""
        self.at += 15
        memory, restored = self.restored.memory, self.restored
        snapshot = seen(self.at, self.replicas, load)
        written, before = restored.written(FLEET, snapshot.replicas)
        snapshot = dataclasses.replace(snapshot, written=written, written_from=before)
        lead = memory.lead(self.table, 60.0)
        memory.learn(snapshot, self.table, lead)
        forecast = memory.forecast(self.at)
        decisions = memory.decide(snapshot, forecast, self.table, lead)
        ready = np.array([self.replicas], np.int64)
        memory.shadow.follow(snapshot, ready, forecast, self.table, lead)
        wanted = int(decisions.replicas[0])
        commands = [self.command(wanted)] if wanted != self.replicas else []
        turn = Turn(
            number=restored.number + 1,
            fleet=FLEET.digest,
            policies=self.table.digest,
            snapshot=snapshot,
            forecast=forecast,
            lead=lead,
            ready=ready,
            decisions=decisions,
            planned=record.planned(commands, 1),
            state=memory.digest(),
        )
        restored.number, restored.last, restored.results = turn.number, turn, None
        drafts = [record.draft_turn(turn)]
        if checkpoint:
            pending = tuple(restored.expectations.values())
            kept = record.Checkpoint(turn.number, turn.fleet, pending, memory.checkpoint())
            drafts.append(record.draft_checkpoint(kept, self.at))
        self._append(drafts)
        self.replicas = wanted
        if not dies:
            results = [Result(command, Fate.WRITTEN) for command in commands]
            restored.expect(results)
            if results:
                self._append([record.draft_results(turn.number, results, self.at)])
        return turn

    def command(self, wanted: int) -> Scale:
        """Set the workload's size."""
        return Scale(slot=0, key=WEB, current=self.replicas, replicas=wanted, resource_version="1", epoch=1)

    def _append(self, drafts: Sequence[Draft]) -> None:
        self.ledger.append(drafts, self.leadership)


class OneWorkload:
    """A cluster of one workload, which at once has as many replicas as it was told."""

    name = "local"

    def __init__(self, replicas: int) -> None:
        self.replicas = replicas

    async def observe(self, fleet: Fleet) -> Observation:
        here = np.array([self.replicas], np.int64)
        return Observation(here, here, here, ("1",), np.ones(1, np.int64), no_pods(), (), {})

    async def claim(self, keys: Sequence[WorkloadKey], epoch: int) -> None: ...

    async def scale(self, command: Scale) -> str:
        self.replicas = command.replicas
        return "1"

    async def close(self) -> None: ...
