"""What callers write into addresses: times, cursors and filters."""

from __future__ import annotations

import base64
import binascii
import math
from typing import Annotated, TypeVar

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from podium.api.problems import Fault, Problem
from podium.foresight.outlook import LONGEST_SECONDS
from podium.loop.predict import horizon_of
from podium.loop.tell import selection
from podium.model.clock import duration, parse_duration, parse_rfc3339

LATEST = 253402300799.0  # 9999-12-31T23:59:59Z, the last second RFC 3339 can write


T = TypeVar("T")


class Query(BaseModel):
    """Parameters of one address. A misspelled one is an error, never silently ignored."""

    model_config = ConfigDict(extra="forbid")


def moment(text: object) -> float:
    """Unix seconds of `1763718600`, `1763718600.25` or RFC 3339."""
    expected = "Unix seconds or RFC 3339, as in 1763718600 or 2026-11-21T09:30:00Z"
    try:
        seconds = float(str(text))
    except ValueError:
        try:
            seconds = parse_rfc3339(str(text))
        except ValueError:
            raise ValueError(expected) from None
    if not math.isfinite(seconds) or not 0 <= seconds <= LATEST:
        raise ValueError(expected)
    return seconds


def horizon(text: object) -> float:
    """Seconds of `30m` or `1800`, as far as forecasts look."""
    expected = f"a duration from 1m to {duration(LONGEST_SECONDS)}, as in 30m"
    try:
        seconds = float(str(text)) if str(text).replace(".", "", 1).isdecimal() else parse_duration(str(text))
        return horizon_of(seconds)
    except ValueError:
        raise ValueError(expected) from None


Horizon = Annotated[float, BeforeValidator(horizon)]
Moment = Annotated[float, BeforeValidator(moment)]
Limit = Annotated[int, Field(ge=1, le=1000)]


def encode_cursor(*parts: object) -> str:
    """An opaque mark of where the next page begins."""
    return base64.urlsafe_b64encode(msgspec.json.encode(parts)).rstrip(b"=").decode()


def decode_cursor(text: str, kind: type[T]) -> T:
    """What `encode_cursor` put in, checked against `kind` (a tuple type). Raises ValueError."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (ValueError, binascii.Error, msgspec.DecodeError):
        raise ValueError("a cursor that an earlier answer gave as `next`") from None


def words_of(text: str) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """What a filter says, `tenant:shop state:held,short web`: the plain words, and (field, values) of the others.

    Raises ValueError that says what was expected.
    """
    words: list[str] = []
    fields: list[tuple[str, tuple[str, ...]]] = []
    for word in text.split():
        field, colon, value = word.partition(":")
        if not colon:
            words.append(word)
            continue
        if field not in selection.FIELDS:
            raise ValueError(f"words, or field:value with a field of {', '.join(selection.FIELDS)}; not {word!r}")
        fields.append((field, values_of(field, value)))
    return tuple(words), tuple(fields)


def values_of(field: str, text: str) -> tuple[str, ...]:
    """The values of a field, `held,short`. Raises ValueError for one that the field never has."""
    values = tuple(text.split(","))
    known = selection.WORDS.get(field)
    if known is not None and not set(values) <= set(known):
        raise ValueError(f"{field}: one of {', '.join(known)}, or several with commas between; not {text!r}")
    return values


def sort_of(text: str) -> tuple[str, bool]:
    """The column that sorts, and whether from the largest down: `-use`. Raises ValueError."""
    name = text.removeprefix("-")
    if name not in selection.SORTS:
        raise ValueError(f"one of {', '.join(selection.SORTS)}, with - in front from the largest down; not {text!r}")
    return name, text.startswith("-")


def cursor_of(text: str, kind: type[T]) -> T:
    """A cursor from a request. Raises Problem when it is none of ours."""
    try:
        return decode_cursor(text, kind)
    except ValueError as error:
        fault = Fault(path="query.cursor", expected=str(error), got=text)
        raise Problem(400, "The cursor is not understood.", (fault,)) from None
