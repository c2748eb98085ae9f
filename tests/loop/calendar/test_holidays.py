"""Holidays: which days they are, what is wrong with what people write, and the usual load of one."""

from __future__ import annotations

import datetime
import json

import numpy as np
import pytest
from tests.documents.samples import complaints
from tests.loop.calendar.test_usual import LEAD, announced, brought

from podium.loop.calendar import rows
from podium.loop.calendar.document import Calendar
from podium.loop.calendar.holidays import Holidays
from podium.loop.calendar.usual import Usual
from podium.model.clock import parse_rfc3339

BAVARIA = """\
apiVersion: podium.dev/v1alpha1
kind: Calendar
metadata: {name: bavaria, namespace: shop}
spec:
  timeZone: Europe/Berlin
  holidays:
    country: DE
    region: BY
    dates:
      - {date: 2026-12-24, name: Christmas Eve}
"""


def name_on(date: str, **given: object) -> str | None:
    held = Holidays.model_validate_json(json.dumps({"country": "DE", **given}))
    return held.name_on((datetime.date.fromisoformat(date) - datetime.date(1970, 1, 1)).days)


def test_a_country_a_region_and_dates_of_ones_own_are_known() -> None:
    assert name_on("2026-10-03") == "German Unity Day"
    assert name_on("2026-06-04") is None
    assert name_on("2026-06-04", region="BY") == "Corpus Christi"
    assert name_on("2026-12-24", dates=[{"date": "2026-12-24", "name": "Christmas Eve"}]) == "Christmas Eve"
    assert name_on("2026-12-24") is None


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("country: DE", "country: Germany", "spec.holidays.country: expected a country whose"),
        ("country: DE", "country: XX", "web.yaml:7:5: spec.holidays.country: expected a country whose"),
        ("region: BY", "region: BYE", "web.yaml:8:5: spec.holidays.region: expected a region of DE: BB, BE, BW, BY"),
        ("    country: DE\n", "", "web.yaml:6:3: spec.holidays.country: expected the country of the region"),
        ("2026-12-24", "2026-02-30", "web.yaml:10:10: spec.holidays.dates[0].date: expected a date that exists"),
        ("2026-12-24", "24.12.2026", "web.yaml:10:10: spec.holidays.dates[0].date: expected a date that exists"),
        ("2026-12-24", "2426-12-24", "10:10: spec.holidays.dates[0].date: expected a year between 1971 and 2199"),
        (BAVARIA.partition("  holidays")[2], ": {}\n", "web.yaml:6:3: spec.holidays.country: expected whose holidays"),
        ("  holidays" + BAVARIA.partition("  holidays")[2], "", "spec.events: expected what is announced"),
    ],
)  # fmt: skip
def test_a_mistake_is_named_with_its_place(right: str, wrong: str, said: str) -> None:
    assert right in BAVARIA
    found = complaints(BAVARIA.replace(right, wrong, 1))
    assert any(said in one for one in found), found


def lived(usual: Usual, since: str, until: str, weekday: float, sunday: float, holiday: float | None = None) -> None:
    """Days of three levels; `holiday` is that of Corpus Christi, a Thursday."""
    events = announced(BAVARIA)
    for now in np.arange(parse_rfc3339(since), parse_rfc3339(until), 60.0).tolist():
        there = datetime.datetime.fromtimestamp(now + 7200, datetime.UTC)
        value = sunday if there.weekday() == 6 else weekday
        if (there.month, there.day) == (6, 4) and holiday is not None:
            value = holiday
        usual.follow(now, np.array([value]), events, rows.held(events, usual, now, LEAD))


def test_before_the_first_holiday_it_is_a_sunday_and_then_the_last_holiday() -> None:
    usual, events = Usual(), announced(BAVARIA)
    lived(usual, "2026-05-28T22:00:00Z", "2026-06-03T22:00:00Z", 100.0, 30.0)
    assert brought(usual, events, "2026-06-03T21:30:00Z") == [pytest.approx(np.nan, nan_ok=True)]
    assert brought(usual, events, "2026-06-04T08:00:00Z") == [pytest.approx(30.0)]
    lived(usual, "2026-06-03T22:00:00Z", "2026-06-05T22:00:00Z", 100.0, 30.0, 50.0)
    assert brought(usual, events, "2026-10-03T08:00:00Z") == [pytest.approx(50.0)]  # a Saturday
    assert brought(usual, events, "2026-10-03T21:59:00Z") == [pytest.approx(np.nan, nan_ok=True)]  # Sunday is near
    assert brought(usual, events, "2026-10-04T08:00:00Z") == [pytest.approx(np.nan, nan_ok=True)]


def test_a_holiday_teaches_no_weekday() -> None:
    usual, events = (
        Usual(),
        announced(BAVARIA + "  events: [{name: S, start: 2026-06-11T10:00, for: 1h, expect: x2}]\n"),
    )
    lived(usual, "2026-05-27T22:00:00Z", "2026-06-10T22:00:00Z", 100.0, 30.0, 5.0)
    assert brought(usual, events, "2026-06-11T08:30:00Z")[0] == pytest.approx(
        200.0
    )  # a Thursday, and so was the holiday


def test_nobody_knows_what_was_never_seen() -> None:
    assert brought(Usual(), announced(BAVARIA), "2026-06-04T08:00:00Z") == [0.0]


def test_a_checkpoint_of_before_there_were_holidays_is_taken_over() -> None:
    usual = Usual()
    lived(usual, "2026-05-28T22:00:00Z", "2026-06-03T22:00:00Z", 100.0, 30.0)
    stored = usual.checkpoint()
    earlier = Usual()
    earlier.restore({**stored, "rows.hours": stored["rows.hours"][:168]})
    assert brought(earlier, announced(BAVARIA), "2026-06-04T08:00:00Z") == [pytest.approx(30.0)]


def test_the_cluster_would_refuse_what_says_nothing() -> None:
    rules = dict(Calendar.model_fields["spec"].annotation.cel_rules())  # type: ignore[union-attr]
    assert rules["(has(self.events) && size(self.events) > 0) || has(self.holidays)"] == "events, holidays or both"
