"""What every policy is given, and the draft that each may bend."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from podium.loop.decide.limits import Bound, Bounds, in_force
from podium.loop.decide.state import State
from podium.loop.decide.table import PolicyTable
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s
from podium.model.decision import Reason, Reasons
from podium.model.forecast import Forecast
from podium.model.snapshot import Snapshot


@dataclasses.dataclass(frozen=True, slots=True)
class Turn:
    """The facts of one turn, for n slots. Nothing here changes while the policies speak."""

    now: float
    table: PolicyTable
    snapshot: Snapshot
    forecast: Forecast
    lead: Float64s  # [n] seconds from a decision to a ready pod
    before: State  # what the last turn left
    bounds: Bounds = dataclasses.field(init=False)  # the limits in force
    counted: dict[str, Int64s] = dataclasses.field(default_factory=dict, init=False)  # what several policies count

    def __post_init__(self) -> None:
        object.__setattr__(self, "bounds", in_force(self.table, self.snapshot))

    @property
    def current(self) -> Int64s:
        """Replicas now."""
        return self.snapshot.replicas


Number: TypeAlias = NDArray[np.floating[Any]] | Int64s | float


class ReasonLog:
    """Collects rows of reasons in the order they are given."""

    def __init__(self) -> None:
        self._rows: list[tuple[NDArray[Any], int, NDArray[Any], list[NDArray[Any]]]] = []

    def add(
        self,
        mask: Bools,
        code: Reason,
        a: Number = np.nan,
        b: Number = np.nan,
        c: Number = np.nan,
        metric: int | NDArray[np.int16] = UNKNOWN,
    ) -> None:
        """One reason for every marked slot; numbers are given per slot or once for all."""
        slots = np.flatnonzero(mask)
        if not len(slots):
            return
        size = mask.shape
        numbers = [np.broadcast_to(np.asarray(x, np.float64), size)[slots] for x in (a, b, c)]
        metrics = np.broadcast_to(np.asarray(metric, np.int16), size)[slots]
        self._rows.append((slots.astype(np.int32), int(code), metrics, numbers))

    def reasons(self) -> Reasons:
        """All rows, those of one slot in the order the policies spoke."""
        if not self._rows:
            return Reasons(
                np.empty(0, np.int32), np.empty(0, np.int16), np.empty(0, np.int16), *(np.empty(0) for _ in "abc")
            )
        slots, codes, metrics, numbers = zip(*self._rows, strict=True)
        code = np.repeat(np.array(codes, np.int16), [len(rows) for rows in slots])
        slot = np.concatenate(slots)
        order = np.argsort(slot, kind="stable")
        parts = (np.concatenate(part)[order] for part in zip(*numbers, strict=True))
        return Reasons(slot[order], code[order], np.concatenate(metrics)[order], *parts)


@dataclasses.dataclass(frozen=True, slots=True)
class Draft:
    """The numbers so far.

    `open` slots may still be bent; the others were settled (unseen, switched off, brought back inside their limits).
    `measured` slots have a proposal of their metrics; the others hold, and only a forecast may raise them.
    """

    wanted: Int64s  # [n]
    open: Bools  # [n]
    measured: Bools  # [n]
    state: State
    reasons: ReasonLog

    def bent(
        self,
        mask: Bools,
        wanted: Int64s,
        code: Reason,
        a: Number = np.nan,
        b: Number = np.nan,
        c: Number = np.nan,
    ) -> Draft:
        """With other numbers in the marked slots, for a reason."""
        self.reasons.add(mask, code, a, b, c)
        return dataclasses.replace(self, wanted=np.where(mask, wanted, self.wanted))

    def brought(self, mask: Bools, to: Int64s, bound: Bound, before: Int64s) -> Draft:
        """With the marked slots brought `to` a limit, each for the reason of whoever set that."""
        if not mask.any():
            return self
        for code in np.unique(bound.code[mask]).tolist():
            mine = mask & (bound.code == code)
            self.reasons.add(mine, Reason(code), before, to, bound.until, metric=bound.position)
        return dataclasses.replace(self, wanted=np.where(mask, to, self.wanted))

    def settled(self, mask: Bools) -> Draft:
        """With the marked slots closed: metrics, forecasts, windows and rates pass them by."""
        return dataclasses.replace(self, open=self.open & ~mask)


Policy: TypeAlias = Callable[[Turn, Draft], Draft]
