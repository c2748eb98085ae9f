from __future__ import annotations

import numpy as np

from podium.loop.verify.leads import DEPTH, Leads, no_leads

UNSET = np.array([np.nan, np.nan])


def measured(*seconds: float) -> Leads:
    leads = no_leads(2)
    for one in seconds:
        leads = leads.measured(np.array([0]), np.array([one]))
    return leads


def test_the_default_holds_until_three_starts_were_measured() -> None:
    assert measured(10, 20).expected(UNSET, 120.0).tolist() == [120.0, 120.0]
    assert measured(10, 20, 30).expected(UNSET, 120.0).tolist() == [30.0, 120.0]


def test_one_slow_start_in_twenty_is_let_go() -> None:
    assert measured(*[40.0] * 19, 900.0).expected(UNSET, 120.0)[0] == 40.0
    assert measured(*[40.0] * 18, 100.0, 100.0).expected(UNSET, 120.0)[0] == 100.0


def test_an_accident_counts_as_three_ordinary_starts_at_most() -> None:
    assert measured(40.0, 50.0, 3600.0).expected(UNSET, 120.0)[0] == 150.0
    assert measured(600.0, 3600.0, 3600.0).expected(UNSET, 120.0)[0] == 3600.0


def test_only_the_newest_measurements_count() -> None:
    assert measured(*[900.0] * DEPTH, *[40.0] * DEPTH).expected(UNSET, 120.0)[0] == 40.0


def test_what_a_person_configured_wins() -> None:
    assert measured(10, 20, 30).expected(np.array([300.0, 5.0]), 120.0).tolist() == [300.0, 5.0]


def test_a_slot_that_changed_hands_starts_anew_and_new_ones_know_nothing() -> None:
    leads = measured(10, 20, 30).forgotten(np.array([0])).resized(3)
    assert leads.expected(np.full(3, np.nan), 120.0).tolist() == [120.0] * 3
    assert leads.resized(1).count.shape == (3,)


def test_measuring_changes_nothing_that_was_handed_out() -> None:
    before = measured(10)
    before.measured(np.array([0]), np.array([99.0]))
    assert before.count.tolist() == [1, 0]
    assert np.isnan(before.seconds[1:]).all()


def test_eight_equally_likely_starts_stand_for_how_they_are_spread() -> None:
    leads = measured(*[20.0] * 15, *[180.0] * 5)
    expected = leads.expected(UNSET, 120.0)
    starts = leads.starts(UNSET, expected)
    assert starts is not None
    assert starts.T.tolist() == [[20.0] * 6 + [60.0] * 2, [120.0] * 8]  # an accident counts as three ordinary starts


def test_starts_that_nobody_measured_or_that_a_person_configured_have_no_spread() -> None:
    assert measured(10, 20).starts(UNSET, np.array([120.0, 120.0])) is None
    assert measured(10, 20, 30).starts(np.array([300.0, np.nan]), np.array([300.0, 120.0])) is None


def test_the_spread_of_starts_is_the_same_after_a_restart() -> None:
    leads = measured(10, 20, 30, 25)
    again = Leads.of(leads.seconds, leads.count)
    np.testing.assert_array_equal(again.spread, leads.spread)
    np.testing.assert_array_equal(again.learned, leads.learned)
