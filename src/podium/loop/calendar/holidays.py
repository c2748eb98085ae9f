"""Days on which a weekday is none: the public holidays of a country or region, and dates of one's own.

Which days those are is the `holidays` package's to know. A day is counted from 1 January 1970 on the calendar's clocks.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import pydantic
from pydantic import Field

from podium.documents.problem import nearest
from podium.documents.shape import Objection, Shape
from podium.documents.values import unexpected, written_as

if TYPE_CHECKING:
    from holidays import HolidayBase

_EPOCH = datetime.date(1970, 1, 1).toordinal()
_COUNTRY = re.compile(r"[A-Z]{2}")
_DATE = re.compile(r"\d{4}-\d\d-\d\d")


def _country(value: str) -> str:
    if _COUNTRY.fullmatch(value) is None or _of(value, "") is None:
        raise unexpected("a country whose public holidays are known, by its two letters of ISO 3166, as in DE")
    return value


def _date(value: str) -> str:
    expected = "a date that exists, as in 2026-12-24"
    if _DATE.fullmatch(value) is None:
        raise unexpected(expected)
    try:
        year = datetime.date.fromisoformat(value).year
    except ValueError:
        raise unexpected(expected) from None
    if not 1970 < year < 2200:
        raise unexpected("a year between 1971 and 2199")
    return value


class Day(Shape):
    """A date of one's own."""

    date: Annotated[str, pydantic.AfterValidator(_date), written_as(_DATE.pattern, 10)]
    """The day, on the clocks of `timeZone`, as in 2026-12-24."""
    name: Annotated[str, Field(min_length=1, max_length=100)]
    """What people call it; reasons name it."""


class Holidays(Shape):
    """Days whose load is that of the last holiday or, before the first, of a Sunday."""

    country: Annotated[str, pydantic.AfterValidator(_country), written_as(_COUNTRY.pattern, 2)] | None = None
    """Whose public holidays, by its two letters of ISO 3166, as in DE."""
    region: Annotated[str, Field(min_length=1, max_length=20)] | None = None
    """A part of the country with holidays of its own, as in BY for Bavaria."""
    dates: Annotated[tuple[Day, ...], Field(max_length=1000)] = ()
    """More days of the same kind: of the company, of the town."""

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """What the API server can say itself."""
        return (
            ("has(self.country) || (has(self.dates) && size(self.dates) > 0)", "country, dates or both"),
            ("!has(self.region) || has(self.country)", "country, because region is written"),
        )

    def objections(self) -> Iterator[Objection]:
        """It names days, and a region that its country has."""
        if self.country is None and not self.dates:
            yield Objection(("country",), "whose holidays: a country, dates, or both")
        if self.region is None:
            return
        if self.country is None:
            yield Objection(("country",), "the country of the region")
        elif _of(self.country, self.region) is None:
            yield Objection(("region",), _regions(self.country, self.region))

    def name_on(self, day: int) -> str | None:
        """What is celebrated on that day (since 1970); None: it is a day like others."""
        date = datetime.date.fromordinal(_EPOCH + day)
        own = next((one.name for one in self.dates if one.date == date.isoformat()), None)
        if own is not None or self.country is None:
            return own
        return _names(self.country, self.region or "", date.year).get(date)


def _regions(country: str, given: str) -> str:
    known = _of(country, "")
    there = [*known.subdivisions] if known is not None else []
    if not there:
        return f"nothing: no region of {country} is known to have holidays of its own"
    return f"a region of {country}: {', '.join(there)}{nearest(given, there)}"


def _of(country: str, region: str, year: int | None = None) -> HolidayBase | None:
    """The package's own table; None where it has no such country or region."""
    import holidays  # a fifth of a second, which who has none does not wait for

    try:
        return holidays.country_holidays(country, subdiv=region or None, years=year, expand=False, language="en_US")
    except NotImplementedError:
        return None


@functools.lru_cache(maxsize=1024)
def _names(country: str, region: str, year: int) -> dict[datetime.date, str]:
    found = _of(country, region, year)
    return {} if found is None else dict(found.items())
