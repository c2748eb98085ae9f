"""What earlier versions recorded is understood."""

from __future__ import annotations

import numpy as np
from tests.loop.scenes import FLEET, empty_memory

from podium.loop.decide.state import NONE, State, empty_state
from podium.loop.remember import former
from podium.model import columns

NAN = np.nan
RINGS = {
    "state.recommended.at": np.array([[15.0, 15.0, NAN], [15.0, 30.0, NAN], [30.0, NAN, NAN]]),
    "state.recommended.value": np.array([[2, 4, 0], [3, 5, 0], [6, 0, 0]], np.int64),
    "state.recommended.outdated": np.zeros((3, 3), np.bool_),
    "state.raised.at": np.array([[45.0, NAN, NAN], [30.0, NAN, NAN]]),
    "state.raised.value": np.array([[1, 0, 0], [2, 0, 0]], np.int64),
    "state.raised.outdated": np.array([[False, False, False], [True, False, False]]),
    "state.lowered.at": np.full((1, 3), NAN),
    "state.lowered.value": np.zeros((1, 3), np.int64),
    "state.lowered.outdated": np.zeros((1, 3), np.bool_),
}


def test_rings_of_the_first_version_become_rows_and_events() -> None:
    stored = {name: one for name, one in columns.flatten(empty_state(3), "state").items() if "ed." not in name} | RINGS
    found = columns.restore(State, former.state_columns(stored), "state")
    assert found.recommended.at.tolist() == [15.0, 15.0, 30.0]
    assert found.recommended.value.tolist() == [[2, 4, NONE], [3, NONE, NONE], [6, 5, NONE]]
    assert found.recommended.seeded.tolist() == [True, True, False]
    kept = [one.tolist() for one in (found.raised.at, found.raised.slot, found.raised.change, found.raised.outdated)]
    assert kept == [[45.0, 30.0], [0, 0], [1, 2], [False, True]]
    assert len(found.lowered.at) == 0


def test_what_is_of_today_stays_as_it_is() -> None:
    stored = columns.flatten(empty_state(3), "state")
    assert former.state_columns(stored) is stored


def test_a_digest_of_the_first_version_tells_nothing() -> None:
    memory = empty_memory()
    assert [memory.left(one) for one in ("0" * 64, memory.digest(), "2:" + "0" * 64, "3:" + "0" * 64)] == [
        True,
        True,
        True,
        False,
    ]


def test_forecasts_of_another_build_are_forgotten_and_all_else_is_kept() -> None:
    memory = empty_memory()
    memory.adopt(FLEET)
    stored = memory.checkpoint()
    name = next(one for one in stored if one.startswith("outlook.forecaster."))
    older = {key: array for key, array in stored.items() if key != name}
    again = empty_memory()
    again.restore(older, FLEET)
    assert (again.untaught, again.outlook.size, again.digest()) == (True, len(FLEET), memory.digest())
    again.begin_anew(1000.0)
    assert (again.untaught, again.outlook.size) == (False, len(FLEET))
