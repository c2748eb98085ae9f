"""Stories over time: windows, rates, distrust, the guard, and a restart in the middle."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.decide.fleets import CLUSTER, PROM, Conducted, bits, expected, level, reasons, rules, table, values

from podium.ledger.columns import pack, unpack
from podium.loop.decide import knative, policies
from podium.loop.decide.state import State
from podium.loop.decide.table import Guards, Mode
from podium.model import columns
from podium.model.decision import Reason

SIX_HOURS = 6 * 3600


def wobbling(turn: int, load: float) -> np.ndarray:
    """Three workloads' load that moves a little from turn to turn, as measured loads do."""
    return load * (1 + 0.01 * ((turn + np.arange(3)) % 3))


def settled(fleet: Conducted, load: float, turns: int = 40) -> None:
    for turn in range(turns):
        fleet.turn(wobbling(turn, load)[: len(fleet.table)])


def sizes(fleet: Conducted, load: float, turns: int) -> list[int]:
    return [int(fleet.turn(wobbling(turn, load)).replicas[0]) for turn in range(turns)]


# Windows and rates


def test_without_its_panic_growth_doubles_each_turn_where_nothing_else_is_said() -> None:
    calm = [one for one in policies.ORDER if one is not knative.prepare_for_surge]
    fleet = Conducted(table(1), 3, order=calm)
    assert [int(fleet.turn(390.0).replicas[0]) for _ in range(5)] == [6, 12, 24, 39, 39]


def test_a_lower_load_is_followed_after_five_minutes() -> None:
    fleet = Conducted(table(1), 8)
    sizes = [int(fleet.turn(50.0).replicas[0]) for _ in range(23)]
    assert sizes == [8] * 21 + [5, 5]  # the 8 of second 0 still counts at 300 s, not at 315 s


def test_a_short_dip_changes_nothing() -> None:
    fleet = Conducted(table(1), 8)
    loads = [80.0] * 4 + [20.0] * 8 + [80.0] * 20
    assert {int(fleet.turn(load).replicas[0]) for load in loads} == {8}


def test_a_window_on_the_way_up_waits_out_a_spike() -> None:
    fleet = Conducted(table(1, behaved=True, up=rules(1, window=60, pods=100)), 4)
    assert [int(fleet.turn(load).replicas[0]) for load in (40.0, 90.0, 90.0, 40.0, 40.0)] == [4] * 5
    grown = [int(fleet.turn(90.0).replicas[0]) for _ in range(5)]
    assert grown == [4, 4, 4, 9, 9]  # the last 4 was asked for at 60 s; at 120 s it no longer counts


def test_own_writes_are_the_events_that_rates_count() -> None:
    fleet = Conducted(table(1, behaved=True, up=rules(1, window=0, pods=2, period=60)), 4)
    assert [int(fleet.turn(200.0).replicas[0]) for _ in range(9)] == [6, 6, 6, 6, 8, 8, 8, 8, 10]
    assert (fleet.state.raised.change.tolist(), fleet.state.raised.slot.tolist()) == ([2, 2], [0, 0])


def test_a_change_by_hand_is_no_event() -> None:
    fleet = Conducted(table(1, behaved=True, up=rules(1, window=0, pods=2, period=60)), 4)
    fleet.turn(40.0)
    fleet.scaled_by_hand(10)
    assert int(fleet.turn(400.0).replicas[0]) == 12


def test_the_forecast_raises_now_and_is_taken_back_as_soon_as_it_asks_for_less() -> None:
    fleet = Conducted(table(1, forecast=True), 5)
    assert int(fleet.turn(50.0, ahead=90.0).replicas[0]) == 9
    assert [int(fleet.turn(50.0, ahead=50.0).replicas[0]) for _ in range(2)] == [5, 5]


def test_what_the_load_itself_needed_is_waited_out_whatever_the_forecast_says() -> None:
    fleet = Conducted(table(1, forecast=True), 5)
    assert int(fleet.turn(90.0, ahead=90.0).replicas[0]) == 9
    wave = [50.0 - turn / 100 for turn in range(21)]
    assert [int(fleet.turn(load, ahead=load).replicas[0]) for load in wave] == [9] * 20 + [5]


def test_a_forecast_that_has_not_earned_trust_is_only_mentioned() -> None:
    fleet = Conducted(table(1, forecast=True), 5)
    fleet.at += 15
    decisions = fleet.decided(fleet.seen(50.0), expected(1, 500.0, fleet.at, trusted=False))
    assert decisions.replicas.tolist() == [5]
    assert Reason.FORECAST_UNTRUSTED in reasons(decisions)


# A restart in between


