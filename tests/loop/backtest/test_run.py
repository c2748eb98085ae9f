"""Back-tests as wholes: the rules, the contenders, and days side by side."""

from __future__ import annotations

import numpy as np
import pytest
from tests.loop.backtest import made

from podium.loop.backtest import seams
from podium.loop.backtest.contender import Contender, Unclear, parse
from podium.loop.backtest.foresee import foresee
from podium.loop.backtest.run import Field, Rules, TooShort, WrongCapacity, backtest, spread_case, usual_capacity
from podium.loop.backtest.score import oracle_replicas
from podium.loop.backtest.trace import DAY, Trace
from podium.loop.simulate import REPLICA
from podium.model.fleet import Fleet, Slot


def test_the_oracle_serves_everything_and_costs_what_each_minute_needs() -> None:
    load = np.repeat([30.0, 31.0, 90.0, 0.0], DAY // 2)
    (oracle,) = made.ran([made.case(load)], "oracle")
    (score,) = oracle.scores
    assert score.unserved_fraction == 0
    assert score.replica_hours == score.oracle_replica_hours == (3 + 1) * 12
    assert score.changes == pytest.approx([2])


def test_a_constant_size_leaves_unserved_what_exceeds_it() -> None:
    load = np.repeat([30.0, 90.0], DAY)
    (static,) = made.ran([made.case(load)], "static:2")
    (score,) = static.scores
    assert score.unserved_fraction == pytest.approx(30 / 90)
    assert (score.violation_minutes, score.replica_hours, score.oracle_replica_hours) == (DAY, 48, 72)
    assert score.changes.tolist() == [0]


def test_new_replicas_serve_only_after_the_startup_time() -> None:
    load = np.repeat([20.0, 200.0], [2 * DAY, 60])
    (hpa,) = made.ran([made.case(load, capacity=100, startup=180)], "hpa:50")
    ordered, ready = hpa.course.ordered[2 * DAY :, 0], hpa.course.ready[2 * DAY :, 0]
    # 200 at 100 each and a target of 50 %: 4. The second minute sees 4 ordered, 3 of them idle, and leaves it there.
    assert ordered[:6].tolist() == [4, 4, 4, 4, 4, 4]
    assert ready[:6].tolist() == [1, 1, 1, 4, 4, 4]
    (score,) = hpa.scores
    assert score.violation_minutes == 3


def test_an_hpa_goes_down_five_minutes_after_the_load() -> None:
    load = np.repeat([200.0, 20.0], [2 * DAY, 60])
    (hpa,) = made.ran([made.case(load, capacity=100)], "hpa:50")
    assert hpa.course.ordered[2 * DAY :, 0].tolist()[:6] == [4, 4, 4, 4, 1, 1]


def test_what_is_cut_out_is_neither_judged_nor_paid() -> None:
    load = made.waves(3)
    load[2 * DAY : 2 * DAY + 300] = np.nan
    (hpa,) = made.ran([made.case(load)], "hpa:70")
    (score,) = hpa.scores
    assert score.minutes.tolist() == [DAY, DAY - 300]
    held = hpa.course.ordered[2 * DAY : 2 * DAY + 300, 0]
    assert held.min() == held.max() == hpa.course.ordered[2 * DAY - 1, 0]


@pytest.mark.slow
def test_days_side_by_side_are_the_course_from_end_to_end(monkeypatch: pytest.MonkeyPatch) -> None:
    cases = [
        made.case(np.repeat([299.0, 310.0], 600)),  # never leaves the tolerance: a guess would last for ever
        made.case(made.waves(1, seed=3, highest=120.0)[:1100], startup=600),
    ]
    names = ("podium", "hpa:70")
    whole = made.ran(cases, *names, history_minutes=200)
    monkeypatch.setattr(seams, "DAY", 300)
    monkeypatch.setattr(seams, "EARLY", 30)
    for days, end_to_end in zip(made.ran(cases, *names, history_minutes=200), whole, strict=True):
        for slot, case in enumerate(cases):
            judged = slice(200, len(case.trace))
            np.testing.assert_array_equal(days.course.ordered[judged, slot], end_to_end.course.ordered[judged, slot])
            np.testing.assert_array_equal(days.course.ready[judged, slot], end_to_end.course.ready[judged, slot])


def test_traces_of_other_times_keep_their_own_figures() -> None:
    load = made.waves(1)
    first, second = made.case(load[:900]), made.case(load[400:1000], first=made.MONDAY - 40 * DAY)
    together = made.ran([first, second], "hpa:60", history_minutes=300)[0].scores
    apart = [made.ran([case], "hpa:60", history_minutes=300)[0].scores[0] for case in (first, second)]
    for both, alone in zip(together, apart, strict=True):
        assert both.replica_hours == alone.replica_hours
        assert both.unserved_fraction == alone.unserved_fraction


def test_what_is_foreseen_is_the_floor_of_the_loops_memory() -> None:
    loads = np.repeat(made.waves(1)[:300, None], 2, axis=1)
    lead, risk = np.array([60.0, 300.0]), np.array([0.001, 0.05])
    foreseen = foresee(loads, made.MONDAY, lead, risk, np.array([200, 200]), made.memory)
    memory = made.memory()
    memory.adopt(Fleet((Slot(None), Slot(None))))
    for row, load in enumerate(loads):
        memory.outlook.step((made.MONDAY + row) * 60.0, load, lead, risk, np.full(2, REPLICA))
    forecast = memory.forecast((made.MONDAY + 299) * 60.0)
    np.testing.assert_allclose(foreseen.floor[299], forecast.floor, rtol=1 / 4000)  # recorded with 12 bits
    np.testing.assert_allclose(foreseen.expected[299], forecast.expected, rtol=1 / 4000)
    assert (foreseen.expected[299] > 0).all()
    assert foreseen.at(0.0, np.array([299]), np.array([1])).trusted.tolist() == [bool(forecast.trusted[1])]
    assert np.isnan(foreseen.floor[:200]).all()


@pytest.mark.slow
def test_a_reserve_is_a_part_of_what_podium_pays_and_others_keep_none() -> None:
    podium, hpa = made.ran([made.case(made.waves(2)[: DAY + 300])], "podium", "hpa:70", history_minutes=DAY)
    score = podium.scores[0]
    assert hpa.scores[0].reserve_hours is None
    assert score.reserve_hours is not None
    assert 0 < score.reserve_hours < score.replica_hours
    assert score.part(slice(0, 1)).reserve_hours == score.reserve_hours


def test_the_progress_of_the_forecasts_is_told() -> None:
    told: list[float] = []
    field = Field([made.case(made.waves(2)[: DAY + 100])], Rules(DAY))
    list(backtest(field, [parse("podium", 0.01)], made.memory, told.append))
    assert told == [0, DAY / (DAY + 100)]


def test_the_usual_capacity_is_a_fiftieth_of_the_999th_thousandth() -> None:
    assert usual_capacity(Trace("t", 0, np.arange(1001.0))) == 999 / 50
    with pytest.raises(WrongCapacity, match="zero nearly all the time"):
        usual_capacity(Trace("t", 0, np.zeros(100)))


def test_too_short_a_trace_says_what_it_has() -> None:
    with pytest.raises(TooShort, match=r"has 2\.0 days, of which 7\.0 are history"):
        Field([made.case(made.waves(2))], Rules())


def test_a_capacity_in_the_wrong_unit_is_recognised() -> None:
    with pytest.raises(WrongCapacity, match="is the capacity in the unit of the series"):
        Field([made.case(made.waves(3), capacity=0.001)], Rules(DAY))


@pytest.mark.parametrize(
    ("text", "contender"),
    [
        ("podium", Contender("podium", "podium", 0.001)),
        ("podium:0.02", Contender("podium:0.02", "podium", 0.02)),
        ("hpa:70", Contender("hpa:70", "hpa", 70)),
        ("static:3", Contender("static:3", "static", 3)),
    ],
)
def test_contenders_are_read(text: str, contender: Contender) -> None:
    assert parse(text, 0.001) == contender


@pytest.mark.parametrize("text", ["", "hpa", "hpa:0", "hpa:70.5", "static:0", "podium:2", "oracle:1", "kpa:3", "vpa"])
def test_anything_else_is_refused_with_what_there_is(text: str) -> None:
    with pytest.raises(Unclear, match="is not a policy; expected podium"):
        parse(text, 0.001)


def test_the_oracle_keeps_one_replica_under_no_load() -> None:
    assert oracle_replicas(np.array([0.0, 1000.0, 1000.1, np.nan])).tolist() == [1, 1, 2, 1]


def test_keda_s_hpa_orders_what_the_load_needs_at_its_lag() -> None:
    steady = np.full(3 * DAY, 600.0)  # 20 replicas' worth of 30
    full, lagging = (made.ran([made.case(steady)], name)[0] for name in ("keda:100", "keda:50"))
    assert (full.course.ordered[-1, 0], lagging.course.ordered[-1, 0]) == (20, 40)


def test_a_fourier_forecast_orders_ahead_of_a_rise_that_the_days_before_have_shown() -> None:
    blind, foreseeing = (
        made.ran([made.case(made.waves(5), startup=3600.0)], name, history_minutes=3 * DAY)[0]
        for name in ("keda:95", "fft:95")
    )
    assert foreseeing.scores[0].unserved_fraction < blind.scores[0].unserved_fraction
    assert foreseeing.scores[0].replica_hours > blind.scores[0].replica_hours


def test_every_order_has_a_startup_of_its_own_and_every_contender_the_same_ones() -> None:
    load = np.repeat([20.0, 200.0, 400.0, 800.0], [DAY, 60, 60, 60])
    case = spread_case(Trace("made", made.MONDAY, load), 100.0, [60.0, 300.0])
    assert case.startup_seconds == 300.0
    drawn = Field([case], Rules(DAY // 2)).drawn[:, 0]
    assert set(drawn.tolist()) == {60.0, 300.0}
    (hpa,) = made.ran([case], "hpa:50", history_minutes=DAY // 2)
    ordered, ready = hpa.course.ordered[:, 0], hpa.course.ready[:, 0]
    for minute in (DAY, DAY + 60, DAY + 120):
        wait = round(drawn[minute] / 60)
        assert ready[minute + wait - 1] < ordered[minute] == ready[minute + wait]


def test_startups_that_are_all_alike_are_one() -> None:
    case = spread_case(Trace("made", made.MONDAY, np.full(DAY, 5.0)), 1.0, [90.0, 90.0])
    assert (case.startup_seconds, case.starts) == (90.0, ())
