"""The burst reserve: replicas between what is expected and the floor."""

from __future__ import annotations

import numpy as np
import pytest

from podium.loop.reserve import reserve
from podium.model.arrays import UNKNOWN

NAN = float("nan")


@pytest.mark.parametrize(
    ("given", "floor", "foreseen", "load", "spare"),
    [
        (30, 300.0, 120.0, 100.0, 18),  # twelve are expected, thirty are there
        (20, 300.0, 120.0, 100.0, 8),  # a limit keeps ten of them back
        (40, 300.0, 120.0, 100.0, 18),  # ten more are there, and nobody's floor asks for them
        (30, 300.0, 120.0, 250.0, 5),  # the present load needs more than was expected
        (30, 300.0, 120.0, NAN, 18),
        (30, 100.0, 120.0, 100.0, 0),
        (1, 5.0, 0.0, 0.0, 0),  # the last replica is no reserve
        (12, 120.00001, 110.0, 100.0, 1),  # a recorded forecast is rounded
        (30, NAN, 120.0, 100.0, UNKNOWN),
        (30, 300.0, NAN, 100.0, UNKNOWN),
        (UNKNOWN, 300.0, 120.0, 100.0, UNKNOWN),
    ],
)
def test_reserve_is_what_lies_between_the_expected_load_and_the_floor(
    given: int, floor: float, foreseen: float, load: float, spare: int
) -> None:
    one = [np.array([value]) for value in (floor, foreseen, load, 10.0)]
    assert reserve(np.array([given]), *one).tolist() == [spare]
