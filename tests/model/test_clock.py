from __future__ import annotations

import pytest

from podium.model import clock


@pytest.mark.parametrize(
    "text", ["0001-01-01T00:00:00Z", "0001-01-02T05:00:00+05:00", "9999-12-31T23:59:59Z", "1800-06-01T12:00:00-03:00"]
)
def test_a_time_of_any_year_is_read_and_written(text: str) -> None:
    assert clock.parse_rfc3339(clock.rfc3339(clock.parse_rfc3339(text))) == clock.parse_rfc3339(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_a_time_that_leaves_the_calendar_in_utc_is_refused_in_words(text: str) -> None:
    with pytest.raises(ValueError, match=r"lies outside the years 1 to 9999 in UTC"):
        clock.parse_rfc3339(text)
