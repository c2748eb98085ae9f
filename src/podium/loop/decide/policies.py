"""The policies, in the order in which they speak. The order is the behaviour."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from podium.loop.decide import (
    ahead,
    announced,
    capacity,
    conditions,
    dependencies,
    guard,
    horizontal,
    knative,
    latency,
    room,
    trust,
    zero,
)
from podium.loop.decide.draft import Draft, Policy, ReasonLog, Turn
from podium.loop.decide.state import State
from podium.loop.decide.table import Mode, PolicyTable
from podium.model.arrays import Float64s
from podium.model.decision import Decisions, Reason
from podium.model.forecast import Forecast
from podium.model.snapshot import Snapshot

ORDER: tuple[Policy, ...] = (
    horizontal.observed,  # start from what is there
    horizontal.within_bounds,  # outside its limits a workload returns to them at once
    horizontal.follow_metrics,  # the largest proposal of its metrics
    conditions.follow_limits_alone,  # without any, the minimum of its schedule and rules
    latency.keep_headroom,  # what the response time needs; it may only add
    capacity.tell_capacity,  # what a replica serves, where that was learned
    horizontal.stabilise,  # settle before following a change
    zero.rest,  # to zero while there is nothing to do, and back
    ahead.prepare_for_forecast,  # what the load ahead needs; it may only add
    announced.prepare_for_events,  # what an announced event needs; it may only add
    horizontal.limit_rate,  # no faster than allowed
    horizontal.within_limits,  # never outside minimum and maximum
    trust.distrust,  # nothing goes down on the word of a source that may be lying
    knative.prepare_for_surge,  # twice the load that serves is followed at once; it may only add
    dependencies.spare,  # nothing is added that presses a failing dependency harder
    room.within,  # nor more than quotas and nodes have room for, nor fewer than a disruption budget wants
    conditions.hold_unknown_rules,  # nor while a rule that could keep it up is unknown
    conditions.paused,  # nor in a direction that a document, a person or a rule paused
    guard.bound_reduction,  # nor too much of the fleet at once
)

# Knative's own autoscaler, for comparing: nothing of Podium's, no forecast, no distrust, no guard on the fleet.
KPA: tuple[Policy, ...] = (
    horizontal.observed,
    horizontal.within_bounds,
    knative.autoscale,
    horizontal.within_limits,
)


def decide(
    state: State,
    snapshot: Snapshot,
    forecast: Forecast,
    table: PolicyTable,
    lead: Float64s,
    *,
    order: Sequence[Policy] = ORDER,
) -> tuple[State, Decisions]:
    """One turn for the whole fleet. The same arguments give the same bits, on any machine.

    Fewer policies than ORDER answer for less: those before `trust.distrust` are Kubernetes' own HPA and a forecast.
    """
    turn = Turn(snapshot.now, table, snapshot, forecast, lead, state)
    seen = snapshot.replicas >= 0
    remembered = horizontal.remember_scaling(state, turn)
    draft = Draft(snapshot.replicas, seen, seen & False, remembered, ReasonLog())
    for policy in order:
        draft = policy(turn, draft)
    draft.reasons.add((table.mode == Mode.RECOMMEND) & (draft.wanted != snapshot.replicas), Reason.RECOMMEND_ONLY)
    after = dataclasses.replace(draft.state, at=snapshot.now, decided=draft.wanted)
    return after, Decisions(draft.wanted, draft.reasons.reasons())
