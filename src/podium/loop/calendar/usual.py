"""The usual load of an hour of the week, for workloads whose events are announced as a multiple of it.

Of each hour the highest five-minute mean is kept, averaged over weeks with the newest counting half. An hour that was
never seen is taken from the newest day that has it. What a workload does during its events is not usual, and not
learned. Hours are those of the calendar's time zone: in the week the clocks change, nine o'clock stays nine o'clock.

A holiday is a day beside the week: its hours are those of the last holidays or, where none was seen, of a Sunday, and
teach no weekday.

800 bytes a slot, for slots with such an event or holidays alone.
"""

from __future__ import annotations

import datetime
import zoneinfo

import numpy as np

from podium.foresight.memory import Field
from podium.loop.decide.table import Announced
from podium.loop.rows import Rows
from podium.model.arrays import Bools, Columns, Float64s, Int32s, Int64s

FIVE, HOUR = 300.0, 3600.0
WEEK, DAYS, DAY = 168, 7, 24  # hours and days
SUNDAY = 3  # 1 January 1970 was a Thursday
NEWEST = 0.5  # the weight of the newest week
FARTHEST = 24  # hours ahead that are looked at

FIELDS = {
    "five": Field((), -1, np.int64),  # the five minutes being filled, counted on the slot's own clocks
    "total": Field((), 0.0, np.float64),
    "count": Field((), 0, np.int32),
    "best": Field((), np.nan, np.float64),  # of the hour being filled
    "hours": Field((WEEK + DAY,)),  # of the week, then of a holiday
}


