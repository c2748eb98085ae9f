"""A new load among others of its tenant: what it borrows, from whom, and what it keeps of its own."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import borrowing, installed
from podium.foresight.banded import Banded
from podium.foresight.borrowing import Loan
from podium.foresight.memory import Field, Memory

DAY, ROWS = 288, 7 * 288 + 1
STEP = 300.0
AHEAD = np.array([1800.0])
MEDIAN = np.array([0.5])


def shapes() -> NDArray[np.float64]:
    """[t, 3] logarithms of loads over ten days: two of one shape, and one of the opposite."""
    of_day = np.arange(10 * DAY) * 2 * np.pi / DAY
    return np.asarray(np.stack((np.sin(of_day), np.sin(of_day) + 1, -np.sin(of_day)), axis=1) + 3)


def memory(logarithms: NDArray[np.float64], born: list[int]) -> Memory:
    """The design's fields that are lent, after all these bins (the last is number t - 1)."""
    fields = {
        "past": Field((ROWS,), dtype=np.float16),
        "week": Field((336,), dtype=np.float16),
        "born": Field(fill=-1, dtype=np.int64),
        "periods.own": Field(fill=0.0),
        "periods.heard": Field(fill=0.0),
    }
    out = Memory(fields, logarithms.shape[1])
    last = len(logarithms) - 1
    numbers = np.arange(last - ROWS + 1, last + 1)
    out["past"][numbers % ROWS] = logarithms[numbers]
    out["born"][...] = born
    for slot, first in enumerate(born):
        out["past"][numbers[numbers < first] % ROWS, slot] = np.nan
    return out


def lent(loads: NDArray[np.float64], hours: int) -> tuple[Memory, list[Loan]]:
    """Slot 0 is as old as that."""
    last = len(loads) - 1
    inner = memory(loads, [last - 12 * hours, 0, 0][: loads.shape[1]])
    return inner, borrowing.loans(inner, last, DAY, np.zeros(loads.shape[1], np.int64))


def test_who_resembles_weighs_most_and_more_so_as_hours_pass() -> None:
    weights = [lent(shapes(), hours)[1][0].weights for hours in (1, 4, 12)]
    of_like, of_unlike = np.array(weights).T
    assert (np.diff(of_like) > 0).all()
    assert (of_like > of_unlike).all()
    assert of_like[-1] > 0.7


def test_the_days_before_are_those_of_the_lender_at_the_own_level_and_own_readings_stay() -> None:
    loads = shapes()[:, :2]
    inner, (loan,) = lent(loads, 12)
    own = inner["past"].copy()
    borrowing.lend_past(inner, len(loads) - 1, loan, np.empty(0, np.int64))
    numbers = np.arange(len(loads) - ROWS, len(loads))
    before, mine = numbers[numbers < inner["born"][0]], numbers[numbers >= inner["born"][0]]
    np.testing.assert_allclose(inner["past"][before % ROWS, 0], loads[before, 0], atol=0.2)
    np.testing.assert_array_equal(inner["past"][mine % ROWS, 0], own[mine % ROWS, 0])
    np.testing.assert_array_equal(inner["past"][:, 1], own[:, 1])


def test_who_is_explained_by_nobody_borrows_little() -> None:
    loads = shapes()
    loads[:, 0] = 3 + 0.01 * np.random.default_rng(1).standard_normal(len(loads))
    inner, (loan,) = lent(loads, 12)
    assert loan.weights.sum() < 0.1
    borrowing.lend_past(inner, len(loads) - 1, loan, np.empty(0, np.int64))
    assert inner["past"][:, 0].astype(float).std() < 0.1


@pytest.mark.parametrize(("hours", "asked"), [(0, 0), (1, 1), (23, 1), (24, 0), (48, 0)])
def test_it_is_asked_for_every_hour_of_the_first_day(hours: int, asked: int) -> None:
    loads = shapes()
    found = lent(loads, hours)[1]
    assert [(loan.slot, loan.first) for loan in found] == [(0, hours == 1)] * asked


def test_nobody_lends_to_another_group_nor_before_knowing_a_day() -> None:
    loads = shapes()
    last = len(loads) - 1
    inner = memory(loads, [last - 12, 0, last - 100])
    assert borrowing.loans(inner, last, DAY, np.array([0, 1, 0])) == []
    assert borrowing.loans(inner, last, DAY, np.array([-1, -1, -1])) == []


def taught(loads: NDArray[np.float64], groups: list[int] | None) -> NDArray[np.float32]:
    """[t, n] medians half an hour ahead."""
    forecaster = installed.load("mixture")(STEP, loads.shape[1])
    assert isinstance(forecaster, Banded)
    if groups is not None:
        forecaster.among(np.array(groups))
    out = np.empty(loads.shape, np.float32)
    for number, row in enumerate(loads, 1):
        forecaster.learn(number * STEP, row)
        out[number - 1] = forecaster.quantiles(number * STEP, MEDIAN, AHEAD)[0, 0]
    return out


def services(days: int) -> NDArray[np.float64]:
    """[t, 4] of one company; the last comes on the fifth day, six times as large as the first."""
    of_day = np.arange(days * DAY)[:, None] * 2 * np.pi / DAY
    shape = np.exp(1.2 * np.sin(of_day) + 0.4 * np.sin(3 * of_day + np.array([0, 0.3, 2, 0.1])))
    noise = np.exp(0.03 * np.random.default_rng(1).standard_normal(shape.shape))
    loads = np.array([100, 30, 500, 600]) * shape * noise
    loads[: 4 * DAY, 3] = np.nan
    return np.asarray(loads)


@pytest.mark.slow
def test_the_first_day_is_foreseen_by_those_who_know_it() -> None:
    loads = services(5)
    rows = np.arange(4 * DAY + 24, 5 * DAY - 6)
    alone, among, last = (
        np.abs(loads[rows + 6, 3] - one[rows, 3]).mean() for one in (taught(loads, None), taught(loads, [0] * 4), loads)
    )
    assert among < 0.7 * alone
    assert among < 0.7 * last


@pytest.mark.slow
def test_those_who_lend_and_those_of_other_groups_stay_as_they_are() -> None:
    loads = services(5)
    alone, among = taught(loads, None), taught(loads, [0, 0, 1, 0])
    np.testing.assert_array_equal(among[:, :3], alone[:, :3])
    assert (among[-100:, 3] != alone[-100:, 3]).any()


def test_groups_of_another_fleet_are_refused() -> None:
    forecaster = installed.load("mixture")(STEP, 3)
    assert isinstance(forecaster, Banded)
    with pytest.raises(ValueError, match="expected 3 groups, one per slot, got shape"):
        forecaster.among(np.zeros(2, np.int64))
