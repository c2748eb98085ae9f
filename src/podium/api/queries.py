"""What callers write into addresses: times, cursors and filters."""

from __future__ import annotations

import base64
import binascii
import functools
import math
from collections.abc import Callable
from typing import Annotated, TypeVar

import msgspec
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from podium.api.problems import Fault, Problem
from podium.loop.tell.view import WorkloadRow
from podium.model.clock import parse_rfc3339
from podium.model.identity import WorkloadKey

LATEST = 253402300799.0  # 9999-12-31T23:59:59Z, the last second RFC 3339 can write


T = TypeVar("T")
Test = Callable[[WorkloadRow], bool]


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


def _part(name: str) -> Callable[[WorkloadRow, str], bool]:
    return lambda row, value: getattr(WorkloadKey.parse(row.key), name) == value


_FIELDS: dict[str, Callable[[WorkloadRow, str], bool]] = {
    "tenant": lambda row, value: row.tenant == value,
    "mode": lambda row, value: row.mode == value,
    "cluster": _part("cluster"),
    "namespace": _part("namespace"),
    "kind": _part("kind"),
    "name": _part("name"),
    "paused": lambda row, value: row.paused == value,
    "trusted": lambda row, value: row.trusted == (value == "yes"),
    "troubled": lambda row, value: bool(row.troubles) == (value == "yes"),
}


def _mentions(word: str) -> Test:
    return lambda row: word in row.key.lower() or word in row.tenant.lower()


def _holds(test: Callable[[WorkloadRow, str], bool], value: str, row: WorkloadRow) -> bool:
    return test(row, value)


def workload_filter(text: str) -> Test:
    """Words that must all hold: `tenant:shop troubled:yes web`. A word without a colon is looked for in the key.

    Raises ValueError naming the word that is not understood.
    """
    tests: list[Test] = []
    for word in text.split():
        field, colon, value = word.partition(":")
        if not colon:
            tests.append(_mentions(word.lower()))
            continue
        if field not in _FIELDS:
            raise ValueError(f"words, or field:value with a field of {', '.join(_FIELDS)}; not {word!r}")
        if field in {"trusted", "troubled"} and value not in {"yes", "no"}:
            raise ValueError(f"{field}:yes or {field}:no, not {word!r}")
        tests.append(functools.partial(_holds, _FIELDS[field], value))
    return lambda row: all(test(row) for test in tests)


def cursor_of(text: str, kind: type[T]) -> T:
    """A cursor from a request. Raises Problem when it is none of ours."""
    try:
        return decode_cursor(text, kind)
    except ValueError as error:
        fault = Fault(path="query.cursor", expected=str(error), got=text)
        raise Problem(400, "The cursor is not understood.", (fault,)) from None
