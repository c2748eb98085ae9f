"""Cron syntax as a CronJob has it (robfig/cron's standard parser): checked here, and written out in full for others."""

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
_MACROS = {
    "@yearly": "0 0 1 1 *",
    "@annually": "0 0 1 1 *",
    "@monthly": "0 0 1 * *",
    "@weekly": "0 0 * * 0",
    "@daily": "0 0 * * *",
    "@midnight": "0 0 * * *",
    "@hourly": "0 * * * *",
}
_LONGEST = (0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
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
    return "" if _comes(parts[2], parts[3], parts[4]) else f"a day that exists instead of {parts[2]} of {parts[3]}"


def _comes(day: str, month: str, weekday: str) -> bool:
    """Is there such a day in some year? A weekday may bring another one."""
    days, months, weekdays = (
        _written(part, field) for part, field in zip((day, month, weekday), _FIELDS[2:], strict=True)
    )
    if days == "*" or weekdays != "*":
        return True
    longest = max((_LONGEST[number] for number in _numbers(months, _FIELDS[3])), default=31)
    return min(_numbers(days, _FIELDS[2])) <= longest


def _numbers(written: str, field: _Field) -> list[int]:
    return list(range(field.low, field.high + 1)) if written == "*" else [int(one) for one in written.split(",")]


def normalised(text: str) -> str:
    """The same moments in plain words of cron: five fields, each `*` or a list of numbers. `text` has no problem.

    `*` and `?` alone (or with /1) mean any; a field with a step is a list, so that the days of `1-31/2` and of a
    weekday are joined by "or", as CronJob joins them.
    """
    parts = _MACROS.get(text, text).split()
    return " ".join(_written(part, field) for part, field in zip(parts, _FIELDS, strict=True))


def _written(part: str, field: _Field) -> str:
    numbers: set[int] = set()
    for item in part.split(","):
        span, _, step = item.partition("/")
        match = _ITEM.fullmatch(span)
        if match is None:
            raise ValueError(f"{part!r} is no cron {field.name}")
        if match["star"]:
            if int(step or 1) == 1:
                return "*"
            low, high = field.low, field.high
        else:
            low = _number(match["low"], field) or 0
            # `5/15` runs from 5 to the end of the field.
            high = _number(match["high"], field) or 0 if match["high"] else field.high if step else low
        numbers.update(range(low, high + 1, int(step or 1)))
    return ",".join(map(str, sorted(numbers)))


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
