"""Cron syntax as a CronJob has it (robfig/cron's standard parser): checked here, interpreted elsewhere."""

from __future__ import annotations

import re
from typing import NamedTuple


class _Field(NamedTuple):
    name: str
    low: int
    high: int
    names: tuple[str, ...] = ()  # index 0 stands for `low`


_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_FIELDS = (
    _Field("minute", 0, 59),
    _Field("hour", 0, 23),
    _Field("day of month", 1, 31),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)
_MACROS = {"@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"}
_ITEM = re.compile(r"(?P<star>[*?])|(?P<low>\w+)(?:-(?P<high>\w+))?")


def problem(text: str) -> str:
    """What was expected instead of `text`, or "" when it is a cron expression."""
    if text in _MACROS:
        return ""
    parts = text.split()
    if len(parts) != len(_FIELDS):
        return "five cron fields (minute hour day-of-month month day-of-week), as in 0 8 * * 1-5"
    for part, field in zip(parts, _FIELDS, strict=True):
        for item in part.split(","):
            if not _is_item(item, field):
                names = f" or {field.names[0]}-{field.names[-1]}" if field.names else ""
                return f"a cron {field.name} between {field.low} and {field.high}{names} instead of {item!r}"
    return ""


def _is_item(item: str, field: _Field) -> bool:
    span, slash, step = item.partition("/")
    if slash and not (step.isascii() and step.isdigit() and int(step) > 0):
        return False
    match = _ITEM.fullmatch(span)
    if match is None:
        return False
    if match["star"]:
        return True
    low = _number(match["low"], field)
    high = _number(match["high"], field) if match["high"] else low
    return low is not None and high is not None and low <= high


def _number(text: str, field: _Field) -> int | None:
    if text.lower() in field.names:
        return field.low + field.names.index(text.lower())
    number = int(text) if text.isascii() and text.isdigit() else -1
    return number if field.low <= number <= field.high else None
