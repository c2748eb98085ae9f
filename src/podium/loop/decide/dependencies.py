"""A circuit breaker against cascades: while a dependency fails, nothing is added that would press it harder.

A front that doubles opens twice as many connections to a database that is failing already, and the retries of the
requests that fail do the rest. So while a signal of a dependency stands at its bound or beyond, the workload grows no
further. Once it is well again the breaker is half open for CALM_SECONDS: first nothing is added for PROBE_SECONDS,
then a tenth (one pod at least) per PROBE_SECONDS, so that whoever made the dependency fail is found out by one pod and
not by twenty. A policy's minimum is kept in any case, nothing is lowered, and a dependency that nobody can see is not
taken to fail: a silent source is no reason to leave a load unserved.
"""

from __future__ import annotations

import dataclasses

import numpy as np

from podium.loop.decide.draft import Draft, Turn
from podium.loop.decide.state import Breaker
from podium.model.arrays import UNKNOWN
from podium.model.decision import Reason

PROBE_SECONDS = 60.0  # as long as a scrape, a new pod's first connections and their timeouts take to show
CALM_SECONDS = 300.0  # HPA's own stabilisation: what failed within it is not over
STEP = 10  # a tenth of the workload at once


def spare(turn: Turn, draft: Draft) -> Draft:
    """Hold what would be added while a dependency fails, and let it through in small steps afterwards."""
    table, now, current = turn.table, turn.now, turn.current
    if not table.dependencies:
        return draft
    size = len(table)
    failing = np.zeros(size, np.bool_)
    value, bound, position = np.full(size, np.nan), np.full(size, np.nan), np.full(size, UNKNOWN, np.int16)
    for group in reversed(table.dependencies):  # of several the first is named
        level = turn.snapshot.signals.get(group.signal)
        if level is None:
            continue
        seen = level.value[group.of]
        rows = np.flatnonzero(seen >= group.below)[::-1]  # NaN: nobody knows
        where = group.slots[rows]
        failing[where], value[where] = True, seen[rows]
        bound[where], position[where] = group.below[rows], group.position[rows]
    before = draft.state.breaker.of(size)
    failed = np.where(failing, now, before.failed)
    asked, well = draft.wanted, now - failed
    more, half_open = draft.open & (asked > current), ~failing & (well < CALM_SECONDS)
    # NaN: it has not grown since the failure.
    due = (well >= PROBE_SECONDS) & ~(now - before.grew < PROBE_SECONDS)
    allowed = np.where(due, current + np.maximum(current // STEP, 1), current)
    draft.reasons.add(more & failing, Reason.DEPENDENCY_FAILS, asked, value, bound, metric=position)
    draft.reasons.add(more & half_open & (asked > allowed), Reason.DEPENDENCY_RECOVERS, asked, allowed, well)
    wanted = np.where(more & failing, current, np.where(more & half_open, np.minimum(asked, allowed), asked))
    grew = np.where(failing, np.nan, np.where(half_open & (wanted > current), now, before.grew))
    state = dataclasses.replace(draft.state, breaker=Breaker(failed, grew))
    return dataclasses.replace(draft, wanted=wanted, state=state)
