"""Calendars as rows of the policy table, and which of them are to be prepared for at a moment."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from podium.loop.calendar.document import LEAD, Announced, Calendar
from podium.loop.calendar.holidays import Holidays
from podium.loop.calendar.usual import Usual
from podium.loop.decide import table
from podium.loop.policy import ScalingPolicy
from podium.model.arrays import UNKNOWN, Float64s


def announced(calendars: Sequence[Calendar], documents: Sequence[ScalingPolicy | None]) -> table.Announced | None:
    """A row for each event of each policy (by slot) that is forecast; None: nothing is announced to anybody."""
    zones: dict[str, int] = {}
    rows: list[tuple[int, Announced | Holidays, int, str]] = []
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
        for event in calendar.spec.told():
            rows += [(slot, event, number, zone) for slot in slots]
            number += 1
    if not rows:
        return None
    spans = [event.span(zone) if isinstance(event, Announced) else (np.nan, np.nan) for _, event, _, zone in rows]
    events = [event if isinstance(event, Announced) else None for _, event, *_ in rows]
    every = list(dict.fromkeys(event for _, event, *_ in rows if isinstance(event, Holidays)))
    clocks = {
        slot: zones[zone]
        for slot, event, _, zone in reversed(rows)
        if isinstance(event, Holidays) or event.expect is not None
    }
    multiplied = sorted(clocks)
    return table.Announced(
        slots=np.array([slot for slot, *_ in rows], np.int32),
        start=np.array([start for start, _ in spans]),
        end=np.array([end for _, end in spans]),
        before=_numbers(None if one is None or one.before == LEAD else one.before for one in events),
        factor=_numbers(None if one is None else one.expect for one in events),
        at_least=_numbers(None if one is None else one.at_least for one in events),
        event=np.array([number for _, _, number, _ in rows], np.int16),
        zone=np.array([zones[zone] for *_, zone in rows], np.int32),
        zones=tuple(zones),
        multiplied=np.array(multiplied, np.int32),
        clocks=np.array([clocks[slot] for slot in multiplied], np.int32),
        days=np.array([every.index(one) if isinstance(one, Holidays) else UNKNOWN for _, one, *_ in rows], np.int32),
        calendars=tuple(every),
    )


def _numbers(values: Iterable[float | str | None]) -> Float64s:
    return np.array([np.nan if value is None else value for value in values], np.float64)


def held(rows: table.Announced | None, usual: Usual, now: float, lead: Float64s) -> Float64s:
    """[r] the load to be prepared for now; 0 where nobody knows how much that is, NaN where it is not the time.

    The hours of an event are those from now, or from the start that is still ahead, to one lead time later; those of a
    holiday begin and end with its day.
    """
    if rows is None:
        return np.empty(0)
    out = np.full(len(rows.slots), np.nan)
    at = np.flatnonzero((begins(rows, lead) <= now) & (now < rows.end))
    if len(at):
        factor, load = rows.factor[at], rows.at_least[at].copy()
        some = ~np.isnan(factor)
        if some.any():
            asked = at[some]
            since = np.maximum(now, rows.start[asked])
            until = np.minimum(since + lead[rows.slots[asked]], rows.end[asked])
            load[some] = np.fmax(load[some], factor[some] * usual.of(rows, asked, now, since, np.maximum(until, since)))
        out[at] = np.where(np.isnan(load), 0.0, load)
    if rows.calendars:
        free = np.flatnonzero(rows.days >= 0)
        until = now + np.nan_to_num(lead[rows.slots[free]])
        today = usual.holidays(rows, free, now, np.full(len(free), now)) & usual.holidays(rows, free, now, until)
        at = free[today]
        if len(at):
            out[at] = np.nan_to_num(usual.of(rows, at, now, np.full(len(at), now), until[today]))
    return out


def begins(rows: table.Announced, lead: Float64s) -> Float64s:
    """[r] when each is prepared for: one lead time before its start, or as it says."""
    return rows.start - np.where(np.isnan(rows.before), lead[rows.slots], rows.before)
