"""Windows by the calendar, through both odd days of the year."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from podium.loop.decide.table import Span, Windows
from podium.loop.schedule import Schedule, ask, starts
from podium.model.clock import parse_rfc3339, rfc3339

PARIS = "Europe/Paris"
HOUR = 3600.0


def begins(cron: str, zone: str, after: str, count: int) -> list[str]:
    found = starts(Span(cron, zone, HOUR), parse_rfc3339(after))
    return [rfc3339(moment)[:16] for moment in itertools.islice(found, count)]


@pytest.mark.parametrize(
    ("cron", "zone", "after", "moments"),
    [
        ("0 8 * * 1-5", PARIS, "2026-11-20T12:00:00Z", ["2026-11-23T07:00", "2026-11-24T07:00"]),
        # In March 02:30 is skipped: the window begins when the clocks have moved on, at 03:00.
        ("30 2 * * *", PARIS, "2026-03-28T12:00:00Z", ["2026-03-29T01:00", "2026-03-30T00:30"]),
        ("*/20 2 * * *", PARIS, "2026-03-28T12:00:00Z", ["2026-03-29T01:00", "2026-03-30T00:00"]),
        ("* 2 * * *", PARIS, "2026-03-28T12:00:00Z", ["2026-03-29T01:00", "2026-03-30T00:00"]),
        # In October 02:30 comes twice: the window begins once, the first time.
        ("30 2 * * *", PARIS, "2026-10-24T12:00:00Z", ["2026-10-25T00:30", "2026-10-26T01:30"]),
        ("30 2 * * *", PARIS, "2026-10-25T00:45:00Z", ["2026-10-26T01:30", "2026-10-27T01:30"]),
        # Every hour is every hour, also the one that comes twice.
        ("0 * * * *", PARIS, "2026-10-24T23:30:00Z", ["2026-10-25T00:00", "2026-10-25T01:00"]),
        # Half an hour is skipped on Lord Howe Island.
        ("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T12:00:00Z", ["2026-10-03T15:30", "2026-10-04T15:15"]),
        # As a CronJob has it: a weekday and a day with a step are joined by "or".
        ("0 0 1-31/10 * 1", "UTC", "2026-06-01T12:00:00Z", ["2026-06-08T00:00", "2026-06-11T00:00"]),
        ("@monthly", "UTC", "2026-06-01T12:00:00Z", ["2026-07-01T00:00", "2026-08-01T00:00"]),
    ],
)
def test_a_window_begins_where_the_clocks_of_its_zone_say(cron: str, zone: str, after: str, moments: list[str]) -> None:
    assert begins(cron, zone, after, len(moments)) == moments


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-03-27T06:59:59Z", None),
        ("2026-03-27T07:00:00Z", "2026-03-27T19:00:00Z"),
        ("2026-03-27T18:59:59Z", "2026-03-27T19:00:00Z"),
        ("2026-03-27T19:00:00Z", None),
        ("2026-03-30T06:00:00Z", "2026-03-30T18:00:00Z"),  # summer time: 08:00 is 06:00 UTC
    ],
)
def test_a_window_holds_from_its_first_second_to_before_its_last(now: str, until: str | None) -> None:
    answer = ask(Span("0 8 * * 1-5", PARIS, 12 * HOUR), parse_rfc3339(now))
    assert (None if np.isnan(answer.until) else rfc3339(answer.until)) == until


def test_twelve_hours_are_twelve_hours_in_the_night_the_clocks_change() -> None:
    answer = ask(Span("0 20 * * *", PARIS, 12 * HOUR), parse_rfc3339("2026-03-28T20:00:00Z"))
    assert rfc3339(answer.until) == "2026-03-29T07:00:00Z"  # 09:00 in Paris, not 08:00


def test_windows_that_follow_each_other_are_one_to_who_asks_until_when() -> None:
    answer = ask(Span("0 8,9,10 * * *", "UTC", HOUR), parse_rfc3339("2026-06-01T08:10:00Z"))
    assert rfc3339(answer.until) == "2026-06-01T11:00:00Z"


def test_a_29th_of_february_is_waited_for() -> None:
    assert begins("0 0 29 2 *", "UTC", "2026-01-01T00:00:00Z", 1) == ["2028-02-29T00:00"]


def windows(*spans: Span) -> Windows:
    return Windows(spans=spans)


def test_answers_are_kept_for_as_long_as_they_hold_and_no_longer() -> None:
    span, schedule = Span("0 8 * * *", PARIS, 12 * HOUR), Schedule()
    asked = [schedule.held(windows(span), parse_rfc3339(f"2026-06-01T{hour:02}:00:00Z"))[0] for hour in range(24)]
    assert [hour for hour, until in enumerate(asked) if not np.isnan(until)] == list(range(6, 18))
    back = schedule.held(windows(span), parse_rfc3339("2026-06-01T07:00:00Z"))  # the clock was set back
    assert rfc3339(back[0]) == "2026-06-01T18:00:00Z"


CRONS = st.sampled_from(
    ["0 8 * * 1-5", "30 2 * * *", "*/20 2 * * *", "0 * * * *", "15 1,2,3 * * 0", "0 0 1 * *", "5/20 */6 * * *"]
)
ZONES = st.sampled_from(["UTC", PARIS, "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
HALF_A_YEAR = st.floats(1.79e9, 1.81e9, allow_nan=False)


@settings(deadline=None, max_examples=60)
@given(CRONS, ZONES, st.sampled_from([900.0, HOUR, 12 * HOUR, 36 * HOUR]), HALF_A_YEAR, st.floats(0, 2e5))
def test_what_is_remembered_is_what_would_be_found_anew(
    cron: str, zone: str, duration: float, now: float, later: float
) -> None:
    span, schedule = Span(cron, zone, duration), Schedule()
    schedule.held(windows(span), now)
    (kept,) = schedule.held(windows(span), now + later)
    anew = ask(span, now + later).until
    assert np.isnan(kept) == np.isnan(anew)


@settings(deadline=None, max_examples=60)
@given(CRONS, ZONES, st.sampled_from([900.0, HOUR, 36 * HOUR]), HALF_A_YEAR)
def test_a_window_holds_exactly_when_one_of_its_beginnings_is_not_too_long_ago(
    cron: str, zone: str, duration: float, now: float
) -> None:
    span = Span(cron, zone, duration)
    recent = itertools.takewhile(lambda moment: moment <= now, starts(span, now - 40 * 86400))
    expected = any(now - duration < moment <= now for moment in recent)
    assert (not np.isnan(ask(span, now).until)) == expected
