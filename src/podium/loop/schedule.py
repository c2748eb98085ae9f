"""Which windows of the policies' schedules hold at a moment, and until when.

A window begins at the moments of a cron expression on the clocks of a time zone, and lasts a fixed number of seconds.
On the two odd days of the year it follows Debian's cron: what would begin inside the skipped hour begins right after
it, what would begin in an hour that comes twice begins once, the first time. Only an expression for every hour (`*`)
follows the clock through both. A duration is real time: twelve hours from 08:00 are twelve hours, whatever the clocks
do meanwhile.

Answers change rarely: each is kept for as long as it is known to hold, so a turn looks few windows up.
"""

from __future__ import annotations

import dataclasses
import datetime
import math
import zoneinfo
from collections.abc import Iterator

import numpy as np
from cronsim import CronSim

from podium.documents.cron import normalised
from podium.loop.decide.table import Span, Windows
from podium.model.arrays import Float64s

MOST_JOINED = 100  # windows that follow each other without a gap and are looked at to say until when
BEFORE_SECONDS = 3 * 3600  # longer than any clock was ever set back
FAR_SECONDS = 366 * 86400.0  # for so long nothing that never begins is looked at again


@dataclasses.dataclass(frozen=True, slots=True)
class Answer:
    """Whether a span holds, for every moment of [since, before)."""

    since: float
    before: float
    until: float  # NaN: it does not hold


class Schedule:
    """Looks windows up, and remembers what it found."""

    def __init__(self) -> None:
        self._known: dict[Span, Answer] = {}

    def held(self, windows: Windows, now: float) -> Float64s:
        """[w] until when each span of `windows` holds (Unix seconds); NaN where it does not hold at `now`."""
        if len(self._known) > 2 * len(windows.spans) + 16:
            self._known = {span: self._known[span] for span in windows.spans if span in self._known}
        return np.array([self._until(span, now) for span in windows.spans], np.float64)

    def _until(self, span: Span, now: float) -> float:
        known = self._known.get(span)
        if known is None or not known.since <= now < known.before:
            known = self._known[span] = ask(span, now)
        return known.until


def ask(span: Span, now: float) -> Answer:
    """Whether `span` holds at `now`, and for how long that answer stands."""
    begins = starts(span, now - span.duration_seconds)
    first = next(begins, math.inf)
    if first > now:
        return Answer(now, min(first, now + FAR_SECONDS), math.nan)
    until = first + span.duration_seconds
    for _, begin in zip(range(MOST_JOINED), begins, strict=False):
        if begin > until:
            break
        until = max(until, begin + span.duration_seconds)
    return Answer(max(first, now), until, until)


def starts(span: Span, after: float) -> Iterator[float]:
    """The moments after `after` (Unix seconds) at which a span begins, in order; there may be none."""
    zone = zoneinfo.ZoneInfo(span.time_zone)
    # In an hour that comes twice only its first time counts, so the walk begins well before; what is early is left out.
    begin = datetime.datetime.fromtimestamp(math.floor(after) - BEFORE_SECONDS, datetime.UTC).astimezone(zone)
    last = after
    for moment in CronSim(_anchored(normalised(span.cron)), begin):
        at = moment.timestamp()
        if at > last:
            last = at
            yield at


def _anchored(expression: str) -> str:
    """Every minute of named hours, as a list: then it is moved out of a skipped hour as other moments are."""
    minute, hour, rest = expression.split(" ", 2)
    return f"{','.join(map(str, range(60)))} {hour} {rest}" if minute == "*" and hour != "*" else expression
