"""Time: read once at the edge, handed down as `now`, never read inside a decision.

Seconds are float64 since the Unix epoch in arrays, int64 microseconds in tables, RFC 3339 in UTC on the wire.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable

Clock = Callable[[], float]  # () -> Unix seconds

_DURATION_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|[smhdw])")
_SECONDS = {
    "ns": 1e-9,
    "us": 1e-6,
    "µs": 1e-6,
    "ms": 1e-3,
    "s": 1.0,
    "m": 60.0,
    "h": 3600.0,
    "d": 86400.0,
    "w": 604800.0,
}


def wall_clock() -> float:
    """The machine's clock, in Unix seconds: for the edges alone."""
    return time.time()  # noqa: TID251  the one place


def microseconds(seconds: float) -> int:
    """Unix seconds as int64 microseconds, rounded to the nearest."""
    return round(seconds * 1_000_000)


def rfc3339(seconds: float) -> str:
    """`2026-11-21T09:30:00Z`; fractions appear only when there are any, to the microsecond."""
    moment = datetime.datetime.fromtimestamp(microseconds(seconds) / 1_000_000, datetime.UTC)
    return moment.isoformat().replace("+00:00", "Z")


def parse_rfc3339(text: str) -> float:
    """Unix seconds of an RFC 3339 time. A time without an offset is refused: it could mean any hour of a day."""
    try:
        moment = datetime.datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a time; expected RFC 3339, as in 2026-11-21T09:30:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone; expected RFC 3339, as in 2026-11-21T09:30:00Z")
    try:
        return moment.astimezone(datetime.UTC).timestamp()
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999 in UTC") from None


def parse_duration(text: str) -> float:
    """Seconds of a duration as Go and Prometheus write them: `15s`, `1h30m`, `500ms`, `7d`."""
    parts = _DURATION_PART.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise ValueError(f"{text!r} is not a duration; expected a number and a unit, as in 15s, 5m or 1h30m")
    return float(sum(float(number) * _SECONDS[unit] for number, unit in parts))


def duration(seconds: float) -> str:
    """The shortest exact form people write: 90 -> `1m30s`, 86400 -> `1d`, 0.25 -> `250ms`."""
    if seconds < 0:
        return "-" + duration(-seconds)
    milliseconds = round(seconds * 1000)
    if milliseconds == 0:
        return "0s"
    out = ""
    for unit, size in (("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)):
        count, milliseconds = divmod(milliseconds, size)
        if count:
            out += f"{count}{unit}"
    return out
