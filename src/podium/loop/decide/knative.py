"""Knative's pod autoscaler (KPA): a stable and a panic window over arrays, and its panic in the order of policies.

Source: `pkg/autoscaler` of Knative serving 0.51 (`scaling/autoscaler.go`, `aggregation/bucketing.go`), by its own
constants. Averages, divisions and roundings are done in its order, so that its replicas come out to the last one;
`benchmarks/peers/kpa` drives upstream's code over the same timelines.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.ahead import loads
from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.metrics import INT32_MAX
from podium.loop.decide.state import Panic, Window, empty_window
from podium.loop.decide.trust import doubted
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s, count_by_slot
from podium.model.decision import Reason
from podium.model.snapshot import Phase, Ready

STABLE_SECONDS = 60
PANIC_SECONDS = 6  # 10 % of the stable window
PANIC_THRESHOLD = 2.0  # times what serves
MAX_UP_RATE = 1000.0
MAX_DOWN_RATE = 2.0
TARGET_UTILISATION = 0.7  # of what one replica serves
DIGITS = 6


def autoscale(turn: Turn, draft: Draft) -> Draft:
    """The whole of KPA for every slot with a load and a capacity; the load of a turn stands for the seconds before it.

    Where no load was recorded for a stable window there is no decision.
    """
    load = loads(turn.snapshot, turn.table)
    state, second = draft.state, int(np.floor(turn.now))
    panic = state.panic.of(len(turn.table))
    if not len(panic.stable.buckets):
        size = len(turn.table)
        panic = dataclasses.replace(
            panic, stable=empty_window(size, STABLE_SECONDS), brief=empty_window(size, PANIC_SECONDS)
        )
    before = second - 1 if np.isnan(turn.before.at) else int(np.floor(turn.before.at))
    stable, brief = panic.stable, panic.brief
    # More seconds than the window has would only push each other out of it.
    for moment in range(max(before, second - STABLE_SECONDS) + 1, second + 1):
        stable, brief = record(stable, moment, load), record(brief, moment, load)
    ready = serving(turn)
    decided = scale(
        dataclasses.replace(panic, stable=stable, brief=brief),
        turn.now,
        average(stable, second),
        average(brief, second),
        TARGET_UTILISATION * turn.table.capacity,
        ready,
    )
    known = draft.open & (ready != UNKNOWN) & has_data(stable, second) & ~np.isnan(turn.table.capacity)
    held = _where(known, decided.panic, dataclasses.replace(panic, stable=stable, brief=brief))
    wanted = np.where(known, np.maximum(decided.wanted, 1), draft.wanted)
    draft.reasons.add(known, Reason.SIGNAL_PROPOSES, wanted, load, TARGET_UTILISATION * turn.table.capacity)
    return dataclasses.replace(
        draft, wanted=wanted, measured=draft.measured | known, state=dataclasses.replace(state, panic=held)
    )


def prepare_for_surge(turn: Turn, draft: Draft) -> Draft:
    """The panic alone: under twice the load that what serves can take, grow at once as far as it needs.

    It may only add. No rate and no window holds it back, and for a stable window (60 s) after the surge nothing that it
    asked for is taken away. It follows no source that is doubted, and keeps to a pace that the policy's owner wrote.
    3 pods of capacity 85 under 600/s: 8 are needed, 8 / 3 is over 2, so 8 are wanted in this turn.
    """
    table, current = turn.table, turn.current
    load = loads(turn.snapshot, table, doubted(draft.state, turn.snapshot))
    ready = serving(turn)
    able = draft.open & ~table.behaved & ~np.isnan(load) & ~np.isnan(table.capacity) & (ready != UNKNOWN)
    needed = _ceil(np.where(able, load, 0.0) / np.where(able, table.capacity, 1.0))
    panic = draft.state.panic.of(len(table))
    over = able & (needed / np.maximum(ready, 1) >= PANIC_THRESHOLD)
    ended = ~over & (turn.now - panic.at > STABLE_SECONDS)
    at = np.where(over, turn.now, np.where(ended, np.nan, panic.at))
    panicking = ~np.isnan(at)
    if not panicking.any() and not ended.any():
        return dataclasses.replace(draft, state=dataclasses.replace(draft.state, panic=panic))
    most = np.where(panicking, np.maximum(np.where(over, needed, 0), np.where(ended, 0, panic.pods)), 0)
    state = dataclasses.replace(draft.state, panic=dataclasses.replace(panic, at=at, pods=most))
    draft = dataclasses.replace(draft, state=state)
    wanted = np.minimum(most, turn.bounds.maximum.value)
    raised = draft.open & over & (wanted > draft.wanted)
    draft = draft.bent(raised, wanted, Reason.PANIC_RAISES, wanted, load, np.maximum(ready, 0))
    # What it asked for and is there already stays: it adds no pod to what a person or a policy took away since.
    kept = np.minimum(wanted, current)
    keeps = draft.open & panicking & ~over & (kept > draft.wanted)
    return draft.bent(keeps, kept, Reason.PANIC_KEEPS, draft.wanted, kept, turn.now - at)


@dataclasses.dataclass(frozen=True, slots=True)
class Decided:
    """What KPA wants of n slots, and the panic that this leaves."""

    wanted: Int64s
    panic: Panic


def scale(panic: Panic, now: float, stable: Float64s, brief: Float64s, target: Float64s, ready: Int64s) -> Decided:
    """One decision: `stable` and `brief` [n] are the averages over the windows, `target` [n] is what one pod should do.

    A slot that is first seen with more than one ready pod begins in panic: its history is lost.
    """
    pods = np.maximum(ready, 1).astype(np.float64)
    fresh = ~panic.begun & (ready > 1)
    at = np.where(fresh, now, panic.at)
    most = np.where(fresh, ready, panic.pods)
    highest, lowest = np.ceil(MAX_UP_RATE * pods), np.floor(pods / MAX_DOWN_RATE)
    by_stable, by_panic = np.ceil(stable / target), np.ceil(brief / target)
    over = by_panic / pods >= PANIC_THRESHOLD
    at = np.where(over, now, np.where(now - at > STABLE_SECONDS, np.nan, at))
    panicking = ~np.isnan(at)
    wanted, wanted_brief = (_whole(np.clip(value, lowest, highest)) for value in (by_stable, by_panic))
    most = np.where(panicking, np.maximum(most, np.maximum(wanted, wanted_brief)), 0)
    left = dataclasses.replace(panic, at=at, pods=most, begun=np.ones_like(panic.begun))
    return Decided(np.where(panicking, most, wanted), left)


def record(window: Window, second: int, value: Float64s) -> Window:
    """With `value` [n] added to the bucket of `second`; NaN adds nothing. Seconds never go back."""
    width = len(window.buckets)
    given = ~np.isnan(value)
    buckets, total = window.buckets.copy(), window.total.copy()
    gap = np.where(window.last < 0, width, second - window.last)
    anew = given & (gap >= width)
    buckets[:, anew], total[anew] = 0.0, 0.0
    for back in range(min(int(gap[given & ~anew].max(initial=0)), width), 0, -1):
        # In upstream's order, from the oldest second on: the total is a running sum.
        stale = given & ~anew & (gap >= back)
        row = (second - back + 1) % width
        total[stale] -= buckets[row, stale]
        buckets[row, stale] = 0.0
    row = second % width
    buckets[row, given] += value[given]
    total[given] += value[given]
    return Window(
        buckets,
        total,
        first=np.where(anew, second, window.first),
        last=np.where(given, second, window.last),
    )


def average(window: Window, second: int) -> Float64s:
    """[n] the mean per second as of `second`, over the part of the window that is known; 0 without anything in it."""
    width = len(window.buckets)
    gap = second - window.last
    total = window.total.copy()
    partly = (window.last >= 0) & (gap > 0) & (gap < width)
    for ahead in range(1, min(int(gap[partly].max(initial=0)), width) + 1):
        old = np.flatnonzero(partly & (gap >= ahead))
        total[old] -= window.buckets[(window.last[old] + ahead) % width, old]
    known = np.minimum(window.last - window.first + 1, width - np.where(partly, gap, 0))
    mean = np.where((window.last >= 0) & (gap < width), total / np.maximum(known, 1), 0.0)
    scaled = mean * 10.0**DIGITS
    # Go rounds halves away from zero.
    return np.trunc(scaled + np.copysign(0.5, scaled)) / 10.0**DIGITS


def has_data(window: Window, second: int) -> Bools:
    """[n] whether anything was recorded within the window."""
    return (window.last >= 0) & (second - window.last <= len(window.buckets))


def serving(turn: Turn) -> Int64s:
    """[n] pods that serve; where no pod can be seen, the replicas asked for; UNKNOWN: not observed."""
    pods, size = turn.snapshot.pods, len(turn.table)
    if not len(pods):
        return turn.current
    if (known := turn.counted.get("serving")) is not None:
        return known
    counted = count_by_slot(
        (pods.phase == Phase.RUNNING) & (pods.ready == Ready.TRUE) & ~pods.deleting, pods.slot, size
    )
    seen = count_by_slot(pods.phase != Phase.GONE, pods.slot, size) > 0
    turn.counted["serving"] = np.where(seen & (turn.current != UNKNOWN), counted, turn.current)
    return turn.counted["serving"]


def _where(mask: Bools, new: Panic, old: Panic) -> Panic:
    return dataclasses.replace(
        new,
        at=np.where(mask, new.at, old.at),
        pods=np.where(mask, new.pods, old.pods),
        begun=np.where(mask, new.begun, old.begun),
    )


def _whole(value: Float64s) -> Int64s:
    return np.clip(np.nan_to_num(value), 0.0, INT32_MAX).astype(np.int64)


def _ceil(value: Float64s) -> Int64s:
    return _whole(np.ceil(value))
