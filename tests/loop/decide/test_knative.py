"""KPA by hand: windows second by second, the panic, and its part in the order of policies."""

from __future__ import annotations

import numpy as np
import pytest
from tests.loop.decide.fleets import Conducted, reasons, rules, table

from podium.loop.decide import policies
from podium.loop.decide.knative import average, record, scale
from podium.loop.decide.state import empty_window, no_panic
from podium.model.arrays import Float64s, Int64s
from podium.model.decision import Reason


def floats(*values: float) -> Float64s:
    return np.array(values, np.float64)


def counts(*values: int) -> Int64s:
    return np.array(values, np.int64)


# Windows


def test_a_window_that_is_not_full_yet_is_divided_by_the_seconds_it_has() -> None:
    window = empty_window(1, 6)
    for second, value in ((100, 10.0), (101, 20.0), (102, 30.0)):
        window = record(window, second, floats(value))
    assert average(window, 102).tolist() == [20.0]


def test_seconds_without_a_value_inside_the_window_count_as_nothing() -> None:
    window = record(record(empty_window(1, 6), 100, floats(10.0)), 103, floats(30.0))
    assert average(window, 103).tolist() == [10.0]  # 40 over the four seconds 100 to 103


def test_after_the_last_value_the_average_is_over_what_is_left_of_the_window() -> None:
    window = empty_window(1, 6)
    for second in range(100, 106):
        window = record(window, second, floats(float(second - 99)))  # 1 2 3 4 5 6
    assert [average(window, 105 + gap).tolist()[0] for gap in (0, 1, 3, 5, 6)] == [3.5, 4.0, 5.0, 6.0, 0.0]


def test_a_window_without_any_value_begins_anew() -> None:
    window = record(empty_window(2, 6), 100, floats(60.0, 60.0))
    window = record(window, 106, floats(12.0, np.nan))
    assert average(window, 106).tolist() == [12.0, 0.0]
    assert window.first.tolist() == [106, 100]


def test_averages_are_rounded_to_six_digits() -> None:
    window = empty_window(1, 6)
    for second, value in ((100, 1.0), (101, 0.0), (102, 0.0)):
        window = record(window, second, floats(value))
    assert average(window, 102).tolist() == [0.333333]


# Decisions


def test_the_stable_window_alone_decides_while_all_is_calm() -> None:
    done = scale(no_panic(1), 0.0, floats(250.0), floats(250.0), floats(70.0), counts(3))
    # A slot first seen with more than one pod begins in panic, which keeps its size; one pod does not.
    assert done.wanted.tolist() == [4]
    calm = scale(no_panic(1), 0.0, floats(65.0), floats(65.0), floats(70.0), counts(1))
    assert (calm.wanted.tolist(), np.isnan(calm.panic.at).tolist()) == ([1], [True])


def test_twice_what_serves_is_panic_and_just_under_it_is_not() -> None:
    # 4 pods do 280 at 70 each: 490 asks for 7, 7/4 < 2; 491 asks for 8, 8/4 = 2.
    begun = scale(no_panic(1), 0.0, floats(280.0), floats(280.0), floats(70.0), counts(4)).panic
    later = scale(begun, 61.0, floats(280.0), floats(280.0), floats(70.0), counts(4))
    assert np.isnan(later.panic.at).tolist() == [True]  # the panic of the start is over after 60 s
    below = scale(later.panic, 70.0, floats(280.0), floats(490.0), floats(70.0), counts(4))
    above = scale(later.panic, 70.0, floats(280.0), floats(491.0), floats(70.0), counts(4))
    assert (below.wanted.tolist(), above.wanted.tolist()) == ([4], [8])


def test_in_panic_nothing_is_taken_away_until_a_stable_window_after_the_last_surge() -> None:
    panic = scale(no_panic(1), 0.0, floats(60.0), floats(700.0), floats(70.0), counts(1)).panic
    wanted = []
    for now in (2.0, 30.0, 60.0, 62.0):
        done = scale(panic, now, floats(60.0), floats(60.0), floats(70.0), counts(10))
        panic = done.panic
        wanted.append(int(done.wanted[0]))
    assert wanted == [10, 10, 10, 5]  # over at 62 s; down at most by half of the ten that serve


def test_down_is_at_most_to_the_half() -> None:
    calm = scale(no_panic(1), 0.0, floats(1.0), floats(1.0), floats(70.0), counts(1)).panic
    assert scale(calm, 100.0, floats(1.0), floats(1.0), floats(70.0), counts(9)).wanted.tolist() == [4]


# The whole autoscaler as an order of policies


def test_the_whole_autoscaler_follows_its_windows_turn_by_turn() -> None:
    fleet = Conducted(table(1), 1, order=policies.KPA)
    # 60 at 7 a pod asks for 9, thrice the 3 that serve, at 0 and 15 s. Then 30 asks for 5; the panic ends after 75 s.
    sizes = [int(fleet.turn(load).replicas[0]) for load in (60.0, 60.0, 30.0, 30.0, 30.0, 30.0, 30.0, 30.0, 30.0)]
    assert sizes == [9, 9, 9, 9, 9, 9, 5, 5, 5]


def test_without_a_load_for_a_stable_window_there_is_no_decision() -> None:
    fleet = Conducted(table(1), 9, order=policies.KPA)
    sizes = [int(fleet.turn(load).replicas[0]) for load in (60.0, *[None] * 12)]
    assert sizes == [9] * 13


# The panic in the order of policies


def test_a_surge_is_followed_at_once_and_kept_for_a_stable_window() -> None:
    fleet = Conducted(table(1, down=rules(1, window=0, percent=100), behaved=False), 3)
    decided = fleet.turn(90.0)
    assert decided.replicas.tolist() == [9]
    assert Reason.PANIC_RAISES in reasons(decided)


@pytest.mark.parametrize("behaved", [True, False])
def test_a_pace_that_the_owner_wrote_is_kept_in_a_surge(behaved: bool) -> None:
    fleet = Conducted(table(1, behaved=behaved, up=rules(1, window=0, pods=1)), 3)
    assert fleet.turn(90.0).replicas.tolist() == [4 if behaved else 9]


def test_a_surge_that_only_a_doubted_source_tells_of_is_no_reason_to_panic() -> None:
    fleet = Conducted(table(3), 8)
    for turn in range(8):
        fleet.turn(70.0 + turn % 2)
    grown = fleet.turn(900.0)
    assert fleet.state.trust["prom"].suspect_since == fleet.at
    assert Reason.PANIC_RAISES not in reasons(grown)
    assert grown.replicas.tolist() == [16] * 3  # as an HPA would: twice as many


def test_a_surge_never_leaves_the_maximum() -> None:
    fleet = Conducted(table(1, maximum=7), 3)
    assert fleet.turn(900.0).replicas.tolist() == [7]


def test_a_load_of_nobody_and_no_load_are_no_surge() -> None:
    fleet = Conducted(table(2), 3)
    assert fleet.turn(None).replicas.tolist() == [3, 3]
    assert np.isnan(fleet.state.panic.at).all()
