"""CPU against load, where an autoscaler keeps the CPU still."""

from __future__ import annotations

import numpy as np
import pytest

from podium.loop.capacity import line


def learned(x: np.ndarray, y: np.ndarray, z: np.ndarray, kept: float = 1.0) -> line.Line:
    """The line through minutes [t]."""
    sums = np.zeros((line.SUMS, 1), np.float32)
    for values in zip(x, y, z, strict=True):
        sums = line.learn(sums, np.array(values, np.float64)[:, None], np.ones(1), kept)
    return line.fit(sums)


def test_without_noise_the_line_is_found_exactly() -> None:
    load = np.linspace(10, 100, 500)
    found = learned(load, 0.06 + 0.008 * load, 20 * load)
    assert found.of(np.array([50.0]))[0] == pytest.approx(0.46, rel=0.01)
    carried, error = found.carried(np.array([0.7]))
    assert carried[0] == pytest.approx(80.0, rel=0.02)
    assert error[0] < 2.0


def test_replicas_that_follow_the_cpu_bend_least_squares_and_not_the_instrument() -> None:
    random = np.random.default_rng(1)
    hours = np.arange(6000) / 60
    total = 1000 * (1 + 0.6 * np.sin(2 * np.pi * hours / 24))
    cost = 0.008 * np.exp(0.15 * np.sin(2 * np.pi * hours / 1.7))
    # The HPA is some minutes late: what is dearer than usual gets less load per replica.
    replicas = np.roll(0.05 + total * cost, 5) / 0.6
    x = total / replicas
    y = 0.05 + cost * x + random.normal(0, 0.02, len(x))
    slope, intercept = np.polyfit(x, y, 1)
    assert (0.7 - intercept) / slope > 95  # least squares: the truth is about 81
    carried, error = learned(x, y, total).carried(np.array([0.7]))
    assert carried[0] == pytest.approx(0.65 / 0.008, rel=0.06)
    assert error[0] < 0.1 * carried[0]


def test_a_load_that_never_varied_gives_a_line_through_the_origin_and_says_how_little_is_known() -> None:
    found = learned(np.full(300, 50.0), np.full(300, 0.35), np.full(300, 500.0))
    carried, error = found.carried(np.array([0.7]))
    assert carried[0] == pytest.approx(100.0, rel=0.01)  # the truth may be 120, with an idle cost of a tenth
    assert 10 < error[0] < 40


def test_what_lies_far_off_counts_less() -> None:
    random = np.random.default_rng(2)
    sums = np.zeros((line.SUMS, 2), np.float32)
    for minute in range(600):
        x = 40 + 20 * np.sin(minute / 50)
        y = 0.05 + 0.008 * x + random.normal(0, 0.01)
        values = np.array([[x, x], [y, 1.0 if minute > 100 and minute % 40 == 0 else y], [10 * x, 10 * x]])
        weight = line.trust(sums, line.fit(sums), values[0], values[1], np.ones(2, np.bool_))
        sums = line.learn(sums, values, weight, 1.0)
    clean, spoiled = line.fit(sums).carried(np.full(2, 0.7))[0]
    assert spoiled == pytest.approx(clean, rel=0.05)


def test_nothing_measured_is_nothing_known() -> None:
    found = line.fit(np.zeros((line.SUMS, 1), np.float32))
    assert np.isnan(found.carried(np.array([0.7]))[0]).all()
