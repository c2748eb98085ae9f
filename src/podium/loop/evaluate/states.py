"""States: what each metric proposes, before any limit. Many lines are asked at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from podium.loop.decide import metrics
from podium.loop.decide.draft import Turn
from podium.loop.decide.state import empty_state
from podium.loop.evaluate import fleet, labels, rows, troubles
from podium.loop.evaluate.admission import Admitted
from podium.loop.evaluate.cases import Line
from podium.loop.evaluate.rows import Rows, Scene
from podium.loop.evaluate.rules import Ruled, Settings, ruled

ZERO = 946_771_200.0  # 2000-01-02T00:00:00Z, the moment `"at": 0`


class Proposal(msgspec.Struct, omit_defaults=True, kw_only=True):
    """What one metric proposes: replicas, thousandths, per cent; or why it does not."""

    replicas: int
    usage: int
    utilization: int | None = None
    error: str = ""


@dataclasses.dataclass(frozen=True, slots=True)
class Asking:
    """One line that is to be answered."""

    line: Line
    ruled: Ruled
    scene: Scene
    rows: Rows
    problem: str = ""  # of the scale's selector: then no metric can be asked

    @property
    def replicas(self) -> int:
        """Of the scale."""
        return 1 if self.line.replicas is None else self.line.replicas

    @property
    def existing(self) -> int:
        """`status.replicas` of the scale."""
        return self.rows.existing if self.line.status_replicas is None else self.line.status_replicas


def scene_of(line: Line) -> Scene:
    """The world that a state's line writes out."""
    world = line.metrics
    return Scene(
        rows.DEFAULT_SELECTOR if line.selector is None else line.selector,
        line.pods or (),
        world.pods or (),
        world.custom or (),
        world.external or (),
    )


def asking(admitted: Admitted, settings: Settings) -> Asking:
    """One admitted line as rows. Raises ValueError that shows what cannot be read."""
    numbers, scene, problem = ruled(admitted.spec, settings), scene_of(admitted.line), ""
    try:
        labels.parse(scene.selector)
    except ValueError as error:
        problem, scene = str(error), dataclasses.replace(scene, selector=rows.DEFAULT_SELECTOR)
    seen = rows.seen(scene, numbers.asked, admitted.line.hpa.metadata.namespace)
    return Asking(admitted.line, numbers, scene, seen, problem)


def propose(asked: Sequence[Asking], settings: Settings) -> list[list[Proposal]]:
    """Every metric's proposal, per line, in the HPA's order."""
    table = fleet.table([one.ruled for one in asked], settings, [True] * len(asked))
    replicas = np.array([one.replicas for one in asked], np.int64)
    existing = np.array([one.existing for one in asked], np.int64)
    seen = fleet.snapshot(ZERO, [one.rows for one in asked], replicas, existing)
    size = len(asked)
    forecast, lead, state = fleet.nothing_ahead(size, ZERO), np.zeros(size), empty_state(size)
    turn = Turn(ZERO, table, seen, forecast, lead, state)
    out: list[list[Proposal]] = [[] for _ in asked]
    for group in table.metrics:
        answer = metrics.propose(turn, group)
        numbers: list[Any] = [
            group.slots,
            group.position,
            answer.replicas,
            answer.trouble,
            answer.usage,
            answer.percent,
        ]
        for slot, position, wanted, trouble, usage, percent in zip(*(one.tolist() for one in numbers), strict=True):
            one = asked[slot]
            metric = one.ruled.asked[position]
            if one.problem:
                out[slot].append(Proposal(replicas=0, usage=0, error=one.problem))
            elif trouble:
                words = troubles.told(metric, trouble, one.rows, one.scene, one.line.hpa.metadata.namespace)
                out[slot].append(Proposal(replicas=0, usage=0, error=words))
            else:
                out[slot].append(
                    Proposal(replicas=wanted, usage=usage, utilization=percent if metric.utilised else None)
                )
    return out