def restored(state: State) -> State:
    """The state as the ledger gives it back."""
    _, stored = unpack(pack({}, columns.flatten(state)))
    return columns.restore(State, stored)


def test_a_restart_goes_on_where_it_was() -> None:
    ours, restarted = (Conducted(table(3, behaved=True, forecast=True), 8) for _ in range(2))
    for turn in range(30):
        load = wobbling(turn, 80.0 if turn % 7 else 30.0)
        decisions = ours.turn(load, 0.3, ahead=load)
        restarted.state = restored(restarted.state)
        again = restarted.turn(load, 0.3, ahead=load)
        assert bits(again) == bits(decisions)
    assert bits(restored(ours.state)) == bits(ours.state) == bits(restarted.state)


def test_the_state_before_the_first_turn_survives_a_restart() -> None:
    fresh = Conducted(table(2), 1).state
    assert bits(restored(fresh)) == bits(fresh)


# Sources that lie, freeze and die


def test_a_source_whose_values_fall_together_is_suspect_until_they_are_back() -> None:
    fleet = Conducted(table(3), 8)
    settled(fleet, 78.0)
    lied = fleet.turn(wobbling(0, 8.0))
    assert fleet.state.trust["prom"].suspect_since == fleet.at
    assert sizes(fleet, 8.0, 60) == [8] * 60
    assert Reason.SOURCE_SUSPECT not in reasons(lied)  # the window alone holds in the first minutes
    settled(fleet, 78.0, 1)
    assert fleet.state.trust["prom"].believed


def test_a_fall_that_another_source_sees_too_is_followed() -> None:
    fleet = Conducted(table(3), 8)
    for turn in range(40):
        fleet.turn(wobbling(turn, 78.0), wobbling(turn, 0.5))
    for turn in range(25):
        fleet.turn(wobbling(turn, 8.0), wobbling(turn, 0.1))
    assert (fleet.state.trust["prom"].believed, fleet.replicas.tolist()) == (True, [1, 1, 1])


def test_a_fall_that_another_source_denies_is_not_followed() -> None:
    fleet = Conducted(table(3), 8)
    for turn in range(40):
        fleet.turn(wobbling(turn, 78.0), wobbling(turn, 0.5))
    for turn in range(60):
        decisions = fleet.turn(wobbling(turn, 8.0), wobbling(turn, 0.5))
    assert decisions.replicas.tolist() == [8, 8, 8]
    assert Reason.SOURCE_SUSPECT in reasons(decisions)


