"""`predict_scaling_needs` of a recorded load: a morning is met before it comes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from podium.loop.predict import predict_scaling_needs
from podium.signals.series import Series
from podium.signals.source import Permanent

DAY = 86_400
MONDAY = 1_780_272_000


def days(until_hour: float, count: int = 5) -> Series:
    """Nights of 60 and days of 600, rising from 7 to 8 o'clock, in steps of five minutes; it ends at `until_hour`."""
    at = MONDAY + np.arange(0, count * DAY + until_hour * 3600, 300.0)
    hour = (at % DAY) / 3600
    share = np.clip(hour - 7, 0, 1) * np.clip(20 - hour, 0, 1)
    noise = np.random.default_rng(1).normal(1, 0.02, len(at))
    return Series(at, (60 + 540 * share) * noise, "recorded: made")


@pytest.mark.parametrize(("hour", "up"), [(3.0, False), (6.9, True), (12.0, True), (21.0, False)])
def test_a_rise_that_the_days_before_have_shown_is_foreseen(hour: float, up: bool) -> None:
    needs = predict_scaling_needs(days(hour), capacity_per_replica=50.0, replicas=3, confidence_threshold=0.8)
    assert needs.should_scale_up is up
    assert (needs.scale_factor > 1.5) is up
    assert needs.trusted


def test_it_speaks_of_the_time_after_the_end_of_the_load() -> None:
    load = days(6.9)
    needs = predict_scaling_needs(load, capacity_per_replica=50.0, replicas=3, time_horizon=600, name="web")
    assert (needs.at, needs.horizon_seconds, needs.key) == (load.at[-1], 600.0, "web")
    assert all(needs.quantiles[low] <= needs.quantiles[high] for low, high in (("0.5", "0.9"), ("0.9", "0.99")))  # type: ignore[operator]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"time_horizon": "2h"}, "a horizon of 2h; expected 1m to 30m"),
        ({"time_horizon": "soon"}, "'soon' is not a duration"),
        ({"confidence_threshold": 1.0}, "a confidence of 1; expected 0.5 to 0.999"),
        ({"confidence_threshold": math.nan}, "a confidence of nan"),
        ({"capacity_per_replica": 0.0}, "expected more than zero"),
        ({"replicas": 0}, "expected one at least"),
    ],
)
def test_what_cannot_be_meant_is_refused(changed: dict[str, object], said: str) -> None:
    given: dict[str, object] = {"capacity_per_replica": 50.0, "replicas": 3} | changed
    with pytest.raises(ValueError, match=said):
        predict_scaling_needs(days(3.0, 1), **given)  # type: ignore[arg-type]


def test_too_short_a_load_is_refused_with_the_reason() -> None:
    short = Series(np.array([0.0, 60.0]), np.ones(2), "")
    with pytest.raises(Permanent, match="expected a day at least"):
        predict_scaling_needs(short, capacity_per_replica=1.0, replicas=1)
