"""Fleets for tests of deciding: n workloads under load, turn after turn, whose decisions are carried out at once."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from podium.loop.decide import guard, policies, trust
from podium.loop.decide.draft import Policy
from podium.loop.decide.state import State, empty_state
from podium.loop.decide.table import Guards, MetricGroup, MetricKind, PolicyTable, RateRules, Reactive, Select
from podium.model import columns
from podium.model.arrays import UNKNOWN, Columns, Float64s, Int64s
from podium.model.decision import Decisions, Reason
from podium.model.forecast import Forecast
from podium.model.snapshot import Level, Phase, Pods, Ready, Samples, Snapshot

START = 1_000_000_000.0
CAPACITY = 10.0  # load per replica
PER_POD = 3  # pods that each workload shows, whatever its size: cpu here is a second opinion, not a head count
SOURCES = ("prom", "cluster")
PROM, CLUSTER = 0, 1

WIDE_OPEN = Guards(reduction_fraction=1.0)
SLOTWISE: tuple[Policy, ...] = tuple(
    one for one in policies.ORDER if one not in (trust.distrust, guard.bound_reduction)
)


def table(
    size: int,
    *,
    minimum: int = 1,
    maximum: int = 1000,
    behaved: bool = False,
    guards: Guards = WIDE_OPEN,
    cpu: bool = False,
    forecast: bool = False,
    pause: str = "none",
    up: RateRules | None = None,
    down: RateRules | None = None,
) -> PolicyTable:
    """Policies in mode own on the load `rps`, and on cpu (half of what is requested) if asked."""
    everyone = np.arange(size, dtype=np.int32)
    groups = [MetricGroup(MetricKind.LOAD, "rps", everyone, np.full(size, 10_000), np.ones(size, np.int16))]
    if cpu:
        groups.insert(
            0, MetricGroup(MetricKind.UTILISATION, "cpu", everyone, np.full(size, 50), np.zeros(size, np.int16))
        )
    return PolicyTable(
        digest="",
        mode=np.full(size, 3, np.int8),
        minimum=np.full(size, minimum, np.int64),
        maximum=np.full(size, maximum, np.int64),
        pause_up=np.full(size, pause in ("up", "both")),
        pause_down=np.full(size, pause in ("down", "both")),
        metrics=tuple(groups),
        behaved=np.full(size, behaved),
        up=up or rules(size, window=0, pods=4, percent=100),
        down=down or rules(size, window=300, percent=100),
        load=("rps",) * size,
        capacity=np.full(size, CAPACITY),
        level=np.full(size, 0.99),
        forecast=np.full(size, forecast),
        lead=np.full(size, np.nan),
        reactive=Reactive(),
        guards=guards,
    )


def rules(
    size: int, *, window: float, pods: int | None = None, percent: int | None = None, period: float = 15.0
) -> RateRules:
    """One direction, alike for every slot: the faster of so many pods and so many per cent in `period` seconds."""
    written = [(kind, value) for kind, value in ((False, pods), (True, percent)) if value is not None]
    return RateRules(
        window=np.full(size, float(window)),
        select=np.full(size, Select.MAX, np.int8),
        tolerance=np.full(size, 0.1),
        slots=np.repeat(np.arange(size, dtype=np.int32), len(written)),
        percent=np.tile(np.array([kind for kind, _ in written], np.bool_), size),
        value=np.tile(np.array([value for _, value in written], np.int64), size),
        period=np.full(size * len(written), period),
        longest=np.full(size, period),
    )


def values(size: int, value: float) -> Float64s:
    """The same for everybody."""
    return np.full(size, value)


def level(value: Float64s, at: float, source: int) -> Level:
    """A signal that one source measured of everybody, where it is known."""
    return Level(value, np.where(np.isnan(value), np.nan, at), np.full(len(value), source, np.int32))


def pods(usage: Float64s, at: float) -> Pods:
    """Old ready pods that request a core each and share a workload's usage (cores per pod; NaN: no sample)."""
    size = len(usage)
    slot = np.repeat(np.arange(size, dtype=np.int32), PER_POD)
    each = usage[slot]
    known = ~np.isnan(each)
    return Pods(
        slot=slot,
        phase=np.full(len(slot), Phase.RUNNING, np.int8),
        ready=np.full(len(slot), Ready.TRUE, np.int8),
        deleting=np.zeros(len(slot), np.bool_),
        start=np.full(len(slot), START - 7200),
        transition=np.full(len(slot), START - 7100),
        requests={"cpu": np.full(len(slot), 1000, np.int64)},
        samples={
            "cpu": Samples(
                np.where(known, np.ceil(np.where(known, each, 0) * 1000), UNKNOWN).astype(np.int64),
                np.where(known, at, np.nan),
                np.full(len(slot), 30.0),
            )
        },
    )


