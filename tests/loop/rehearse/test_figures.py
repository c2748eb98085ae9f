"""Errors, losses and coverage, worked by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from tests.loop.rehearse.made import said, waves

from podium.loop.rehearse.answer import answer
from podium.loop.rehearse.figures import of_maximum, of_targets
from podium.loop.rehearse.rehearsal import Said, Wanted

WANTED = Wanted(1800.0, 300.0, 2)


def by_hand() -> Said:
    """Two origins of one target: 10 came where 8 was expected, 30 where 36 was; the last values were 4 and 20."""
    quantiles = np.array([[8.0, 9.0, 10.0, 11.0], [36.0, 40.0, 44.0, 50.0]], np.float32)[:, :, None]
    return dataclasses.replace(
        said(waves(3), 2),
        ahead=np.array([300.0]),
        quantiles=quantiles,
        actual=np.array([[10.0], [30.0]]),
        last=np.array([4.0, 20.0]),
    )


def test_errors_are_told_over_the_load() -> None:
    one = of_targets(by_hand())
    assert (one.judged, one.wape, one.last_value_wape) == (2, (2 + 6) / 40, (6 + 10) / 40)
    assert one.ratio == pytest.approx(0.5)


def test_a_pinball_loss_weighs_what_lies_above_by_the_level() -> None:
    losses = of_targets(by_hand()).pinball
    assert losses[0] == pytest.approx((0.5 * 2 + 0.5 * 6) / 40)
    assert losses[1] == pytest.approx((0.9 * 1 + 0.1 * 10) / 40)
    assert losses[3] == pytest.approx((0.01 * 1 + 0.01 * 20) / 40)


def test_coverage_counts_what_came_at_or_under() -> None:
    assert of_targets(by_hand()).coverage == (0.5, 0.5, 1.0, 1.0)


def test_what_is_unknown_is_not_judged() -> None:
    whole = by_hand()
    holed = dataclasses.replace(whole, actual=np.array([[10.0], [np.nan]]))
    assert (of_targets(holed).judged, of_targets(holed).wape) == (1, 0.2)
    nothing = dataclasses.replace(whole, actual=np.full((2, 1), np.nan), highest=np.full(2, np.nan))
    assert of_targets(nothing).as_json()["wape"] is None
    assert of_maximum(nothing).coverage == (None,) * 4
    assert answer(nothing, WANTED, "x").verdict().startswith("Nothing could be judged")


@pytest.mark.parametrize(
    ("last", "words"),
    [
        ((4.0, 20.0), "off by 20.0% of the load, the last value by 40.0%: 50% less error than the last value."),
        ((12.0, 36.0), "about as good as the last value."),
        ((10.0, 29.0), "700% more error: the last value is better here."),
        ((10.0, 30.0), "the last value is right"),
    ],
)
def test_a_sentence_says_how_good_it_is(last: tuple[float, float], words: str) -> None:
    told = answer(dataclasses.replace(by_hand(), last=np.array(last)), WANTED, "x")
    assert words in told.verdict()


def test_a_rhythm_of_days_is_foreseen_better_than_by_the_last_value() -> None:
    ratio = answer(said(waves(10), 40, "mixture"), Wanted(1800.0, 300.0, 40), "mixture").at_horizon.ratio
    assert ratio is not None
    assert ratio < 0.7
