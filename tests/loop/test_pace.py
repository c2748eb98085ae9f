from __future__ import annotations

import math

import pytest

from podium.loop.pace import next_moment


@pytest.mark.parametrize(
    ("now", "last", "expected"),
    [
        (100.0, math.nan, 105.0),
        (105.0, math.nan, 120.0),
        (106.0, 105.0, 120.0),
        (200.0, 105.0, 210.0),  # asleep meanwhile: what was missed is skipped
        (100.0, 135.0, 150.0),  # a little behind: the last turn's moment is waited for
        (100.0, 3705.0, 105.0),  # an hour behind: the clock was set back
    ],
)
def test_the_next_turn_is_on_the_grid_after_now_and_after_the_last_unless_the_clock_was_set_back(
    now: float, last: float, expected: float
) -> None:
    assert next_moment(now, last, 15.0) == expected