def expected(size: int, load: Float64s | float, at: float = START, *, trusted: bool = True) -> Forecast:
    """The same load at every step ahead."""
    flat = np.broadcast_to(np.asarray(load, np.float32), (size,))
    return Forecast(
        at=at,
        levels=np.array([0.5, 0.99]),
        ahead=np.array([60.0, 300.0]),
        quantiles=np.broadcast_to(flat, (2, 2, size)).astype(np.float32),
        coverage=np.full(size, 0.99, np.float32),
        trusted=np.full(size, trusted),
    )


class Conducted:
    """A fleet that does at once what is decided."""

    def __init__(self, rules: PolicyTable, replicas: Int64s | int, *, order: Sequence[Policy] = policies.ORDER) -> None:
        self.table = rules
        self.replicas = np.array(np.broadcast_to(replicas, (len(rules),)), np.int64)
        self.state: State = empty_state(len(rules))
        self.at = START - 15
        self.order = order
        self._written, self._from = self._nothing(), self._nothing()

    def _nothing(self) -> Int64s:
        return np.full(len(self.table), UNKNOWN, np.int64)

    def seen(self, load: Float64s | float | None, cpu: Float64s | float | None = None, **other: Level) -> Snapshot:
        """The next snapshot: the load from `prom`, cores per pod from the cluster, other signals as given."""
        size, now = len(self.table), self.at
        cores = values(size, np.nan) if cpu is None else np.broadcast_to(np.asarray(cpu, np.float64), (size,))
        signals: dict[str, Level] = dict(other)
        if load is not None:
            signals["rps"] = level(np.array(np.broadcast_to(np.asarray(load, np.float64), (size,))), now, PROM)
        if cpu is not None:
            signals["cpu"] = level(cores * PER_POD, now, CLUSTER)
        return Snapshot(
            now=now,
            sources=SOURCES,
            answered=np.array([load is not None, True]),
            replicas=self.replicas,
            status_replicas=self.replicas,
            written=self._written,
            written_from=self._from,
            pods=pods(cores, now),
            signals=signals,
        )

    def turn(
        self,
        load: Float64s | float | None,
        cpu: Float64s | float | None = None,
        *,
        after: float = 15,
        ahead: Float64s | float | None = None,
        **other: Level,
    ) -> Decisions:
        """One turn, `after` seconds from the last, carried out."""
        self.at += after
        forecast = expected(len(self.table), np.nan if ahead is None else ahead, self.at, trusted=ahead is not None)
        return self.decided(self.seen(load, cpu, **other), forecast)

    def decided(self, seen: Snapshot, forecast: Forecast) -> Decisions:
        """Decide on a snapshot and carry it out."""
        lead = values(len(self.table), 60.0)
        self.state, decisions = policies.decide(self.state, seen, forecast, self.table, lead, order=self.order)
        moved = (decisions.replicas != self.replicas) & (decisions.replicas != UNKNOWN)
        self._written = np.where(moved, decisions.replicas, UNKNOWN)
        self._from = np.where(moved, self.replicas, UNKNOWN)
        self.replicas = np.where(moved, decisions.replicas, self.replicas)
        return decisions

    def refused(self, slot: int, replicas: int) -> None:
        """The cluster refused the last write of this slot: it is as large as before."""
        self.replicas[slot] = replicas
        self._written[slot] = self._from[slot] = UNKNOWN

    def scaled_by_hand(self, replicas: Int64s | int) -> None:
        """Somebody else changes the sizes between two turns."""
        self.replicas = np.array(np.broadcast_to(replicas, (len(self.table),)), np.int64)


def reasons(decisions: Decisions, slot: int = 0) -> list[Reason]:
    """The codes of one slot, in order."""
    return [Reason(code) for code in decisions.reasons.code[decisions.reasons.slot == slot].tolist()]


def bits(value: object) -> dict[str, bytes]:
    """Every array inside a dataclass as bytes with its type, to compare to the last bit."""
    flat: Columns = columns.flatten(value)
    return {name: array.dtype.str.encode() + array.tobytes() for name, array in flat.items()}


def permuted(seen: Snapshot, order: NDArray[np.int64]) -> Snapshot:
    """The same fleet with slot order[i] in place i; pods keep their rows."""
    place = np.argsort(order)

    def moved(signal: Level) -> Level:
        return Level(signal.value[order], signal.at[order], signal.source[order])

    signals: Mapping[str, Level] = {name: moved(one) for name, one in seen.signals.items()}
    return dataclasses.replace(
        seen,
        replicas=seen.replicas[order],
        status_replicas=seen.status_replicas[order],
        written=seen.written[order],
        written_from=seen.written_from[order],
        pods=dataclasses.replace(seen.pods, slot=place[seen.pods.slot].astype(np.int32)),
        signals=dict(signals),
    )
