"""Latency headroom: more replicas when the response time nears its bound. It may only add.

A measured quantile of the response time L, its bound B, and n pods that serve. Asked for are

    needed = ceil(n x L / (HEADROOM x B)),  HEADROOM = 0.8

within the tolerance of the policy (10 %), which is HPA's rule (`ceil(current x value / target)`, autoscaling/v2) for
a target of four fifths of the bound. With 10 pods, 250 ms allowed and 180 ms measured 9 are needed, so a load that
asks for 6 gets 9; at 240 ms 12 are.

What it cannot know: how the latency falls with more replicas. In a queue it grows like 1 / (1 - utilisation), so near
saturation the rule asks for too little at first and corrects itself turn by turn; far from it a latency has a floor
(the work itself) that no replica lowers, and a bound under that floor asks for ever more, up to the maximum. A slow
dependency looks like too few replicas. So latency never lowers anything, also where nothing else is measured: it
raises, and it keeps the load from going down as far as the rule forbids.
"""

from __future__ import annotations

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.knative import serving
from podium.loop.decide.metrics import INT32_MAX
from podium.model.arrays import UNKNOWN
from podium.model.decision import Reason

HEADROOM = 0.8  # of the bound: nearer than that, there is no time left to start a pod


def keep_headroom(turn: Turn, draft: Draft) -> Draft:
    """Raise to what the latency needs, or keep from going under it; while it is unknown nothing goes down."""
    table, current = turn.table, turn.current
    if not table.latency:
        return draft
    size = len(table)
    measured, below = np.full(size, np.nan), np.full(size, np.nan)
    for group in table.latency:
        below[group.slots] = group.below
        if (level := turn.snapshot.signals.get(group.signal)) is not None:
            measured[group.slots] = level.value[group.slots]
    ready = serving(turn)
    asked = draft.open & ~np.isnan(below)
    known = asked & ~np.isnan(measured) & (ready != UNKNOWN)
    ratio = np.where(known, measured / (HEADROOM * np.where(known, below, 1.0)), 1.0)
    needed = np.ceil(np.clip(np.where(known, ready * ratio, 0.0), 0.0, INT32_MAX)).astype(np.int64)
    # Within the tolerance it is on its target: what serves is what is needed.
    near = known & (1.0 - table.down.tolerance <= ratio) & (ratio <= 1.0 + table.up.tolerance)
    needed = np.where(near, np.maximum(ready, 0), needed)
    over = known & (needed > draft.wanted)
    raises = over & (needed > current)
    before = draft.wanted
    draft = draft.bent(raises, needed, Reason.LATENCY_RAISES, needed, measured, below)
    kept = np.minimum(needed, current)
    draft = draft.bent(over & ~raises & (kept > before), kept, Reason.LATENCY_KEEPS, before, measured, below)
    blind = asked & ~known & (draft.wanted < current)
    return draft.bent(blind, current, Reason.LATENCY_UNKNOWN)
