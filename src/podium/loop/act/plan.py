"""The plan: what differs between what is wanted and what is, as commands. Pure; dry run is not handing it over."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from podium.loop.decide.table import Mode, PolicyTable
from podium.model.arrays import UNKNOWN
from podium.model.command import Scale
from podium.model.decision import Decisions
from podium.model.fleet import Fleet
from podium.model.snapshot import Snapshot


def plan(
    decisions: Decisions,
    snapshot: Snapshot,
    fleet: Fleet,
    table: PolicyTable,
    resource_versions: Sequence[str],
    epoch: int,
) -> tuple[Scale, ...]:
    """A command for every workload in mode `own` whose wanted replicas differ from the observed ones."""
    known = (decisions.replicas != UNKNOWN) & (snapshot.replicas != UNKNOWN)
    differs = known & (decisions.replicas != snapshot.replicas) & (table.mode == Mode.OWN)
    commands = []
    for slot in np.flatnonzero(differs).tolist():
        key = fleet.slots[slot].key
        if key is not None and resource_versions[slot]:
            commands.append(
                Scale(
                    slot=slot,
                    key=key,
                    current=int(snapshot.replicas[slot]),
                    replicas=int(decisions.replicas[slot]),
                    resource_version=resource_versions[slot],
                    epoch=epoch,
                )
            )
    return tuple(commands)
