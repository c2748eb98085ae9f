"""What happened in a turn, as events: only what began or ended, so that a lasting trouble is said once."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType

import numpy as np

from podium.loop.decide.state import Trust
from podium.loop.modes.neighbours import Rival
from podium.loop.observe import Sight
from podium.loop.remember.memory import Memory
from podium.loop.remember.record import Turn
from podium.model import clock
from podium.model.decision import Reason
from podium.model.events import Event
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey, new_id

Condition = tuple[str, str]  # (what, of whom)
_NO_RIVALS: Mapping[tuple[Rival, WorkloadKey], str] = MappingProxyType({})
UNREAD = "workload.unread"  # told by the cluster alone: while it is silent, nobody knows whether that still holds


class Watch:
    """Remembers which conditions hold, and tells when one begins or ends."""

    def __init__(self) -> None:
        self._holding: set[Condition] = set()

    def events(
        self,
        turn: Turn,
        sight: Sight,
        unclaimed: Mapping[WorkloadKey, str],
        memory: Memory,
        fleet: Fleet,
        rivals: Mapping[tuple[Rival, WorkloadKey], str] = _NO_RIVALS,
    ) -> Iterator[Event]:
        """The events of one turn. `unclaimed` says of workloads why they could not be claimed.

        `rivals`: what is wrong around workloads, and why.
        """
        now_us = clock.microseconds(turn.snapshot.now)
        holding = dict(_conditions(turn, sight, unclaimed, memory.state.trust, fleet))
        holding |= {(str(what), str(key)): words for (what, key), words in rivals.items()}
        unseen = {one for one in self._holding if one[0] == UNREAD} if sight.cluster_trouble else set()
        for what, whom in sorted(holding.keys() - self._holding):
            yield _event(f"{what}.began", whom, now_us, {"words": holding[what, whom]})
        for what, whom in sorted(self._holding - holding.keys() - unseen):
            yield _event(f"{what}.ended", whom, now_us, {})
        self._holding = set(holding) | unseen
        for word, slots in (("demoted", memory.changes.demoted), ("promoted", memory.changes.promoted)):
            for slot in slots.tolist():
                owner = fleet.slots[slot]
                coverage = float(turn.forecast.coverage[slot])
                event = _event(f"forecast.{word}", str(owner.key), now_us, {"coverage": coverage})
                yield dataclasses.replace(event, tenant=owner.tenant)


def _conditions(
    turn: Turn, sight: Sight, unclaimed: Mapping[WorkloadKey, str], trust: Mapping[str, Trust], fleet: Fleet
) -> Iterator[tuple[Condition, str]]:
    for health in sight.health:
        if health.state != "ok":
            yield ("signal.lost", health.name), health.words
    if sight.cluster_trouble:
        yield ("cluster.lost", turn.snapshot.sources[-1]), sight.cluster_trouble
    for key, words in sight.observation.troubles.items():
        yield (UNREAD, str(key)), words
    for key, words in unclaimed.items():
        yield ("workload.unclaimed", str(key)), words
    for name, known in trust.items():
        if not math.isnan(known.suspect_since):
            yield ("source.suspect", name), "many of its values leapt together; nothing goes down on its word"
        if known.stands_still(turn.snapshot.now):
            yield ("source.frozen", name), "its values stand still; nothing goes down on its word"
    reasons = turn.decisions.reasons
    for row in np.flatnonzero(reasons.code == Reason.DEPENDENCY_FAILS).tolist():
        words = f"it is not scaled up: what it depends on stands at {reasons.b[row]:g} of {reasons.c[row]:g}"
        yield ("dependency.failing", str(fleet.slots[reasons.slot[row]].key)), words
    if (reasons.code == Reason.REDUCTION_GUARD).any():
        yield ("reduction.frozen", "fleet"), "the fleet's reduction guard holds further scale-downs"


def _event(what: str, subject: str, now_us: int, data: dict[str, object]) -> Event:
    return Event(id=new_id(now_us), at_us=now_us, type=what, subject=subject, data=data)
