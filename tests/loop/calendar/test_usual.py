"""The usual load of an hour of the week."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.calendar.test_document import SALES, calendar
from tests.loop.scenes import policies as one_policy

from podium.loop.calendar import rows
from podium.loop.calendar.usual import Usual
from podium.loop.decide.table import Announced
from podium.loop.policy import ScalingPolicy
from podium.model.arrays import Float64s
from podium.model.clock import parse_rfc3339

LEAD = np.array([120.0])


def announced(text: str = SALES) -> Announced:
    (policy,) = one_policy().documents.values()
    assert isinstance(policy, ScalingPolicy)
    found = rows.announced((calendar(text),), [policy])
    assert found is not None
    return found


def lived(usual: Usual, events: Announced, since: str, until: str, load: object = None) -> None:
    """A load that is 100 + 10 x the hour in Paris' winter, minute by minute; `load` bends it."""
    for now in np.arange(parse_rfc3339(since), parse_rfc3339(until), 60.0).tolist():
        hour = (now + 3600) % 86400 // 3600
        value = 100.0 + 10 * hour if load is None else load(now)  # type: ignore[operator]
        usual.follow(now, np.array([value]), events, rows.held(events, usual, now, LEAD))


def brought(usual: Usual, events: Announced, now: str) -> list[float]:
    found: Float64s = rows.held(events, usual, parse_rfc3339(now), LEAD)
    return found.tolist()


def test_an_event_holds_from_one_lead_time_before_it_until_its_end() -> None:
    usual, events = Usual(), announced()
    lived(usual, events, "2026-11-10T00:00:00Z", "2026-11-27T07:50:00Z")
    nothing = [pytest.approx(np.nan, nan_ok=True)] * 2
    assert brought(usual, events, "2026-11-27T07:57:59Z") == nothing
    assert brought(usual, events, "2026-11-27T07:58:00Z")[0] == pytest.approx(3 * 190)  # nine o'clock in Paris
    assert brought(usual, events, "2026-11-27T12:30:00Z")[0] == pytest.approx(3 * 230)
    assert brought(usual, events, "2026-11-27T12:59:00Z")[0] == pytest.approx(3 * 240)  # the next hour is near
    assert brought(usual, events, "2026-11-27T23:00:00Z") == nothing
    assert brought(usual, events, "2026-12-01T18:29:00Z") == nothing
    assert brought(usual, events, "2026-12-01T18:30:00Z")[1] == 500.0  # half an hour before, as it says


def test_what_an_event_brings_is_not_usual() -> None:
    usual, events = Usual(), announced()
    lived(usual, events, "2026-11-20T00:00:00Z", "2026-11-27T08:00:00Z")
    lived(usual, events, "2026-11-27T08:00:00Z", "2026-11-27T12:00:00Z", lambda _: 5000.0)
    assert brought(usual, events, "2026-11-27T12:10:00Z")[0] == pytest.approx(3 * 230)


def test_an_hour_that_was_never_seen_is_taken_from_the_newest_day_that_has_it() -> None:
    usual, events = Usual(), announced()
    assert brought(usual, events, "2026-11-27T08:00:00Z")[0] == 0.0  # nobody knows
    lived(usual, events, "2026-11-25T00:00:00Z", "2026-11-27T07:00:00Z")
    assert brought(usual, events, "2026-11-27T08:00:00Z")[0] == pytest.approx(3 * 190)


def test_the_hours_of_a_week_follow_the_clocks_of_the_calendar() -> None:
    """In summer nine o'clock in Paris is seven in UTC: the week after the change, the usual nine o'clock is asked."""
    text = SALES.replace("2026-11-27T09:00", "2026-10-26T09:00")
    usual, events = Usual(), announced(text)

    def by_the_clock(now: float) -> float:
        ahead = 7200 if now < parse_rfc3339("2026-10-25T01:00:00Z") else 3600
        return 1000.0 if (now + ahead) % 86400 // 3600 == 9 else 10.0

    lived(usual, events, "2026-10-12T00:00:00Z", "2026-10-26T07:00:00Z", by_the_clock)
    assert brought(usual, events, "2026-10-26T08:10:00Z")[0] == pytest.approx(3000.0)


def test_a_checkpoint_goes_on_bit_for_bit_and_a_forgotten_slot_knows_nothing() -> None:
    usual, events = Usual(), announced()
    lived(usual, events, "2026-11-20T00:00:00Z", "2026-11-26T10:20:00Z")
    copy = Usual()
    copy.restore(usual.checkpoint())
    for one in (usual, copy):
        lived(one, events, "2026-11-26T10:20:00Z", "2026-11-27T08:00:00Z")
    theirs = copy.checkpoint()
    assert {name: array.tobytes() for name, array in usual.checkpoint().items()} == {
        name: array.tobytes() for name, array in theirs.items()
    }
    usual.forget(np.array([0]))
    assert brought(usual, events, "2026-11-27T08:00:00Z")[0] == 0.0


def test_a_policy_that_is_not_forecast_is_announced_nothing() -> None:
    (policy,) = one_policy("  forecast: {enabled: false}\n").documents.values()
    assert rows.announced((calendar(),), [policy, None]) is None


def test_both_words_of_an_event_count_and_the_larger_one_holds() -> None:
    usual, events = Usual(), announced()
    both = dataclasses.replace(events, at_least=np.array([1e4, np.nan]))
    lived(usual, both, "2026-11-26T00:00:00Z", "2026-11-27T07:50:00Z")
    assert brought(usual, both, "2026-11-27T08:00:00Z")[0] == 1e4
