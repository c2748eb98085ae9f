"""Whether more replicas will be needed: probabilities, factors and what bounds them, worked by hand."""

from __future__ import annotations

import math
from typing import Any

import pytest

from podium.loop.needs import Prediction, exceeds, predict, quantile, together

WIDE = {"0.5": 100.0, "0.9": 150.0, "0.95": 170.0, "0.99": 200.0}
CURVE = [(math.log(float(level) / (1 - float(level))), value) for level, value in WIDE.items()]


def asked(**changed: Any) -> Prediction:
    """Ten a replica; the largest load within half an hour is about a hundred."""
    given = {"load": 80.0, "capacity": 10.0, "replicas": 12, "horizon_seconds": 1800.0, "threshold": 0.8}
    given |= {"quantiles": WIDE} | changed
    return predict("web", 0.0, **given)


@pytest.mark.parametrize(("limit", "share"), [(100.0, 0.5), (150.0, 0.1), (170.0, 0.05), (200.0, 0.01)])
def test_at_a_quantile_the_probability_of_more_is_what_its_level_leaves(limit: float, share: float) -> None:
    assert exceeds(CURVE, limit) == pytest.approx(share)


def test_more_replicas_are_never_less_enough() -> None:
    shares = [exceeds(CURVE, 5.0 * step) for step in range(80)]
    assert shares == sorted(shares, reverse=True)
    assert (shares[0], shares[-1] < 1e-4) == (1.0, True)


def test_below_the_median_the_band_is_as_wide_as_above_it() -> None:
    assert exceeds(CURVE, 100.0 * 100.0 / 150.0) == pytest.approx(0.9)
    assert quantile(CURVE, 0.1) == pytest.approx(100.0 * 100.0 / 150.0)


@pytest.mark.parametrize(
    ("replicas", "up", "needed"),
    [(20, False, 14), (12, False, 14), (9, False, 14), (7, True, 14), (4, True, 14)],
)
def test_more_is_advised_when_what_is_there_will_not_do_with_the_asked_confidence(
    replicas: int, up: bool, needed: int
) -> None:
    told = asked(replicas=replicas, load=30.0)
    assert (told.should_scale_up, told.needed) == (up, needed)
    assert told.scale_factor == (needed / replicas if up else 1.0)
    assert (told.confidence is not None and told.confidence >= 0.8) == up


def test_as_many_are_needed_as_serve_the_load_with_the_asked_confidence() -> None:
    assert asked(threshold=0.9).needed == 15
    assert asked(threshold=0.99).needed == 20
    assert asked(threshold=0.5).needed == 10


def test_a_load_that_is_too_large_already_is_a_need() -> None:
    told = asked(load=130.0, replicas=12)
    assert (told.confidence, told.should_scale_up, told.needed) == (1.0, True, 14)


def test_a_forecast_that_has_not_earned_trust_has_no_say() -> None:
    told = asked(trusted=False, replicas=9)
    assert (told.should_scale_up, told.confidence, told.scale_factor) == (False, 0.0, 1.0)
    assert "has not earned trust" in told.words
    surge = asked(trusted=False, replicas=9, load=95.0)
    assert (surge.should_scale_up, surge.needed, surge.scale_factor) == (True, 10, 10 / 9)


def test_a_policy_s_maximum_is_never_advised_past() -> None:
    told = asked(replicas=7, load=30.0, maximum=9)
    assert (told.should_scale_up, told.needed) == (True, 9)
    at_most = asked(replicas=7, load=30.0, maximum=7)
    assert (at_most.should_scale_up, at_most.scale_factor) == (False, 1.0)
    assert "its policy allows no more" in at_most.words


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"replicas": None}, "how many replicas it has is unknown"),
        ({"capacity": None}, "how much one replica serves is unknown"),
        ({"load": None, "quantiles": {}}, "its load is unknown"),
    ],
)
def test_what_is_unknown_is_said_and_advises_nothing(changed: dict[str, Any], words: str) -> None:
    told = asked(**changed)
    assert (told.should_scale_up, told.confidence, told.scale_factor) == (False, None, 1.0)
    assert words in told.words


def test_a_load_that_never_changes_needs_what_it_needs() -> None:
    flat = dict.fromkeys(WIDE, 50.0)
    assert asked(quantiles=flat, load=50.0, replicas=5).should_scale_up is False
    assert asked(quantiles=flat, load=50.0, replicas=4).should_scale_up is True


def test_quantiles_that_cross_are_put_in_order() -> None:
    crossed = {"0.5": 100.0, "0.9": 90.0, "0.95": None, "0.99": 200.0}
    assert asked(quantiles=crossed, threshold=0.9).needed == 10


def test_together_the_factor_is_that_of_all_replicas() -> None:
    found = [asked(replicas=7, load=30.0), asked(replicas=13), asked(replicas=None)]
    told = together(found, 0.0, 1800.0, 0.8)
    assert (told.should_scale_up, told.scale_factor, told.workloads) == (True, (14 + 13) / 20, 3)
    assert [one.replicas for one in told.items] == [7]
    nobody = together([], 0.0, 1800.0, 0.8)
    assert (nobody.should_scale_up, nobody.scale_factor, nobody.confidence) == (False, 1.0, None)
