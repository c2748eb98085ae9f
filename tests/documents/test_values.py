from __future__ import annotations

from typing import Any

import pydantic
import pytest

from podium.documents import cron, values


def read(kind: Any, value: object) -> object:
    try:
        return pydantic.TypeAdapter(kind).validate_python(value)
    except pydantic.ValidationError:
        return "refused"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("15s", 15.0), ("1h30m", 5400.0), ("250ms", 0.25), (30, 30.0), (0.5, 0.5), ("7d", 604800.0)]
    + [(bad, "refused") for bad in ("0s", 0, -1, "soon", "15", "", True, [], float("nan"), float("inf"))],
)
def test_a_duration_is_a_number_of_seconds(written: object, seconds: object) -> None:
    assert read(values.PositiveSeconds, written) == seconds


@pytest.mark.parametrize(
    ("written", "milli"),
    [("250m", 250), (2, 2000), ("64Mi", 67108864000), (0.5, 500), ("1e3", 1000000)]
    + [(bad, "refused") for bad in (0, "-1", "lots", True, None, "1 Gi")],
)
def test_a_quantity_is_a_number_of_thousandths(written: object, milli: object) -> None:
    assert read(values.PositiveMilli, written) == milli


@pytest.mark.parametrize(
    "text", ["0 8 * * 1-5", "*/5 * * * *", "0,30 0-23/2 1 jan-mar MON", "@daily", "5 4 ? * sun", "0 0 29 2 *"]
)
def test_cron_fields_are_accepted(text: str) -> None:
    assert cron.problem(text) == ""


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("0 8 * *", "five cron fields"),
        ("60 8 * * *", "minute between 0 and 59 instead of '60'"),
        ("0 8 0 * *", "day of month between 1 and 31 instead of '0'"),
        ("0 8 * 13 *", "month between 1 and 12 or jan-dec instead of '13'"),
        ("0 8 * * 5-1", "day of week between 0 and 6 or sun-sat instead of '5-1'"),
        ("*/0 8 * * *", "minute between 0 and 59 instead of '*/0'"),
        ("a 8 * * *", "instead of 'a'"),
        ("@reboot", "five cron fields"),
        ("", "five cron fields"),
    ],
)
def test_cron_mistakes_are_named(text: str, part: str) -> None:
    assert part in cron.problem(text)
