"""What the workloads of a tenant teach each other of rare bursts, and what counts as one."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from podium.foresight import fellows, installed, tails
from podium.foresight.calibration import Calibration
from podium.foresight.fellows import Tenants
from podium.foresight.memory import Memory
from podium.foresight.outlook import Outlook

LONGEST = 5
MINUTE = 60.0
TWO = 2 * np.ones(50, np.int64)


def together(size: int = 50) -> Tenants:
    found = Tenants.among(np.zeros(size, np.int64))
    assert found is not None
    return found


def taught(broke: NDArray[np.bool_]) -> Memory:
    """After windows [t, n], each of which held or broke its quantile of 1."""
    memory = Memory(fellows.fields(LONGEST), broke.shape[1])
    quantile = np.ones(broke.shape[1], np.float32)
    for step, row in enumerate(broke):
        outcome = np.where(row, 2, 0.5).astype(np.float32)
        fellows.learn(memory, together(len(row)), step, TWO[: len(row)], outcome, quantile, MINUTE)
    return memory


def test_who_is_nobodys_or_alone_has_no_fellows() -> None:
    assert Tenants.among(np.array([-1, -1, 0, 1])) is None
    assert Tenants.among(np.array([], np.int64)) is None
    found = Tenants.among(np.array([3, -1, 3, -1]))
    assert found is not None
    assert found.size.tolist() == [2, 1, 2, 1]
    assert found.sums(np.array([1.0, 2.0, 4.0, 8.0])).tolist() == [5, 2, 5, 8]


def test_breaks_that_fifty_share_are_the_evidence_of_one_and_those_that_none_shares_of_fifty() -> None:
    rng = np.random.default_rng(1)
    shared = np.repeat(rng.random((4000, 1)) < 0.02, 50, axis=1)
    apart = rng.random((4000, 50)) < 0.02
    worth = [fellows.evidence(taught(broke), together(), np.full(50, 1000.0))[0] for broke in (shared, apart)]
    assert worth[0] == pytest.approx(1000 / 50, rel=0.05)
    assert worth[1] > 600


def test_nothing_is_known_to_be_independent_before_it_was_seen() -> None:
    memory = Memory(fellows.fields(LONGEST), 50)
    assert fellows.evidence(memory, together(), np.full(50, 1000.0)).tolist() == [pytest.approx(20.0)] * 50


def burst(memory: Memory, step: int, bursting: int) -> fellows.Contagion:
    """`bursting` of fifty are at twice their quantile now."""
    loads = np.where(np.arange(50) < bursting, 2, 0.5).astype(np.float32)
    return fellows.contagion(memory, together(), step, loads, np.ones(50, np.float32))


def test_who_was_caught_nearly_every_second_time_is_ready_when_fellows_burst_again() -> None:
    memory = Memory(fellows.fields(LONGEST), 50)
    for step in range(0, 80, 2):  # windows of two steps, each of which counts as half a window
        assert burst(memory, step, 20).chance[:20].tolist() == [0] * 20
        outcome = np.where(np.arange(50) < (40 if step % 3 else 20), 3, 0.5).astype(np.float32)
        fellows.learn(memory, together(), step + 2, TWO, outcome, np.ones(50, np.float32), MINUTE)
    told = burst(memory, 80, 20)
    assert told.chance[20:] == pytest.approx(np.full(30, 0.42), abs=0.02)  # of 20 windows, and one that nobody saw
    assert np.exp(told.excess[0]) == pytest.approx(3, rel=1e-3)
    ready = told.ready(np.ones(50, np.float32), np.full(50, 0.99))
    assert np.isnan(ready[:20]).all()
    assert ready[20:] == pytest.approx(np.full(30, 20.0), rel=0.02)  # 3 x (.42 / .01)^1.1: no more than twenty times
    assert np.isnan(told.ready(np.ones(50, np.float32), np.full(50, 0.5))).all()  # who asks for little is not told


def test_a_few_fellows_above_their_quantile_are_chance() -> None:
    memory = taught(np.ones((10, 50), np.bool_))
    assert burst(memory, 10, 7).chance.tolist() == [0] * 50
    assert not memory["began"].any()


def test_a_new_workload_begins_with_the_tails_of_its_tenant() -> None:
    memory, told = taught(np.random.default_rng(2).random((2000, 50)) < 0.02), Memory(tails.FIELDS, 50)
    far = np.where(np.arange(2000) % 100 == 0, 20.0, 0.1)
    for step, error in enumerate(far):
        errors = np.full(50, error, np.float32)
        errors[49] = np.nan  # who is new
        tails.learn(told, errors, np.ones(50, np.float32), step * MINUTE + 1, MINUTE)
    before = tails.Tails(told).quantile(0.995)[49]
    fellows.lean(memory, told, together(), np.arange(50) == 49, 0.0)
    assert before < 6
    assert tails.Tails(told).quantile(0.995)[49] == pytest.approx(20, rel=0.1)
    assert told["counts"][:, 49].sum() == pytest.approx(tails.PRIOR_WEIGHT + fellows.MOST, rel=0.01)


def test_whose_workloads_are_each_others_strangers_says_the_same_bits_as_without_tenants() -> None:
    rng = np.random.default_rng(3)
    loads = 50 * np.exp(0.1 * rng.standard_normal((600, 3)))
    alone, apart = (Outlook(installed.load("last-value")(MINUTE, 3), Calibration(3), 3) for _ in range(2))
    for row, load in enumerate(loads):
        leads, risk = np.full(3, 120.0), np.full(3, 0.001)
        alone.step((row + 1) * MINUTE, load, leads, risk)
        apart.step((row + 1) * MINUTE, load, leads, risk, tenants=np.array([0, 1, -1]))
    np.testing.assert_array_equal(alone.peak.floor, apart.peak.floor)
