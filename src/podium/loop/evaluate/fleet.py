"""Many HPAs laid side by side, a slot each: the `PolicyTable` and the `Snapshot` that the policies are asked with."""

from __future__ import annotations

import collections
import itertools
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.loop.decide.metrics import Quantities
from podium.loop.decide.table import Guards, MetricGroup, MetricKind, Mode, PolicyTable, RateRules, Reactive
from podium.loop.evaluate.admission import MAX_WINDOW
from podium.loop.evaluate.rows import Rows
from podium.loop.evaluate.rules import Direction, Ruled, Settings
from podium.model.arrays import UNKNOWN, Int64s
from podium.model.forecast import Forecast
from podium.model.snapshot import Level, Pods, Samples, Snapshot

_WIDE_OPEN = Guards(reduction_fraction=1.0)


def table(ruled: Sequence[Ruled], settings: Settings, open_slots: Sequence[bool]) -> PolicyTable:
    """The policies of n HPAs. A slot that is not open has limits and a behaviour, and no metric to follow."""
    size = len(ruled)
    return PolicyTable(
        digest="",
        mode=np.full(size, Mode.OWN, np.int8),
        minimum=np.array([one.spec.minimum for one in ruled], np.int64),
        maximum=np.array([one.spec.max_replicas for one in ruled], np.int64),
        pause_up=np.zeros(size, np.bool_),
        pause_down=np.zeros(size, np.bool_),
        metrics=_groups(ruled, open_slots),
        behaved=np.array([one.behaved for one in ruled], np.bool_),
        up=_rates([one.up for one in ruled]),
        down=_rates([one.down for one in ruled]),
        load=("",) * size,
        capacity=np.full(size, np.nan),
        level=np.full(size, np.nan),
        forecast=np.zeros(size, np.bool_),
        lead=np.full(size, np.nan),
        reactive=Reactive(
            tolerance=settings.tolerance,
            cpu_initialization_period=settings.initialization,
            initial_readiness_delay=settings.readiness,
            downscale_stabilization=settings.window,
            wraps=True,
            remembers=float(MAX_WINDOW),
        ),
        guards=_WIDE_OPEN,
    )


def _groups(ruled: Sequence[Ruled], open_slots: Sequence[bool]) -> tuple[MetricGroup, ...]:
    """One group per place in the HPA, calculation and array; in the order of the places, in which upstream asks."""
    rows: dict[tuple[int, MetricKind, str, bool], list[tuple[int, int]]] = collections.defaultdict(list)
    for slot, (one, is_open) in enumerate(zip(ruled, open_slots, strict=True)):
        for asked in one.asked if is_open else ():
            if asked.kind is None or asked.problem:
                rows[asked.position, MetricKind.VALUE, "", False].append((slot, 1))
                continue
            key = (asked.position, asked.kind, asked.signal, asked.metric.type == "Object")
            rows[key].append((slot, asked.target))
    return tuple(
        MetricGroup(
            kind,
            signal,
            np.array([slot for slot, _ in entries], np.int32),
            np.array([target for _, target in entries], np.int64),
            np.full(len(entries), position, np.int16),
            of_object,
        )
        for (position, kind, signal, of_object), entries in sorted(rows.items())
    )


def _rates(directions: Sequence[Direction]) -> RateRules:
    policies = [(slot, *policy) for slot, one in enumerate(directions) for policy in one.policies]
    slots, percent, value, period = zip(*policies, strict=True) if policies else ((), (), (), ())
    return RateRules(
        window=np.array([one.window for one in directions], np.float64),
        select=np.array([one.select for one in directions], np.int8),
        tolerance=np.array([one.tolerance for one in directions], np.float64),
        slots=np.array(slots, np.int32),
        percent=np.array(percent, np.bool_),
        value=np.array(value, np.int64),
        period=np.array(period, np.float64),
        longest=np.array([one.longest for one in directions], np.float64),
    )


def snapshot(now: float, rows: Sequence[Rows], replicas: Int64s, status_replicas: Int64s) -> Snapshot:
    """n HPAs' worlds at one moment."""
    unwritten = np.full(len(rows), UNKNOWN, np.int64)
    return Snapshot(
        now=now,
        sources=("world",),
        answered=np.ones(1, np.bool_),
        replicas=replicas,
        status_replicas=status_replicas,
        written=unwritten,
        written_from=unwritten,
        pods=pods(rows),
        signals=_levels(now, rows),
    )


def pods(rows: Sequence[Rows]) -> Pods:
    """All rows, end to end."""
    counts = [len(one) for one in rows]
    size = sum(counts)
    first = np.concatenate([[0], np.cumsum(counts)]).tolist()

    def laid(parts: Iterable[list[Any]], kind: type[Any]) -> NDArray[Any]:
        return np.fromiter(itertools.chain.from_iterable(parts), kind, size)

    return Pods(
        slot=np.repeat(np.arange(len(rows), dtype=np.int32), counts),
        phase=laid((one.phase for one in rows), np.int8),
        ready=laid((one.ready for one in rows), np.int8),
        deleting=laid((one.deleting for one in rows), np.bool_),
        start=laid((one.start for one in rows), np.float64),
        transition=laid((one.transition for one in rows), np.float64),
        requests={signal: _requests(rows, first, signal, size) for signal in _names(one.requests for one in rows)},
        samples={signal: _samples(rows, first, signal, size) for signal in _names(one.samples for one in rows)},
    )


def _names(parts: Iterable[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(itertools.chain.from_iterable(parts)))


def _requests(rows: Sequence[Rows], first: list[int], signal: str, size: int) -> Int64s:
    out = np.full(size, UNKNOWN, np.int64)
    places: list[int] = []
    values: list[int] = []
    for begin, one in zip(first[:-1], rows, strict=True):
        requests = one.requests.get(signal)
        if requests:
            places.extend(range(begin, begin + len(requests)))
            values.extend(requests)
    out[places] = np.array(values, np.int64)
    return out


def _samples(rows: Sequence[Rows], first: list[int], signal: str, size: int) -> Samples:
    milli = np.full(size, UNKNOWN, np.int64)
    at, window = np.full(size, np.nan), np.full(size, np.nan)
    places: list[int] = []
    samples: list[tuple[int, float, float]] = []
    for begin, one in zip(first[:-1], rows, strict=True):
        found = one.samples.get(signal)
        if found is not None and found[0]:
            places.extend([begin + row for row in found[0]])
            samples.extend(found[1])
    if samples:
        told, when, over = zip(*samples, strict=True)
        milli[places] = np.array(told, np.int64)
        at[places], window[places] = when, over
    return Samples(milli, at, window)


def _levels(now: float, rows: Sequence[Rows]) -> dict[str, Level]:
    size = len(rows)
    out: dict[str, Level] = {}
    for signal in _names(one.values for one in rows):
        there = np.array([signal in one.values for one in rows], np.bool_)
        milli = np.array([one.values.get(signal, 0) for one in rows], np.int64)
        out[signal] = Quantities(
            value=np.where(there, milli / 1000, np.nan),
            at=np.where(there, now, np.nan),
            source=np.zeros(size, np.int32),
            milli=milli,
        )
    return out


def nothing_ahead(size: int, now: float) -> Forecast:
    """No forecast for anybody."""
    return Forecast(
        at=now,
        levels=np.array([0.99]),
        ahead=np.array([60.0]),
        quantiles=np.full((1, 1, size), np.nan, np.float32),
        coverage=np.full(size, np.nan, np.float32),
        trusted=np.zeros(size, np.bool_),
    )