class Usual:
    """What is usual of the slots that ask for it."""

    def __init__(self) -> None:
        self._rows = Rows(FIELDS)
        self._zones: dict[str, tuple[float, float]] = {}  # zone -> (moment, its offset): looked up once a quarter hour

    def forget(self, slots: Int64s) -> None:
        """These slots belong to other workloads now."""
        self._rows.forget(slots)

    def set_back(self) -> None:
        """The clock was set back: what was being filled is given up."""
        self._rows.clear("five", "total", "count", "best")

    def follow(self, now: float, load: Float64s, announced: Announced | None, held: Float64s) -> None:
        """Take in the loads [n] of a turn; `held` [r] is what each row of `announced` asks for now, NaN: nothing."""
        if announced is None or not len(announced.multiplied):
            return
        mine, slots = self._rows, announced.multiplied
        rows = mine.places(slots)
        five = np.floor((now + self._offsets(announced, now)) / FIVE).astype(np.int64)
        over = five > mine["five"][rows]
        done = rows[over]
        counted = mine["count"][done] > 0
        mean = np.divide(mine["total"][done], mine["count"][done], out=np.full(len(done), np.nan), where=counted)
        mine["best"][done] = np.fmax(mine["best"][done], mean)
        ended = done[(five[over] // 12 > mine["five"][done] // 12) & (mine["five"][done] >= 0)]
        hour = mine["five"][ended] // 12
        free = marked(announced, slots[np.searchsorted(rows, ended)], hour // DAY)
        hour = np.where(free, WEEK + hour % DAY, hour % WEEK)
        best, old = mine["best"][ended], mine["hours"][hour, ended]
        new = np.where(np.isnan(old), best, old + NEWEST * (best - old))
        mine["hours"][hour, ended] = np.where(np.isnan(best), old, new)
        mine["best"][ended] = np.nan
        mine["total"][done], mine["count"][done] = 0.0, 0
        mine["five"][rows] = five
        event = ~np.isnan(held) & ((announced.days < 0) if len(announced.days) else True)
        busy = np.isin(slots, announced.slots[event]) if len(held) else np.zeros(len(slots), np.bool_)
        told = ~np.isnan(load[slots]) & ~busy
        mine["total"][rows] += np.where(told, load[slots], 0.0)
        mine["count"][rows] += told

    def of(self, announced: Announced, at: Int64s, now: float, since: Float64s, until: Float64s) -> Float64s:
        """[k] the largest usual load between `since` and `until` [k], of the rows `at` of `announced`; NaN: unknown."""
        self._rows.places(announced.multiplied)
        rows = self._rows.places(announced.slots[at])
        offset = self._of_rows(announced, at, now)
        first, last = ((moment + offset) // HOUR for moment in (since, until))
        out = np.full(len(rows), np.nan)
        for step in range(int(min((last - first).max(initial=0), FARTHEST)) + 1):
            hour = (first + step).astype(np.int64)
            free = marked(announced, announced.slots[at], hour // DAY)
            known = np.where(free, self._holiday(hour, rows), np.nan)
            for day in range(DAYS):
                earlier = self._rows["hours"][(hour - DAY * day) % WEEK, rows].astype(np.float64)
                known = np.where(np.isnan(known) & ~free, earlier, known)
            out = np.where(first + step <= last, np.fmax(out, known), out)
        return out

    def holidays(self, announced: Announced, at: Int64s, now: float, moment: Float64s) -> Bools:
        """[k] whether the `moment` [k] lies in a holiday of the rows `at` of `announced`."""
        day = ((moment + self._of_rows(announced, at, now)) // (DAY * HOUR)).astype(np.int64)
        out = np.zeros(len(at), np.bool_)
        for one in np.unique(day).tolist():
            free = np.array([calendar.name_on(one) is not None for calendar in announced.calendars])
            out |= (day == one) & free[announced.days[at]]
        return out

    def _holiday(self, hour: Int64s, rows: Int64s) -> Float64s:
        """[k] the usual load of an hour of a holiday: of the last ones, else of a Sunday; NaN: neither was seen."""
        hours = self._rows["hours"]
        last = hours[WEEK + hour % DAY, rows].astype(np.float64)
        return np.where(np.isnan(last), hours[SUNDAY * DAY + hour % DAY, rows].astype(np.float64), last)

    def checkpoint(self) -> Columns:
        """Everything, as columns; copies."""
        return self._rows.checkpoint()

    def restore(self, stored: Columns) -> None:
        """Take over what `checkpoint` returned; a Podium without calendars left nothing, an earlier one no holidays."""
        hours = stored.get("rows.hours")
        if hours is not None and len(hours) == WEEK:
            unseen = np.full((DAY, hours.shape[-1]), np.nan, np.float32)
            stored = {**stored, "rows.hours": np.concatenate([hours, unseen])}
        self._rows.restore(stored)

    def _of_rows(self, announced: Announced, at: Int64s, now: float) -> Float64s:
        """[k] seconds that the clocks of these rows are ahead of UTC."""
        return np.array([self._offset(zone, now) for zone in announced.zones], np.float64)[announced.zone[at]]

    def _offsets(self, announced: Announced, now: float) -> Float64s:
        """[u] seconds that each slot's clocks are ahead of UTC."""
        offsets = np.array([self._offset(zone, now) for zone in announced.zones], np.float64)
        return offsets[announced.clocks]

    def _offset(self, zone: str, now: float) -> float:
        quarter = now // 900.0
        known = self._zones.get(zone)
        if known is None or known[0] != quarter:
            there = datetime.datetime.fromtimestamp(quarter * 900.0, zoneinfo.ZoneInfo(zone)).utcoffset()
            known = self._zones[zone] = quarter, there.total_seconds() if there is not None else 0.0
        return known[1]


def marked(announced: Announced, slots: Int32s, days: Int64s) -> Bools:
    """[k] whether the day `days` [k] (since 1970, on their clocks) is a holiday of the `slots` [k]."""
    out = np.zeros(len(slots), np.bool_)
    if not announced.calendars:
        return out
    for day in np.unique(days).tolist():
        free = np.array([calendar.name_on(day) is not None for calendar in announced.calendars])
        mine = announced.days >= 0
        mine[mine] = free[announced.days[mine]]
        out |= (days == day) & np.isin(slots, announced.slots[mine])
    return out
