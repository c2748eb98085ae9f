"""Announced events in a decision."""

from __future__ import annotations

import dataclasses
import datetime

import numpy as np
import pytest
from tests.loop.calendar.test_document import SALES, calendar
from tests.loop.calendar.test_holidays import BAVARIA
from tests.loop.decide.fleets import CAPACITY, START, Conducted, expected, reasons, table
from tests.loop.scenes import FLEET, WEB, policies

from podium.loop.calendar.holidays import Holidays
from podium.loop.decide.table import Announced
from podium.loop.policy import ScalingPolicy
from podium.loop.tabulate import Policies, tabulate
from podium.loop.tell import words
from podium.model.decision import Decisions, Reason
from podium.model.snapshot import Held

EVENT = Announced(
    slots=np.zeros(1, np.int32), start=np.array([START + 300]), end=np.array([START + 3600]),
    before=np.full(1, np.nan), factor=np.array([3.0]), at_least=np.full(1, np.nan), event=np.zeros(1, np.int16),
    zone=np.zeros(1, np.int32), zones=("Europe/Paris",), multiplied=np.zeros(1, np.int32), clocks=np.zeros(1, np.int32),
)  # fmt: skip


def decided(load: float, brings: float, *, replicas: int = 10, capacity: float = CAPACITY) -> Decisions:
    """One turn of a workload under `load`, for which an event brings so much."""
    told = dataclasses.replace(table(1), announced=EVENT, capacity=np.array([capacity]))
    fleet = Conducted(told, replicas)
    seen = dataclasses.replace(fleet.seen(load), held=Held(np.empty(0), np.empty(0, np.int8), np.array([brings])))
    return fleet.decided(seen, expected(1, np.nan, trusted=False))


def test_what_is_announced_is_carried_though_no_forecast_is_trusted() -> None:
    found = decided(95.0, 180.0)
    assert found.replicas.tolist() == [18]
    assert Reason.ANNOUNCED_RAISES in reasons(found)


def test_an_announcement_lowers_nothing() -> None:
    quiet, announced = decided(95.0, np.nan), decided(95.0, 20.0)
    assert announced.replicas.tolist() == quiet.replicas.tolist()
    assert Reason.ANNOUNCED in reasons(announced)
    assert Reason.ANNOUNCED not in reasons(quiet)


@pytest.mark.parametrize(("brings", "capacity"), [(0.0, CAPACITY), (180.0, np.nan)])
def test_what_cannot_be_reckoned_is_said_and_changes_nothing(brings: float, capacity: float) -> None:
    found = decided(95.0, brings, capacity=capacity)
    assert found.replicas.tolist() == [10]
    assert Reason.ANNOUNCED_UNKNOWN in reasons(found)


def test_its_maximum_holds_whatever_is_announced() -> None:
    assert decided(95.0, 1e9, replicas=900).replicas.tolist() == [1000]


def test_the_reason_names_the_event_and_when_it_is_prepared_for() -> None:
    written = policies()
    (spec,) = (one.spec for one in written.documents.values() if isinstance(one, ScalingPolicy))
    everything = dataclasses.replace(written, calendars=(calendar(SALES),))
    since = datetime.datetime.fromisoformat("2026-11-27T07:58:00+00:00").timestamp()

    def said(code: Reason, *numbers: float) -> str:
        return words.sentence(code, 0, numbers, spec, (), events=everything.events)  # type: ignore[arg-type]

    assert said(Reason.ANNOUNCED, 570.0, since, np.nan) == (
        "Black Friday announced: x3 from 08:58 Europe/Paris, a load of 570"
    )
    assert said(Reason.ANNOUNCED_RAISES, 7.0, 570.0, since) == (
        "raised to 7 for a load of 570: Black Friday announced: x3 from 08:58 Europe/Paris"
    )
    assert said(Reason.ANNOUNCED_UNKNOWN, 0.0, since, np.nan) == (
        "Black Friday announced: x3 from 08:58 Europe/Paris, but the usual load of that hour is not known yet"
    )


def test_calendars_are_recorded_with_the_policies_and_change_their_digest() -> None:
    plain = policies()
    announced = dataclasses.replace(plain, calendars=(calendar(SALES),))
    again = Policies.from_json(announced.to_json())
    assert again.digest() == announced.digest() != plain.digest()
    assert Policies.from_json(plain.to_json()).calendars == ()
    found = tabulate(again, FLEET).announced
    assert found is not None
    assert (found.slots.tolist(), found.factor.tolist()[0], found.at_least.tolist()[1]) == ([0, 0], 3.0, 500.0)
    assert tabulate(plain, FLEET).announced is None
    assert WEB.namespace == "shop"


HOLIDAY = dataclasses.replace(
    EVENT, start=np.full(1, np.nan), end=np.full(1, np.nan), factor=np.full(1, np.nan), days=np.zeros(1, np.int32),
    calendars=(Holidays.model_validate({"country": "DE"}),),
)  # fmt: skip


def on_a_holiday(load: float, usual: float, foreseen: float, replicas: int = 10) -> Decisions:
    """One turn on a day that is a holiday now, if `usual` says so (NaN: it is none)."""
    fleet = Conducted(dataclasses.replace(table(1, forecast=True), announced=HOLIDAY), replicas)
    held = Held(np.empty(0), np.empty(0, np.int8), np.array([usual]))
    seen = dataclasses.replace(fleet.seen(load), held=held)
    return fleet.decided(seen, expected(1, foreseen))


def test_a_holiday_raises_to_its_usual_load() -> None:
    found = on_a_holiday(55.0, 180.0, 60.0)
    assert (found.replicas.tolist(), Reason.ANNOUNCED_RAISES in reasons(found)) == ([18], True)


@pytest.mark.parametrize(
    ("load", "usual", "replicas"),
    [
        (95.0, np.nan, 19),  # no holiday: as foreseen
        (95.0, 100.0, 15),  # half as much again as usual
        (95.0, 20.0, 15),  # and as the present load, where a holiday is none: never below what is there
        (95.0, 0.0, 19),  # what is usual is not known
        (115.0, 20.0, 18),  # a load that rises is followed
        (np.nan, 100.0, 19),  # the load is not known: nothing is taken from the forecast
    ],
)
def test_on_a_holiday_no_weekday_is_foreseen(load: float, usual: float, replicas: int) -> None:
    found = on_a_holiday(load, usual, 190.0)
    assert found.replicas.tolist() == [replicas]
    assert (Reason.HOLIDAY_BOUNDS in reasons(found)) == (replicas != 19)


def test_a_holiday_is_called_by_its_name() -> None:
    written = dataclasses.replace(policies(), calendars=(calendar(BAVARIA),))
    at = datetime.datetime.fromisoformat("2026-06-04T08:00:00+00:00").timestamp()

    def said(code: Reason, *numbers: float) -> str:
        return words.sentence(code, 0, numbers, None, (), events=written.events)  # type: ignore[arg-type]

    assert said(Reason.ANNOUNCED_RAISES, 7.0, 570.0, at) == (
        "raised to 7 for a load of 570: Corpus Christi, as on the last holiday or a Sunday"
    )
    assert said(Reason.HOLIDAY_BOUNDS, 400.0, 150.0, at) == (
        "the forecast of 400 counts as 150: Corpus Christi, as on the last holiday or a Sunday"
    )
