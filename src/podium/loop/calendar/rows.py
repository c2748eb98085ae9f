"""Calendars as rows of the policy table, and which of them are to be prepared for at a moment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from podium.loop.calendar.document import LEAD, Announced, Calendar
from podium.loop.calendar.usual import Usual
from podium.loop.decide import table
from podium.loop.policy import ScalingPolicy
from podium.model.arrays import Float64s


def announced(calendars: Sequence[Calendar], documents: Sequence[ScalingPolicy | None]) -> table.Announced | None:
    """A row for each event of each policy (by slot) that is forecast; None: nothing is announced to anybody."""
    zones: dict[str, int] = {}
    rows: list[tuple[int, Announced, int, str]] = []
    number = 0
    for calendar in calendars:
        slots = [
            slot
            for slot, one in enumerate(documents)
            if one is not None
            and one.spec.load is not None
            and one.spec.forecast.enabled
            and calendar.means(one.namespace, one.spec.target_ref, one.metadata.labels)
        ]
        zone = calendar.spec.time_zone
        zones.setdefault(zone, len(zones))
        for event in calendar.spec.events:
            rows += [(slot, event, number, zone) for slot in slots]
            number += 1
    if not rows:
        return None
    spans = [event.span(zone) for _, event, _, zone in rows]
    clocks = {slot: zones[zone] for slot, event, _, zone in reversed(rows) if event.expect is not None}
    multiplied = sorted(clocks)
    return table.Announced(
        slots=np.array([slot for slot, *_ in rows], np.int32),
        start=np.array([start for start, _ in spans]),
        end=np.array([end for _, end in spans]),
        before=np.array([np.nan if event.before == LEAD else event.before for _, event, _, _ in rows], np.float64),
        factor=np.array([np.nan if event.expect is None else event.expect for _, event, _, _ in rows]),
        at_least=np.array([np.nan if event.at_least is None else event.at_least for _, event, _, _ in rows]),
        event=np.array([number for _, _, number, _ in rows], np.int16),
        zone=np.array([zones[zone] for *_, zone in rows], np.int32),
        zones=tuple(zones),
        multiplied=np.array(multiplied, np.int32),
        clocks=np.array([clocks[slot] for slot in multiplied], np.int32),
    )


def held(rows: table.Announced | None, usual: Usual, now: float, lead: Float64s) -> Float64s:
    """[r] the load to be prepared for now; 0 where nobody knows how much that is, NaN where it is not the time.

    Its hours are those from now, or from the start that is still ahead, to one lead time later.
    """
    if rows is None:
        return np.empty(0)
    out = np.full(len(rows.slots), np.nan)
    at = np.flatnonzero((begins(rows, lead) <= now) & (now < rows.end))
    if not len(at):
        return out
    factor, load = rows.factor[at], rows.at_least[at].copy()
    some = ~np.isnan(factor)
    if some.any():
        asked = at[some]
        since = np.maximum(now, rows.start[asked])
        until = np.minimum(since + lead[rows.slots[asked]], rows.end[asked])
        load[some] = np.fmax(load[some], factor[some] * usual.of(rows, asked, now, since, np.maximum(until, since)))
    out[at] = np.where(np.isnan(load), 0.0, load)
    return out


def begins(rows: table.Announced, lead: Float64s) -> Float64s:
    """[r] when each is prepared for: one lead time before its start, or as it says."""
    return rows.start - np.where(np.isnan(rows.before), lead[rows.slots], rows.before)