def test_after_six_hours_a_lower_level_is_the_truth() -> None:
    fleet = Conducted(table(3), 8)
    settled(fleet, 78.0)
    for turn in range(SIX_HOURS // 600):
        fleet.turn(wobbling(turn, 8.0), after=600)
    assert fleet.replicas.tolist() == [8, 8, 8]
    settled(fleet, 8.0, 60)
    assert not fleet.state.trust["prom"].believed  # what it must be compared with is learned slowly
    settled(fleet, 8.0, 60)
    assert (fleet.replicas.tolist(), fleet.state.trust["prom"].believed) == ([1, 1, 1], True)


def test_one_of_two_series_that_falls_is_believed() -> None:
    fleet = Conducted(table(2), 8)
    settled(fleet, 78.0)
    for turn in range(30):
        fleet.turn(wobbling(turn, 78.0)[:2] * np.array([0.1, 1.0]))
    assert fleet.replicas.tolist() == [1, 8]


def test_two_series_that_both_read_zero_are_not_believed() -> None:
    fleet = Conducted(table(2), 8)
    for load in [78.0] * 40 + [0.0] * 60:
        fleet.turn(load * np.array([1.0, 1.01]))
    assert fleet.replicas.tolist() == [8, 8]


def test_values_that_stand_still_hold_until_one_moves() -> None:
    fleet = Conducted(table(3), 8)
    settled(fleet, 78.0)
    frozen = values(3, 40.0)
    for turn in range(40):
        decisions = fleet.turn(frozen if turn else wobbling(1, 40.0))
    assert decisions.replicas.tolist() == [8, 8, 8]
    assert Reason.SOURCE_FROZEN in reasons(decisions)
    moving = fleet.turn(wobbling(1, 40.0))
    assert (moving.replicas.tolist(), fleet.state.trust["prom"].believed) == ([5, 5, 4], True)


def test_an_idle_fleet_at_zero_is_not_frozen() -> None:
    fleet = Conducted(table(3), 8)
    fleet.turn(values(3, 1.0))
    for _ in range(40):
        fleet.turn(values(3, 0.0), values(3, 0.1) * (1 + fleet.at % 7), after=15)
    assert np.isnan(fleet.state.trust["prom"].frozen_since)


def test_nothing_goes_down_twice_on_one_sample() -> None:
    fleet = Conducted(table(1, behaved=True, down=rules(1, window=0, pods=1)), 8)
    load = level(values(1, 20.0), fleet.at, PROM)
    downs = [int(fleet.turn(None, rps=load).replicas[0]) for _ in range(3)]
    assert downs == [7, 7, 7]
    newer = dataclasses.replace(load, at=load.at + 60)
    assert fleet.turn(None, rps=newer).replicas.tolist() == [6]


def test_a_silent_source_is_a_gap_that_holds_and_is_said() -> None:
    fleet = Conducted(table(3), 8)
    settled(fleet, 78.0)
    for _ in range(60):
        decisions = fleet.turn(None)
    assert decisions.replicas.tolist() == [8, 8, 8]
    assert reasons(decisions) == [Reason.OBSERVED, Reason.SIGNAL_MISSING, Reason.ALL_SIGNALS_MISSING]


def test_a_source_that_is_no_longer_asked_is_forgotten() -> None:
    fleet = Conducted(table(3), 8)
    settled(fleet, 78.0)
    fleet.turn(values(3, 0.0))
    assert not fleet.state.trust["prom"].believed
    fleet.at += 15
    seen = fleet.seen(None)
    alone = dataclasses.replace(seen, sources=("cluster",), answered=seen.answered[1:])
    fleet.decided(alone, expected(3, np.nan))
    assert list(fleet.state.trust) == ["cluster"]


# The guard on the whole fleet


def held(fleet: Conducted, decisions_of: int) -> list[int]:
    """Replicas in all after each of so many turns at a tenth of the load."""
    return [int(fleet.turn(wobbling(turn, 8.0)).replicas.sum()) for turn in range(decisions_of)]


def test_the_guard_lets_a_tenth_go_in_five_minutes_and_then_the_next() -> None:
    at_once = rules(3, window=0, percent=100)
    fleet = Conducted(table(3, behaved=True, down=at_once, guards=Guards(share=2.0)), 20)
    totals = held(fleet, 45)
    assert totals[:21] == [54] * 20 + [49]  # 6 of 60; after 300 s 10 % of 54
    assert totals[40] == 45


def test_the_guard_shares_what_may_go_in_proportion() -> None:
    at_once = rules(3, window=0, percent=100)
    fleet = Conducted(table(3, behaved=True, down=at_once, guards=Guards(share=2.0)), np.array([10, 30, 60]))
    decisions = fleet.turn(values(3, 8.0))
    # 10 of 100 may go; 9, 29 and 59 are asked for: 0, 2 and 6 in proportion, and two more, one each, in turn.
    assert int(decisions.replicas.sum()) == 90
    assert ((np.array([10, 28, 54]) - decisions.replicas) >= 0).all()
    assert Reason.REDUCTION_GUARD in reasons(decisions)


def test_a_fleet_of_three_pods_may_lose_one() -> None:
    at_once = rules(3, window=0, percent=100)
    fleet = Conducted(table(3, behaved=True, down=at_once, guards=Guards(share=2.0)), np.array([1, 1, 2]))
    assert held(fleet, 22) == [3] * 22


def test_what_is_only_recommended_takes_nothing_from_the_fleet() -> None:
    at_once = rules(2, window=0, percent=100)
    policy = table(2, behaved=True, down=at_once, guards=Guards(share=2.0))
    modes = np.array([Mode.RECOMMEND, Mode.OWN], np.int8)
    fleet = Conducted(dataclasses.replace(policy, mode=modes), np.array([50, 20]))
    assert [fleet.turn(8.0).replicas.tolist() for _ in range(3)] == [[1, 18]] * 3


@pytest.mark.parametrize("mode", [Mode.FLOOR, Mode.OWN])
def test_a_wish_that_is_never_written_does_not_use_up_what_others_may_shed(mode: Mode) -> None:
    at_once = rules(2, window=0, percent=100)
    policy = table(2, behaved=True, down=at_once, guards=Guards(share=2.0))
    fleet = Conducted(dataclasses.replace(policy, mode=np.array([mode, Mode.OWN], np.int8)), np.array([9, 9]))
    sizes = []
    for _ in range(8):
        written = int(fleet.turn(8.0, after=150).replicas[1])
        fleet.refused(0, 9)
        sizes.append(written)
    assert sizes[-1] < 9


def test_the_second_opinion_of_the_cluster_counts_as_a_source() -> None:
    fleet = Conducted(table(3), 8)
    settled(fleet, 78.0)
    queue = level(values(3, 5.0), fleet.at + 15, CLUSTER)
    fleet.turn(wobbling(1, 78.0), queue=queue)
    assert set(fleet.state.trust) == {"prom", "cluster"}
