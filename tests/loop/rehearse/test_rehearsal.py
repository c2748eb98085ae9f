"""What is said at an origin hangs on nothing after it, and origins lie where they should."""

from __future__ import annotations

import numpy as np
import pytest
from tests.loop.rehearse.made import DAY, on_steps, said, waves

from podium.foresight import installed
from podium.loop.rehearse import rehearsal
from podium.loop.rehearse.rehearsal import Wanted, origins, rehearse
from podium.loop.remember.anew import new_outlook
from podium.signals.source import Permanent


def test_origins_lie_evenly_over_the_last_third_and_the_last_has_a_horizon_behind_it() -> None:
    rows = origins(on_steps(waves(3)), Wanted(1800.0, 300.0, 5))
    assert rows.tolist() == [576, 646, 716, 787, 857]
    assert rows[-1] + 6 == 3 * DAY - 1


def test_more_origins_than_steps_are_as_many_as_there_are() -> None:
    rows = origins(on_steps(waves(1)), Wanted(1800.0, 300.0, 10_000))
    assert rows.tolist() == list(range(192, 282))


def test_a_horizon_longer_than_what_is_judged_has_no_origin() -> None:
    with pytest.raises(Permanent, match="holds no origin with 9h behind it"):
        origins(on_steps(waves(1)), Wanted(9 * 3600.0, 300.0, 5))


@pytest.mark.parametrize("forecaster", installed.names())
def test_what_came_after_an_origin_changes_nothing_of_what_was_said(forecaster: str) -> None:
    load = waves(4)
    whole = said(load, 3, forecaster)
    other = load.copy()
    other[whole.rows[1] + 1 :] *= 7.0
    again = said(other, 3, forecaster)
    np.testing.assert_array_equal(whole.quantiles[:2], again.quantiles[:2])
    np.testing.assert_array_equal(whole.maximum[:2], again.maximum[:2])
    assert (whole.quantiles[2] != again.quantiles[2]).any()


def test_what_came_is_told_beside_it() -> None:
    load = waves(3)
    told = said(load, 2)
    row = int(told.rows[0])
    assert told.actual[0].tolist() == load[row + 1 : row + 7].tolist()
    assert (told.highest[0], told.last[0]) == (load[row + 1 : row + 7].max(), load[row])


def test_a_hole_at_the_origin_leaves_the_last_known_load() -> None:
    load = waves(3)
    load[570:577] = np.nan
    told = said(load, 2)
    assert (int(told.rows[0]), told.last[0]) == (576, load[569])


def test_quantiles_rise_with_their_level_and_those_of_the_maximum_too() -> None:
    told = said(waves(4), 20)
    assert (np.diff(told.quantiles, axis=1) >= 0).all()
    assert (np.diff(told.maximum, axis=1) >= 0).all()


def test_the_maximum_is_left_out_where_nobody_asks_and_it_would_take_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rehearsal, "QUICK", 100)
    quick, asked = (
        rehearse(on_steps(waves(3)), Wanted(1800.0, 300.0, 3, maximum=maximum), new_outlook("last-value", 300.0, 1))
        for maximum in (None, True)
    )
    assert (quick.trusted, asked.trusted is None) == (None, False)
    assert np.isnan(quick.maximum).all()
    np.testing.assert_array_equal(quick.quantiles, asked.quantiles)
