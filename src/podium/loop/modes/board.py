"""What Podium says to others' autoscalers: the replicas it wants, now. What it does not know it does not say.

An HPA takes the maximum of its metrics. One that is missing keeps it from scaling down and from nothing else: so a
Podium that is blind, late or gone must be missing, and neither zero nor what it once said.
"""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from podium.clients.kubernetes.selectors import Selector
from podium.loop.decide.table import Mode
from podium.model import clock
from podium.model.arrays import UNKNOWN
from podium.model.decision import Decisions, Reason
from podium.model.fleet import Fleet
from podium.model.identity import WorkloadKey

if TYPE_CHECKING:
    from podium.loop.cycle import Turned

METRIC = "podium-replicas"
BLIND = (Reason.NOT_OBSERVED, Reason.ALL_SIGNALS_MISSING, Reason.SCALED_TO_ZERO)
# With these the number is not lowered because something is unknown: a number that rises all the same is well founded.
HALF_BLIND = (
    Reason.SIGNAL_MISSING, Reason.LATENCY_UNKNOWN, Reason.RULE_UNKNOWN, Reason.SOURCE_SUSPECT, Reason.SOURCE_FROZEN,
)  # fmt: skip
_WORDS = {
    Reason.NOT_OBSERVED: "the cluster did not say how many replicas there are",
    Reason.ALL_SIGNALS_MISSING: "none of its signals is known",
    Reason.SCALED_TO_ZERO: "a person set it to zero replicas",
    Reason.SIGNAL_MISSING: "a signal is unknown",
    Reason.LATENCY_UNKNOWN: "its response time is unknown",
    Reason.RULE_UNKNOWN: "one of its rules cannot be answered",
    Reason.SOURCE_SUSPECT: "the source of its signals is suspect",
    Reason.SOURCE_FROZEN: "the source of its signals stands still",
}


class Absent(Exception):
    """Nothing can be said of the workload now. The message says why."""


class Unasked(Exception):
    """The question names no workload, or several, or one that is not in mode `metric`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Wanted:
    """What is said of one workload."""

    key: WorkloadKey
    replicas: int
    at: float  # when it was decided, Unix seconds of the wall clock

    @property
    def labels(self) -> dict[str, str]:
        """What a selector of the metric can name."""
        return labels(self.key)


def labels(key: WorkloadKey) -> dict[str, str]:
    """The labels of a workload's metric."""
    return {"workload": key.name, "kind": key.kind, "group": key.group, "cluster": key.cluster}


class Board:
    """The newest turn's word on every workload in mode `metric`, for as long as it is new."""

    def __init__(
        self,
        patience_seconds: float,
        *,
        monotonic: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = clock.wall_clock,
    ) -> None:
        """After `patience_seconds` without a turn nothing is said any more."""
        self._patience = patience_seconds
        self._monotonic = monotonic
        self._wall = wall
        self._wanted: Mapping[WorkloadKey, Wanted | str] = {}  # or why nothing can be said
        self._at = float("-inf")  # by the monotonic clock
        self._asked: dict[WorkloadKey, float] = {}
        self._news = asyncio.Event()
        self._since = monotonic()

    def put(self, turned: Turned, fleet: Fleet) -> None:
        """A turn has ended."""
        slots = np.flatnonzero(turned.table.mode == Mode.METRIC)
        self.say(said(turned.turn.decisions, turned.turn.snapshot.replicas, slots.tolist(), fleet, self._wall()))

    def say(self, wanted: Mapping[WorkloadKey, Wanted | str]) -> None:
        """From now on this is said: what is wanted of each workload, or why it is not known."""
        self._wanted, self._at = wanted, self._monotonic()
        self._news.set()
        self._news = asyncio.Event()

    def clear(self) -> None:
        """This process leads no more: what it said is nobody's word."""
        self._at = float("-inf")

    async def changed(self, seconds: float) -> None:
        """Wait for the next turn, at most so long."""
        try:
            await asyncio.wait_for(self._news.wait(), seconds)
        except TimeoutError:
            return

    def ask(self, namespace: str, selector: Selector) -> Wanted:
        """The one workload of a namespace that a selector names. Raises Absent, Unasked."""
        silent = self._monotonic() - self._at
        if silent > self._patience:
            since = "yet" if silent == float("inf") else f"for {silent:.0f} s"
            raise Absent(f"Podium has decided nothing {since}")
        found = [key for key in self._wanted if key.namespace == namespace and selector.matches(labels(key))]
        if len(found) != 1:
            raise Unasked(_unasked(namespace, found, self._wanted))
        self._asked[found[0]] = self._monotonic()
        wanted = self._wanted[found[0]]
        if isinstance(wanted, str):
            raise Absent(f"{found[0]}: {wanted}")
        return wanted

    def unread(self, key: WorkloadKey, seconds: float) -> bool:
        """Whether nobody has asked for a workload in so long, or since the start, so long ago."""
        return self._monotonic() - self._asked.get(key, self._since) > seconds


def said(
    decisions: Decisions, replicas: np.ndarray, slots: list[int], fleet: Fleet, at: float
) -> dict[WorkloadKey, Wanted | str]:
    """What can be said of these slots after a turn, at `at`. `replicas` [n] were there."""
    reasons = decisions.reasons
    told = np.isin(reasons.code, (*BLIND, *HALF_BLIND)) & np.isin(reasons.slot, slots)
    why: dict[int, Reason] = {}
    for slot, code in zip(reasons.slot[told].tolist(), reasons.code[told].tolist(), strict=True):
        if Reason(code) in BLIND or decisions.replicas[slot] <= replicas[slot]:
            why.setdefault(slot, Reason(code))
    out: dict[WorkloadKey, Wanted | str] = {}
    for slot in slots:
        key = fleet.slots[slot].key
        if key is None:
            continue
        if slot in why:
            out[key] = _WORDS[why[slot]]
        elif decisions.replicas[slot] == UNKNOWN:
            out[key] = _WORDS[Reason.NOT_OBSERVED]
        else:
            out[key] = Wanted(key, int(decisions.replicas[slot]), at)
    return out


def _unasked(namespace: str, found: list[WorkloadKey], known: Mapping[WorkloadKey, object]) -> str:
    if found:
        return (
            f"the selector names {len(found)} workloads ({', '.join(key.name for key in sorted(found))}), and their "
            "sum would be nobody's number: name one by its labels workload and kind"
        )
    there = ", ".join(sorted(key.name for key in known if key.namespace == namespace)) or "none"
    return f"no such workload in mode metric in namespace {namespace}; there: {there}"
