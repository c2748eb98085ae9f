"""The small values inside documents: durations, quantities, names, time zones.

Each is read from what people write and is a plain number or string afterwards, with its unit in the type's name.
"""

from __future__ import annotations

import re
import zoneinfo
from typing import Annotated, Any, Literal

import pydantic
from pydantic import BeforeValidator, Field, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

from podium.documents import cel, cron
from podium.model import clock, quantities

EXPECTED = "expected"  # the type of the pydantic error that says what was expected, in words


def unexpected(expected: str) -> PydanticCustomError:
    """The error of a value that is not what was expected; the reader adds where it stands and what was found."""
    return PydanticCustomError(EXPECTED, "{expected}", {"expected": expected})


def int_or_string(pattern: str, description: str, least: int | None = None) -> dict[str, Any]:
    """The JSON Schema of a value written as a number (of at least `least`) or as text; the form a CRD can hold too."""
    number: dict[str, Any] = {"type": "integer"} | ({} if least is None else {"minimum": least})
    return {
        "anyOf": [number, {"type": "string", "pattern": pattern}],
        "x-kubernetes-int-or-string": True,
        "description": description,
    }


def _seconds(value: object) -> float:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str):
        try:
            seconds = clock.parse_duration(value)
        except ValueError:
            raise unexpected("a duration such as 15s or 1h30m, or a number of seconds") from None
    else:
        raise unexpected("a duration such as 15s or 1h30m, or a number of seconds")
    if not 0 <= seconds < 1e10:
        raise unexpected("a duration between 0s and 300 years")
    return seconds


def _positive(seconds: float) -> float:
    if seconds <= 0:
        raise unexpected("a duration above 0s")
    return seconds


_UNIT = "(ns|us|µs|ms|s|m|h|d|w)"
_PART = rf"([0-9]+(\.[0-9]+)?{_UNIT})"
_SOME = rf"(([0-9]*[1-9][0-9]*(\.[0-9]+)?|0+\.[0-9]*[1-9][0-9]*){_UNIT})"  # a part that is not nothing
ABOVE_ZERO = rf"{_PART}*{_SOME}{_PART}*"
"""Durations above 0s, as a pattern: an API server has no other way to know."""
_DURATION = "A duration such as 15s, 5m or 1h30m, or seconds."
_DURATION_SCHEMA = WithJsonSchema(int_or_string(rf"^{_PART}+$", _DURATION, 0))
_POSITIVE_DURATION_SCHEMA = WithJsonSchema(int_or_string(rf"^{ABOVE_ZERO}$", _DURATION, 1))
Seconds = Annotated[
    float, BeforeValidator(_seconds), PlainSerializer(clock.duration, return_type=str), _DURATION_SCHEMA
]
"""A duration in seconds, written `15s`, `1h30m` or as a number; zero is allowed."""

PositiveSeconds = Annotated[
    float,
    BeforeValidator(lambda value: _positive(_seconds(value))),
    PlainSerializer(clock.duration, return_type=str),
    _POSITIVE_DURATION_SCHEMA,
]
"""A duration in seconds above zero."""


def not_before(later: str, earlier: str) -> str:
    """CEL: the duration in field `later` is at least the one in `earlier`, as far as CEL can read them.

    Its durations know no days and weeks, and say nothing of a field that is left out.
    """
    both = [f"self.{name}" for name in (later, earlier)]
    unread = " || ".join(f"!has({one}) || string({one}).matches('[dw]')" for one in both)
    first, second = (f"duration(type({one}) == int ? string({one}) + 's' : string({one}))" for one in both)
    return f"{unread} || {first} >= {second}"


LEARNED: Literal["learned"] = "learned"


def _lead_time(value: object) -> float | str:
    if value == LEARNED:
        return LEARNED
    try:
        return _positive(_seconds(value))
    except PydanticCustomError:
        raise unexpected("learned, or a duration above 0s such as 90s") from None


LeadTime = Annotated[
    float | Literal["learned"],
    BeforeValidator(_lead_time),
    PlainSerializer(lambda value: value if value == LEARNED else clock.duration(value), return_type=str),
    WithJsonSchema(int_or_string(rf"^(learned|{ABOVE_ZERO})$", "`learned`, or a duration such as 90s or 5m.", 1)),
]
"""Seconds ahead, or `learned`."""


