"""The mixture: no worse than its best part, neither on seasons nor on bursts."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import installed

STEP = 300.0
DAY = 288
HALF_HOUR = np.array([1800.0])


def mean_error(name: str, loads: NDArray[np.float64]) -> float:
    """Mean absolute error of the median half an hour ahead over the second half of [t, n] loads."""
    forecaster = installed.load(name)(STEP, loads.shape[1])
    said = np.empty(loads.shape, np.float32)
    for number, row in enumerate(loads, 1):
        forecaster.learn(number * STEP, row)
        said[number - 1] = forecaster.quantiles(number * STEP, np.array([0.5]), HALF_HOUR)[0, 0]
    half = len(loads) // 2
    return float(np.abs(loads[half + 6 :] - said[half:-6]).mean())


def seasons() -> NDArray[np.float64]:
    rng = np.random.default_rng(1)
    of_day = np.arange(8 * DAY)[:, None] * 2 * np.pi / DAY
    return np.asarray(
        100 * (2 + np.sin(of_day + rng.uniform(0, 6, 6))) * np.exp(0.02 * rng.standard_normal((8 * DAY, 6)))
    )


def walks() -> NDArray[np.float64]:
    rng = np.random.default_rng(2)
    return np.asarray(1000 * np.exp(np.cumsum(0.03 * rng.standard_normal((8 * DAY, 6)), axis=0)))


@pytest.mark.parametrize(("loads", "best"), [(seasons(), "seasonal-profile"), (walks(), "last-value")])
def test_the_mixture_is_about_as_good_as_its_best_part(loads: NDArray[np.float64], best: str) -> None:
    # Not knowing which part is best costs some percent: 6 on these seasons.
    assert mean_error("mixture", loads) < 1.1 * mean_error(best, loads)


def test_each_slot_has_its_own_weights() -> None:
    both = np.hstack((seasons()[:, :1], walks()[:, :1]))
    forecaster = installed.load("mixture")(STEP, 2)
    for number, row in enumerate(both, 1):
        forecaster.learn(number * STEP, row)
    weights = forecaster.state()["point.weights"]
    of_profiles = weights[1:, -1].sum(axis=0)
    assert of_profiles[0] > 0.7
    assert abs(of_profiles[1]) < 0.3
