"""What is expected within the lead time, read from forecasts a few steps ahead."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.decide.fleets import Conducted, reasons, table

from podium.loop.decide.ahead import expected_load
from podium.loop.remember.record import of_levels
from podium.model.decision import Reason
from podium.model.forecast import Forecast

NAN = np.nan
CURVES = [[10.0, 10.0, 10.0], [10.0, 40.0, NAN], [40.0, 10.0, 10.0], [10.0, 10.0, 10.0], [NAN, NAN, NAN]]


def forecast(*ahead: float) -> Forecast:
    """Five workloads, three steps ahead; the second level is ten times the first."""
    curve = np.array(CURVES, np.float32).T
    size = len(CURVES)
    return Forecast(
        0.0, np.array([0.5, 0.99]), np.array(ahead), np.stack([curve, 10 * curve]),
        np.full(size, NAN, np.float32), np.ones(size, np.bool_),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("ahead", "lead", "expected"),
    [
        ((60, 120, 180), 60.0, [10, 10, 40, 10]),
        ((60, 120, 180), 120.0, [10, 40, 40, 10]),
        ((60, 120, 180), 90.0, [10, 25, 40, 10]),  # half of the way to the 40 of 120 s
        ((45, 105, 165), 60.0, [10, 17.5, 40, 10]),  # a quarter of it
        ((-15, 45, 105), 60.0, [10, 40, 10, 10]),  # the 40 of the third is past; of the second nothing lies behind
        ((60, 120, 180), 5.0, [10, 10, 40, 10]),  # at least one step ahead
        ((60, 120, 180), 900.0, [10, 40, 40, 10]),  # nothing is known of what is farther
    ],
)
def test_the_largest_load_within_the_lead_time_is_expected(
    ahead: tuple[float, ...], lead: float, expected: list[float]
) -> None:
    policies = dataclasses.replace(table(5, forecast=True), level=np.full(5, 0.5))
    found = expected_load(policies, forecast(*ahead), np.full(5, lead))
    assert found[:4].tolist() == expected
    assert np.isnan(found[4])


def test_who_asks_between_two_levels_gets_the_upper_one_also_from_what_the_ledger_keeps() -> None:
    policies = dataclasses.replace(table(5, forecast=True), level=np.array([0.5, 0.6, 0.99, 0.995, 0.6]))
    whole, lead = forecast(60, 120, 180), np.full(5, 60.0)
    assert expected_load(policies, whole, lead)[:4].tolist() == [10, 100, 400, 100]

    kept = of_levels(whole, policies.level[1:])
    assert kept.levels.tolist() == [0.99]
    assert expected_load(policies, kept, lead)[1:4].tolist() == [100, 400, 100]


def floors(trusted: bool = True, realised: float = 0.0) -> Forecast:
    """A forecast with a floor of 90 for the first workload, and none for the second."""
    none = np.empty((0, 1, 2), np.float32)
    return Forecast(
        0.0, np.empty(0), np.array([60.0]), none, np.full(2, 0.9, np.float32), np.full(2, trusted),
        np.array([90.0, NAN], np.float32), np.full(2, realised, np.float32),
    )  # fmt: skip


def test_the_floor_is_what_is_expected_until_nobody_learns_any_more() -> None:
    policies = table(2, forecast=True)
    assert expected_load(policies, floors(), np.full(2, 60.0))[0] == 90
    stale = dataclasses.replace(floors(), ahead=np.array([-61.0]))
    assert np.isnan(expected_load(policies, stale, np.full(2, 60.0))).all()


@pytest.mark.parametrize(("trusted", "code"), [(True, Reason.FORECAST_RAISES), (False, Reason.MARGIN_RAISES)])
def test_the_floor_raises_and_says_whether_it_is_a_forecast_or_a_margin(trusted: bool, code: Reason) -> None:
    fleet = Conducted(table(2, forecast=True), 5)
    fleet.at += 15
    decisions = fleet.decided(fleet.seen(50.0), dataclasses.replace(floors(trusted), at=fleet.at))
    assert decisions.replicas.tolist() == [9, 5]
    assert code in reasons(decisions)


def test_who_asked_for_less_unserved_load_than_there_was_is_told() -> None:
    policies = dataclasses.replace(table(2, forecast=True), risk=np.array([0.001, NAN]))
    told = []
    for realised in (0.0019, 0.0021):
        fleet = Conducted(policies, 5)
        fleet.at += 15
        decisions = fleet.decided(fleet.seen(50.0), dataclasses.replace(floors(realised=realised), at=fleet.at))
        told.append(Reason.RISK_MISSED in reasons(decisions))
    assert told == [False, True]
