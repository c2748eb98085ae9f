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


def int_or_string(pattern: str, description: str) -> dict[str, Any]:
    """The JSON Schema of a value written as a number or as text; the form a CRD can hold too."""
    return {
        "anyOf": [{"type": "integer"}, {"type": "string", "pattern": pattern}],
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


_DURATION_SCHEMA = WithJsonSchema(
    int_or_string(r"^([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+$", "A duration such as 15s, 5m or 1h30m, or seconds.")
)
Seconds = Annotated[
    float, BeforeValidator(_seconds), PlainSerializer(clock.duration, return_type=str), _DURATION_SCHEMA
]
"""A duration in seconds, written `15s`, `1h30m` or as a number; zero is allowed."""

PositiveSeconds = Annotated[
    float,
    BeforeValidator(lambda value: _positive(_seconds(value))),
    PlainSerializer(clock.duration, return_type=str),
    _DURATION_SCHEMA,
]
"""A duration in seconds above zero."""


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
    WithJsonSchema(
        int_or_string(
            r"^(learned|([0-9]+(\.[0-9]+)?(ns|us|µs|ms|s|m|h|d|w))+)$", "`learned`, or a duration such as 90s or 5m."
        )
    ),
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


_QUANTITY_SCHEMA = WithJsonSchema(
    int_or_string(
        r"^[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+|[KMGTPE]i|[numkMGTPE]?)$",
        "A Kubernetes quantity such as 250m, 2 or 64Mi.",
    )
)
Milli = Annotated[
    int, BeforeValidator(_milli), PlainSerializer(quantities.format_milli, return_type=str), _QUANTITY_SCHEMA
]
"""A Kubernetes quantity as exact thousandths of its unit (`2` is 2000, `250m` is 250)."""

PositiveMilli = Annotated[
    int, BeforeValidator(_positive_milli), PlainSerializer(quantities.format_milli, return_type=str), _QUANTITY_SCHEMA
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


TimeZone = Annotated[str, pydantic.AfterValidator(_time_zone)]
"""An IANA time zone."""

Cron = Annotated[str, pydantic.AfterValidator(_cron)]
"""Five cron fields (minute hour day-of-month month day-of-week) or @hourly, @daily, @weekly, @monthly, @yearly."""

Cel = Annotated[str, Field(min_length=1, max_length=1000), pydantic.AfterValidator(_cel)]
"""A CEL expression; its quotes and brackets are checked here, all else where it can be killed."""

Text = Annotated[str, Field(min_length=1)]
"""Text that says something."""

Listen = Annotated[str, pydantic.AfterValidator(_listen)]
"""Where to listen: host:port."""

Share = Annotated[float, Field(gt=0, le=1)]
"""A share of a whole: above 0, at most 1."""
