"""What a span says of a turn: numbers to search traces by."""

from __future__ import annotations

import collections

import numpy as np

from podium.loop.act.carry_out import Fate
from podium.loop.cycle import Turned
from podium.loop.tracing import Facts
from podium.model import clock
from podium.model.arrays import UNKNOWN


def of(turned: Turned, skipped: int) -> Facts:
    """Attributes of the span of a turn; `skipped` moments went by without one before it."""
    turn = turned.turn
    fates = collections.Counter(result.fate for result in turned.results)
    known = (turn.decisions.replicas != UNKNOWN) & (turn.snapshot.replicas != UNKNOWN)
    return {
        "podium.turn": turn.number,
        "podium.at": clock.rfc3339(turn.snapshot.now),
        "podium.skipped": skipped,
        "podium.workloads": int((turn.snapshot.replicas != UNKNOWN).sum()),
        "podium.changed": int(np.count_nonzero(known & (turn.decisions.replicas != turn.snapshot.replicas))),
        **{f"podium.commands.{fate}": fates[fate] for fate in Fate},
        "podium.verdicts": len(turned.verdicts),
        "podium.events": len(turned.events),
        "podium.sources.silent": sum(health.state != "ok" for health in turned.sight.health),
    }
