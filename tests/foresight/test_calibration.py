"""Trust: earned by measured coverage, lost when it breaks, and never by silence."""

from __future__ import annotations

import numpy as np
import pytest

from podium.foresight.calibration import Calibration, Changes


def judge(
    calibration: Calibration, outcomes: list[float], times: int = 1, steps: int = 1
) -> list[tuple[list[int], list[int]]]:
    """Judge `outcomes` against a quantile of 100 and a median of 80, so often; the changes of each time."""
    n = len(outcomes)
    out = []
    for _ in range(times):
        changes = calibration.judge(
            np.array(outcomes, np.float32),
            np.full(n, 100, np.float32),
            np.full(n, 80, np.float32),
            np.full(n, steps),
        )
        out.append((changes.demoted.tolist(), changes.promoted.tolist()))
    return out


def test_nothing_is_trusted_before_it_was_judged() -> None:
    calibration = Calibration(2)
    assert calibration.trusted.tolist() == [False, False]
    assert np.isnan(calibration.coverage).all()


def test_enough_windows_that_hold_promote_once() -> None:
    calibration = Calibration(1)
    story = judge(calibration, [90], times=40)
    assert [number for number, (_, promoted) in enumerate(story, 1) if promoted] == [
        25
    ]  # older windows fade, so that 25 weigh 20
    assert calibration.trusted.tolist() == [True]
    assert calibration.coverage.tolist() == [1.0]


def test_windows_that_overlap_count_as_the_few_they_are() -> None:
    calibration = Calibration(1)
    judge(calibration, [90], times=40, steps=10)
    assert calibration.judged[0] == pytest.approx(4, rel=0.05)
    assert calibration.trusted.tolist() == [False]


def test_a_quantile_that_breaks_is_demoted_and_must_earn_trust_again() -> None:
    calibration = Calibration(1)
    judge(calibration, [90], times=100)
    broken = judge(calibration, [110], times=20)
    demoted = [number for number, (gone, _) in enumerate(broken, 1) if gone]
    assert demoted == [7]  # seven of about 50 windows that weigh: .86, below .920 - 1.645 x .031
    healed = judge(calibration, [90], times=200)
    promoted = [number for number, (_, back) in enumerate(healed, 1) if back]
    assert len(promoted) == 1
    assert promoted[0] > 40
    assert calibration.trusted.tolist() == [True]


def test_between_the_two_bounds_nothing_changes() -> None:
    calibration = Calibration(1)
    judge(calibration, [90], times=100)
    story = [judge(calibration, [110 if number % 10 == 0 else 90])[0] for number in range(300)]  # coverage .9
    assert story == [([], [])] * 300


def test_coverage_a_little_short_is_never_promoted() -> None:
    calibration = Calibration(1)
    story = [judge(calibration, [110 if number % 10 == 0 else 90])[0] for number in range(300)]
    assert story == [([], [])] * 300
    assert calibration.coverage[0] == pytest.approx(0.9, abs=0.02)


def test_unknown_outcomes_judge_nothing() -> None:
    calibration = Calibration(2)
    judge(calibration, [90, 110], times=30)
    before = calibration.state()
    judge(calibration, [float("nan")] * 2, times=30)
    for name, column in calibration.state().items():
        np.testing.assert_array_equal(column, before[name], name)


def test_an_unknown_quantile_judges_nothing() -> None:
    calibration = Calibration(1)
    nothing = np.full(1, np.nan, np.float32)
    changes = calibration.judge(np.full(1, 90, np.float32), nothing, nothing, np.array([1]))
    assert (changes.demoted.tolist(), changes.promoted.tolist()) == ([], [])
    assert calibration.judged.tolist() == [0.0]


def test_chance_alone_seldom_demotes_an_honest_quantile() -> None:
    calibration = Calibration(500)
    rng = np.random.default_rng(1)
    demotions = 0
    for _ in range(1000):
        outcomes = np.where(rng.random(500) < 0.95, 90, 110).astype(np.float32)
        changes: Changes = calibration.judge(
            outcomes, np.full(500, 100, np.float32), np.full(500, 80, np.float32), np.ones(500, np.int64)
        )
        demotions += len(changes.demoted)
    assert demotions / 500 < 1  # less than once in a thousand windows: a week of ten-minute leads
    assert calibration.trusted.mean() > 0.97


def test_the_width_is_the_share_above_the_median() -> None:
    calibration = Calibration(1)
    judge(calibration, [90], times=5)
    assert calibration.width.tolist() == [0.25]


def test_a_forgotten_slot_is_untrusted_and_a_restored_one_goes_on() -> None:
    calibration = Calibration(2)
    judge(calibration, [90, 90], times=40)
    copy = Calibration()
    copy.restore(calibration.state())
    calibration.forget(np.array([0]))
    assert calibration.trusted.tolist() == [False, True]
    assert copy.trusted.tolist() == [True, True]
    assert judge(copy, [110, 90], times=20) != [([], [])] * 20


@pytest.mark.parametrize("level", [0, 1, 95])
def test_a_level_is_a_probability(level: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        Calibration(1, level)
