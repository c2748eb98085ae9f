"""Replicas that are all alike: those that serve share the load, the others are Pending. Counted, not listed.

The calculation is the HPA's own (`loop.decide.metrics.from_tally`); a test compares with every pod listed one by one.
Demand is not capped: two pods under a load of five replicas use 250 % of what they request.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide import horizontal, knative
from podium.loop.decide.ahead import loads
from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.metrics import Tally, Trouble, from_tally
from podium.loop.decide.table import MetricGroup
from podium.loop.simulate import CPU, REPLICA
from podium.model.arrays import Int64s


def follow_alike(turn: Turn, draft: Draft, ready: Int64s) -> Draft:
    """`horizontal.follow_metrics` for metrics of utilisation, where `ready[n]` replicas serve."""
    proposals = [from_tally(turn, group, tally(turn, group, ready[group.slots])) for group in turn.table.metrics]
    return horizontal.follow(turn, draft, proposals)


def autoscale_by_minute(turn: Turn, draft: Draft, ready: Int64s) -> Draft:
    """`knative.autoscale` where turns are a minute apart: both of its windows are full of the one load of that minute.

    So they need not be filled second by second. Where the load is unknown nothing is decided.
    """
    load = loads(turn.snapshot, turn.table)
    mean = np.round(load, knative.DIGITS)
    panic = draft.state.panic.of(len(turn.table))
    decided = knative.scale(panic, turn.now, mean, mean, knative.TARGET_UTILISATION * turn.table.capacity, ready)
    known = draft.open & ~np.isnan(load)
    held = dataclasses.replace(
        panic,
        at=np.where(known, decided.panic.at, panic.at),
        pods=np.where(known, decided.panic.pods, panic.pods),
        begun=np.where(known, decided.panic.begun, panic.begun),
    )
    state = dataclasses.replace(draft.state, panic=held)
    wanted = np.where(known, np.maximum(decided.wanted, 1), draft.wanted)
    return dataclasses.replace(draft, wanted=wanted, measured=draft.measured | known, state=state)


def tally(turn: Turn, group: MetricGroup, ready: Int64s) -> Tally:
    """The pods of the group's m rows: `ready[m]` of those ordered serve, each under an equal share of the load."""
    load = turn.snapshot.signals[CPU].value[group.slots] * REPLICA
    ordered = np.maximum(turn.current[group.slots], 0)
    known = ~np.isnan(load) & (ready > 0)
    serving = np.where(known, ready, 0)
    share = np.rint(np.where(known, load, 0.0) / np.maximum(serving, 1)).astype(np.int64)
    replica = int(REPLICA)
    nothing = np.zeros_like(serving)
    return Tally(
        trouble=np.where(known, Trouble.NONE, Trouble.NO_VALUE).astype(np.int8),
        ready=serving,
        unready=ordered - ready,
        missing=nothing,
        measured=serving,
        shown=serving,
        usage=share * serving,
        base=replica * serving,
        missing_base=nothing,
        unready_base=replica * (ordered - ready),
        at_fallback=nothing,
    )
