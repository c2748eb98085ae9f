"""What was recorded of a workload, made a case."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.backtest import made

from podium.loop.backtest.advice import advise
from podium.loop.backtest.answer import Rate
from podium.loop.backtest.contender import Limits
from podium.loop.backtest.recorded import Hpa, Recorded
from podium.loop.backtest.replayed import Replayed, TooLittle, history_minutes, replayed
from podium.loop.backtest.trace import DAY
from podium.signals.source import Subject

MINUTES = 2 * DAY + 400
WEB = Recorded(
    subject=Subject("shop", "deployment", "web"),
    load=np.full(MINUTES, 3.0),
    ordered=np.full(MINUTES, 8.0),
    ready=np.full(MINUTES, 8.0),
    request_cpu=1.0,
    request_memory=2.0**30,
    startup_seconds=45.0,
    hpa=Hpa("web", 2, 20, 60, ("queue_length",)),
)


def read(recorded: Recorded, *, capacity: float | None = None, by_query: bool = False) -> Replayed:
    return replayed(recorded, made.MONDAY, capacity=capacity, startup_seconds=120.0, by_query=by_query)


def test_limits_startup_and_capacity_are_those_of_the_workload() -> None:
    one = read(WEB)
    assert (one.case.capacity, one.case.startup_seconds, one.case.limits) == (1.0, 45.0, Limits(2, 20))
    assert any("queue_length too" in note for note in one.notes)


def test_a_capacity_is_as_said_or_requested_or_shown() -> None:
    assert read(WEB, capacity=2.5).case.capacity == 2.5
    assert read(dataclasses.replace(WEB, request_cpu=None)).case.capacity == 3 / 8
    assert read(WEB, by_query=True).case.capacity == 3 / 8


@pytest.mark.parametrize("told", [None, 0.5, 90_000.0])
def test_a_startup_time_that_is_not_told_or_not_believable_is_assumed(told: float | None) -> None:
    one = read(dataclasses.replace(WEB, startup_seconds=told))
    assert one.case.startup_seconds == 120.0
    assert any(note.startswith("start-up: 2m, assumed") for note in one.notes)


def test_a_silence_of_minutes_holds_and_a_longer_one_is_cut_out() -> None:
    ordered = WEB.ordered.copy()
    ordered[100:104] = np.nan
    ordered[200:300] = np.nan
    one = read(dataclasses.replace(WEB, ordered=ordered))
    assert one.case.trace.cut_minutes == 100 - 5
    assert one.course.ordered[100:104, 0].tolist() == [8, 8, 8, 8]


def test_less_than_two_days_are_too_little() -> None:
    load = WEB.load.copy()
    load[DAY:] = np.nan
    with pytest.raises(
        TooLittle, match=r"shop/web: load and replicas together are recorded for 1\.0 days; expected two"
    ):
        read(dataclasses.replace(WEB, load=load))


def test_a_workload_without_load_has_no_capacity() -> None:
    idle = dataclasses.replace(WEB, load=np.zeros(MINUTES), request_cpu=None)
    with pytest.raises(TooLittle, match="had no load in that time"):
        read(idle)


def test_half_of_a_short_history_teaches_and_seven_days_of_a_long_one() -> None:
    assert history_minutes([read(WEB)]) == MINUTES // 2
    many = np.full(9 * DAY, 3.0)
    assert history_minutes([read(dataclasses.replace(WEB, load=many, ordered=many, ready=many))]) == 7 * DAY


def test_advice_says_what_would_change_and_why() -> None:
    short = dataclasses.replace(WEB, ordered=np.full(MINUTES, 2.0), ready=np.full(MINUTES, 2.0), hpa=None)
    rate = Rate(20_000, "USD", "as said")
    ample, scarce = advise([read(short), read(WEB)], 0.001, lambda _: rate, made.memory)
    assert (ample.name, ample.replicas[:2], ample.at_risk) == ("shop/deployment/web", (8, 8), 0.0)
    assert ample.saved_micro == round(ample.saved_hours * 20_000)
    assert "it always had 8 replicas" in ample.reasons()
    assert scarce.was.unserved_fraction == pytest.approx(1 / 3)
    assert scarce.reasons()[1].startswith("33.3 % of the load found no capacity in ")
    assert scarce.saved_hours < 0


def test_no_workload_needs_no_advice() -> None:
    assert advise([], 0.001, lambda _: Rate(), made.memory) == []