def _milli(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise unexpected("a quantity such as 250m, 2 or 64Mi")
    # repr of a float may say 1e-05, which is a quantity too.
    text = value if isinstance(value, str) else repr(value)
    try:
        return quantities.parse_milli(text)
    except ValueError:
        raise unexpected("a quantity such as 250m, 2 or 64Mi") from None


def _positive_milli(value: object) -> int:
    milli = _milli(value)
    if milli <= 0:
        raise unexpected("a quantity above 0")
    return milli


def _not_negative_milli(value: object) -> int:
    milli = _milli(value)
    if milli < 0:
        raise unexpected("a quantity of at least 0")
    return milli


_QUANTITY = "A Kubernetes quantity such as 250m, 2 or 64Mi."
_SUFFIX = "([eE][+-]?[0-9]+|[KMGTPE]i|[numkMGTPE]?)"
_NOT_NEGATIVE_SCHEMA = WithJsonSchema(int_or_string(rf"^[+]?([0-9]+\.?[0-9]*|\.[0-9]+){_SUFFIX}$", _QUANTITY, 0))
_POSITIVE_SCHEMA = WithJsonSchema(
    int_or_string(rf"^[+]?([0-9]*[1-9][0-9]*\.?[0-9]*|[0-9]*\.[0-9]*[1-9][0-9]*){_SUFFIX}$", _QUANTITY, 1)
)
NotNegativeMilli = Annotated[
    int, BeforeValidator(_not_negative_milli), PlainSerializer(quantities.format_milli, return_type=str),
    _NOT_NEGATIVE_SCHEMA,
]  # fmt: skip
"""A Kubernetes quantity of zero or more, as exact thousandths of its unit (`2` is 2000, `250m` is 250)."""

PositiveMilli = Annotated[
    int, BeforeValidator(_positive_milli), PlainSerializer(quantities.format_milli, return_type=str), _POSITIVE_SCHEMA
]
"""A Kubernetes quantity above zero, as thousandths of its unit."""


_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_SIGNAL = re.compile(r"[a-z0-9]([-_.a-z0-9]*[a-z0-9])?")


def _label(value: str) -> str:
    if _LABEL.fullmatch(value) is None:
        raise unexpected("a name of at most 63 lower case letters, digits and '-', as in shop-web")
    return value


def _name(value: str) -> str:
    # Signals are named after metrics; `requests_per_second` is what people write, so `_` is allowed beside RFC 1123.
    if len(value) > 253 or (_SUBDOMAIN.fullmatch(value) is None and _SIGNAL.fullmatch(value) is None):
        raise unexpected("lower case letters, digits, '-', '_' and '.', at most 253, as in shop-web")
    return value


_LISTEN = re.compile(r"(\[[0-9a-fA-F:]+\]|[^\s:\[\]]+):(\d{1,5})")


def _listen(value: str) -> str:
    match = _LISTEN.fullmatch(value)
    if match is None or int(match[2]) > 65535:
        raise unexpected("host:port, as in 127.0.0.1:8080 or [::1]:8080")
    return value


Label = Annotated[str, pydantic.AfterValidator(_label), Field(max_length=63, pattern=f"^{_LABEL.pattern}$")]
"""An RFC 1123 label: a namespace, a cluster's or source's name."""

ObjectName = Annotated[str, pydantic.AfterValidator(_name), Field(max_length=253)]
"""A document's name."""


def _time_zone(value: str) -> str:
    try:
        zoneinfo.ZoneInfo(value)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise unexpected("an IANA time zone such as Europe/Paris or UTC") from None
    return value


def _cron(value: str) -> str:
    problem = cron.problem(value)
    if problem:
        raise unexpected(problem)
    return value


def _cel(value: str) -> str:
    problem = cel.problem(value)
    if problem:
        raise unexpected(problem)
    return value


def written_as(pattern: str, longest: int) -> WithJsonSchema:
    """What an API server can look at, coarser than our own reading: only that names the mistake."""
    return WithJsonSchema({"type": "string", "pattern": f"^({pattern})$", "maxLength": longest})


_CRON_FORM = r"@(yearly|annually|monthly|weekly|daily|midnight|hourly)|\s*\S+(\s+\S+){4}\s*"
TimeZone = Annotated[str, pydantic.AfterValidator(_time_zone), written_as("[A-Za-z][A-Za-z0-9_+/-]*", 64)]
"""An IANA time zone."""

Cron = Annotated[str, pydantic.AfterValidator(_cron), written_as(_CRON_FORM, 256)]
"""Five cron fields (minute hour day-of-month month day-of-week) or @hourly, @daily, @weekly, @monthly, @yearly."""

Cel = Annotated[str, Field(min_length=1, max_length=1000), pydantic.AfterValidator(_cel)]
"""A CEL expression; its quotes and brackets are checked here, all else where it can be killed."""

Text = Annotated[str, Field(min_length=1)]
"""Text that says something."""

Listen = Annotated[str, pydantic.AfterValidator(_listen)]
"""Where to listen: host:port."""

Share = Annotated[float, Field(gt=0, le=1)]
"""A share of a whole: above 0, at most 1."""
