"""What an older version recorded is still read: fields that came later have their defaults."""

from __future__ import annotations

import numpy as np
import pytest
from tests.loop.scenes import START, seen

from podium.loop.decide.state import State, empty_state
from podium.model import columns
from podium.model.snapshot import Snapshot


def test_a_snapshot_from_before_schedules_and_rules_has_none_that_hold() -> None:
    stored = columns.flatten(seen(START, 3, 100.0))
    older = {name: array for name, array in stored.items() if not name.startswith("held.")}
    read = columns.restore(Snapshot, older)
    assert (len(older), len(read.held.windows), len(read.held.rules)) == (len(stored) - 3, 0, 0)


def test_a_state_from_before_panics_knows_of_none_and_grows_and_forgets_as_any_other() -> None:
    stored = columns.flatten(empty_state(3))
    older = {name: array for name, array in stored.items() if not name.startswith("panic.")}
    read = columns.restore(State, older).forgotten(np.array([1])).resized(5)
    assert np.isnan(read.panic.of(5).at).all()
    assert read.panic.of(5).begun.tolist() == [False] * 5


def test_a_column_that_every_version_wrote_is_missed_by_its_name() -> None:
    stored = columns.flatten(empty_state(3))
    del stored["decided"]
    with pytest.raises(KeyError, match="decided"):
        columns.restore(State, stored)
