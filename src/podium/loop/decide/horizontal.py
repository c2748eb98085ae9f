"""From proposals to a replica count as HPA v2 does it: bounds, the largest proposal, windows, rates, limits."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from podium.loop.decide import metrics, zero
from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.state import ScaleEvents, State
from podium.loop.decide.table import MetricGroup, MetricKind, PolicyTable, RateRules, Select
from podium.model.arrays import UNKNOWN, Bools, Float64s, Int64s
from podium.model.decision import Reason


def observed(turn: Turn, draft: Draft, *, returning: Bools | None = None) -> Draft:
    """Start from what is: a slot that was not observed, has no policy, or was scaled to zero by hand stays as it is.

    `returning` [n] marks slots at zero that are there by our own doing and may leave it: HPA's `ScaledToZero`. By
    default those are who rests there by its policy.
    """
    current = turn.current
    unseen = (current == UNKNOWN) | (turn.table.mode == UNKNOWN)
    # Upstream: spec.replicas 0 disables autoscaling, because a person set it.
    off = (current == 0) & ~unseen
    off &= ~(zero.may_rest(turn.table) if returning is None else returning)
    draft.reasons.add(~unseen, Reason.OBSERVED, current)
    draft.reasons.add(unseen & (turn.table.mode != UNKNOWN), Reason.NOT_OBSERVED)
    draft.reasons.add(off, Reason.SCALED_TO_ZERO)
    return dataclasses.replace(draft, wanted=current, open=~unseen & ~off, state=_seeded(turn, draft.state, ~unseen))


def _seeded(turn: Turn, state: State, seen: Bools) -> State:
    """The size at the first sync is the first recommendation: whoever is new here does not scale down at once."""
    fresh = seen & ~state.recommended.seeded
    if not fresh.any():
        return state
    return dataclasses.replace(
        state, recommended=state.recommended.stored(fresh, turn.current, turn.now, _longest_window(turn))
    )


def _longest_window(turn: Turn) -> float:
    """Of the whole fleet, in seconds: proposals older than this are seen by nobody."""
    reactive = turn.table.reactive
    plain = max(reactive.downscale_stabilization, reactive.remembers)
    return float(max(plain, turn.table.up.window.max(initial=0), turn.table.down.window.max(initial=0)))


def within_bounds(turn: Turn, draft: Draft) -> Draft:
    """Outside its limits a workload goes to the nearest one at once: no metric, window or rate is asked.

    A maximum that a rule gives waits for `within_limits`, where whoever measured what the rule reads may be doubted.
    """
    current, limits = turn.current, turn.bounds
    above = draft.open & (current > limits.ceiling)
    # From zero the metrics speak first: `within_limits` raises what they ask for to the minimum.
    below = draft.open & (current < limits.minimum.value) & (current > 0)
    draft = draft.brought(above, limits.ceiling, limits.maximum, current)
    draft = draft.brought(below, limits.minimum.value, limits.minimum, current)
    return draft.settled(above | below)


def follow_metrics(turn: Turn, draft: Draft) -> Draft:
    """The largest proposal of all metrics; while one is missing nothing goes down, with all missing nothing moves."""
    return follow(turn, draft, [metrics.propose(turn, group) for group in turn.table.metrics])


def follow(turn: Turn, draft: Draft, proposals: Sequence[metrics.Proposals]) -> Draft:
    """The same, of proposals that were asked for already: one for each group of the table, in its order."""
    size = len(turn.table)
    best, used, missing = (np.zeros(size, np.int64) for _ in range(3))
    for group, proposed in zip(turn.table.metrics, proposals, strict=True):
        _explain(turn, draft, group, proposed)
        so_far, slots = best[group.slots], group.slots
        # As upstream has it: whatever comes after a proposal of 0 replaces it, be it negative.
        taken = proposed.known & ((so_far == 0) | (proposed.replicas > so_far))
        best[slots] = np.where(taken, proposed.replicas, so_far)
        used[slots] += 1
        missing[slots] += ~proposed.known
    some = draft.open & (missing < used)
    blocked = some & (missing > 0) & (best < turn.current)
    draft.reasons.add(draft.open & ~some, Reason.ALL_SIGNALS_MISSING, used)
    wanted = np.where(some & ~blocked, np.maximum(best, 0), draft.wanted)
    return dataclasses.replace(draft, wanted=wanted, measured=some & ~blocked)


def _explain(turn: Turn, draft: Draft, group: MetricGroup, proposals: metrics.Proposals) -> None:
    def spread(values: NDArray[Any], unknown: float) -> Float64s:
        out = np.full(len(turn.table), unknown, np.float64)
        out[group.slots] = values
        return out

    replicas = spread(proposals.replicas, UNKNOWN)
    used, known = (np.zeros(len(turn.table), np.bool_) for _ in range(2))
    used[group.slots] = True
    used &= draft.open
    known[group.slots] = proposals.known
    known &= used
    position = spread(group.position, UNKNOWN).astype(np.int16)
    target = spread(group.targets / (1 if group.kind is MetricKind.UTILISATION else 1000), np.nan)
    draft.reasons.add(
        known, Reason.SIGNAL_PROPOSES, replicas, spread(proposals.measured, np.nan), target, metric=position
    )
    draft.reasons.add(used & ~known, Reason.SIGNAL_MISSING, metric=position)
    unready, missing = spread(proposals.unready, 0), spread(proposals.missing, 0)
    draft.reasons.add(known & (unready > 0), Reason.PODS_STARTING, unready, metric=position)
    draft.reasons.add(known & (missing > 0), Reason.PODS_UNMEASURED, missing, metric=position)


def stabilise(turn: Turn, draft: Draft) -> Draft:
    """Down only as far as the largest recent proposal, up only as far as the smallest (upstream's windows)."""
    table, now, before = turn.table, turn.now, draft.state.recommended
    # Without a `behavior` a recommendation exactly one window old still counts; with one it does not.
    plain_window = table.reactive.downscale_stabilization
    down_window = np.where(table.behaved, table.down.window, np.nextafter(plain_window, np.inf))
    up_window = np.where(table.behaved, table.up.window, 0.0)
    proposed, current = draft.wanted, turn.current
    highest = before.highest(now, down_window, proposed)
    lowest = before.lowest(now, up_window, proposed)
    behaved = np.minimum(np.maximum(current, lowest), highest)
    stable = np.where(table.behaved, behaved, highest)

    settling = draft.open & draft.measured
    after = before.stored(settling, proposed, now, _longest_window(turn))
    draft = dataclasses.replace(draft, state=dataclasses.replace(draft.state, recommended=after))
    window = np.where(table.behaved, table.down.window, plain_window)
    draft = draft.bent(settling & (stable > proposed), stable, Reason.STABILISED_DOWN, proposed, stable, window)
    return draft.bent(settling & (stable < proposed), stable, Reason.STABILISED_UP, proposed, stable, table.up.window)


def limit_rate(turn: Turn, draft: Draft) -> Draft:
    """No faster than the policies of each direction allow, counted from the start of each policy's period."""
    table, current, wanted = turn.table, turn.current, draft.wanted
    state = draft.state
    up = draft.open & (wanted > current)
    down = draft.open & (wanted < current)
    # Without a `behavior` upstream allows doubling, and at least four; down it allows everything.
    ceiling = _limit(turn, table.up, state, up & table.behaved, np.maximum(2 * current, 4), growing=True)
    floor = _limit(turn, table.down, state, down & table.behaved, wanted, growing=False)
    draft = draft.bent(up & (wanted > ceiling), ceiling, Reason.RATE_LIMITED_UP, wanted, ceiling)
    return draft.bent(down & (wanted < floor), floor, Reason.RATE_LIMITED_DOWN, wanted, floor)


def _limit(turn: Turn, rules: RateRules, state: State, asked: Bools, otherwise: Int64s, *, growing: bool) -> Int64s:
    """The farthest size that one direction's policies allow the asked slots, by the policy `selectPolicy` selects."""
    current = turn.current
    rules = _rows_of(rules, asked)
    raised, lowered = (
        events.within(turn.now, rules.slots, rules.period, len(current)) for events in (state.raised, state.lowered)
    )
    start = current[rules.slots] - raised + lowered
    sign = 1 if growing else -1
    # 100 + 10 % is ceil(100 * 1.1) = 111 in floating point, as upstream computes it; down is cut towards zero.
    percent = start * (1 + sign * rules.value / 100)
    by_percent = (np.ceil(percent) if growing else np.trunc(percent)).astype(np.int64)
    by_pods = start + sign * rules.value
    if turn.table.reactive.wraps:
        by_percent, by_pods = metrics.as_int32(by_percent), metrics.turned_over(by_pods)
    proposed = np.where(rules.percent, by_percent, by_pods)
    highest, lowest = np.full(len(current), -(2**31)), np.full(len(current), 2**31 - 1)
    np.maximum.at(highest, rules.slots, proposed)
    np.minimum.at(lowest, rules.slots, proposed)
    farthest = np.where((rules.select == Select.MAX) == growing, highest, lowest)
    onwards = np.maximum(farthest, current) if growing else np.minimum(farthest, current)
    return np.where(asked, np.where(rules.select == Select.DISABLED, current, onwards), otherwise)


def _rows_of(rules: RateRules, asked: Bools) -> RateRules:
    """The policies of the asked slots alone: in most turns few move."""
    rows = np.flatnonzero(asked[rules.slots])
    return dataclasses.replace(
        rules,
        slots=rules.slots[rows],
        percent=rules.percent[rows],
        value=rules.value[rows],
        period=rules.period[rows],
    )


def within_limits(turn: Turn, draft: Draft) -> Draft:
    """Never under the minimum nor over the maximum."""
    limits, wanted = turn.bounds, draft.wanted
    high, low = limits.maximum, limits.minimum
    draft = draft.brought(draft.open & (wanted > high.value), high.value, high, wanted)
    wanted = draft.wanted
    # A workload that is to leave zero stays there while no metric speaks.
    speaks = draft.measured | (turn.current > 0)
    return draft.brought(draft.open & speaks & (wanted < low.value), low.value, low, wanted)


def remember_scaling(state: State, turn: Turn) -> State:
    """Store what our last turn's writes changed as scale events, at the time of that turn."""
    return scaled(state, turn.table, turn.snapshot.written, turn.snapshot.written_from)


def scaled(state: State, table: PolicyTable, written: Int64s, before: Int64s) -> State:
    """With scale events at the time of `state`: [n] `written` replaced `before`; UNKNOWN where nothing was written."""
    if not (written != UNKNOWN).any() or np.isnan(state.at):
        return state
    done = (written != UNKNOWN) & table.behaved
    return dataclasses.replace(
        state,
        raised=_with_event(state.raised, done & (written > before), written - before, state.at, table.up),
        lowered=_with_event(state.lowered, done & (written < before), before - written, state.at, table.down),
    )


def _with_event(events: ScaleEvents, slots: Bools, change: Int64s, at: float, rules: RateRules) -> ScaleEvents:
    return events.stored(slots, change, at, rules.longest) if slots.any() else events
