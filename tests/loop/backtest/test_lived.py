"""An installation's own past as cases, and two courses side by side."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.loop.backtest.made import memory
from tests.loop.backtest.past import BEGIN, DAY, laid, load_at
from tests.loop.scenes import WEB

from podium.ledger.ledger import Ledger
from podium.loop.backtest import lived
from podium.loop.backtest.answer import Rate
from podium.loop.backtest.contender import parse
from podium.loop.backtest.lived import Past
from podium.loop.backtest.shadowed import added, shadowed
from podium.loop.backtest.together import replay, together


@pytest.fixture(scope="module")
def ledger(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    folder = tmp_path_factory.mktemp("past")
    opened = Ledger.open(laid(folder), state=folder)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def past(ledger: Ledger) -> Past:
    return lived.read(ledger, 14, 60.0)


def test_a_workload_s_load_replicas_and_capacity_are_what_was_recorded(past: Past) -> None:
    (one,) = past.lived
    case = one.replayed.case
    assert (one.key, case.capacity, case.limits.minimum, case.limits.maximum) == (WEB, 85.0, 2, 60)
    row = int(BEGIN // 60) + 600 - case.trace.first
    assert case.trace.load[row] == pytest.approx(load_at(BEGIN + 36_007), rel=1e-6)
    assert one.replayed.course.ordered[row, 0] == 10
    assert row == 600  # before that nothing was recorded
    assert one.replayed.notes[0] == "capacity: 85 a replica, as its policy had it"
    assert one.replayed.notes[1].startswith("start-up: 1m, the median of the recorded lead times")


def test_a_capacity_that_changed_counts_as_it_was(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = lived._facts(ledger, [WEB], BEGIN, BEGIN + 3 * DAY)[WEB]
    half = np.where(whole.at > BEGIN + 1.5 * DAY, 170.0, 85.0)
    monkeypatch.setattr(lived, "_facts", lambda *_: {WEB: dataclasses.replace(whole, capacity=half)})
    (one,) = lived.read(ledger, 14, 60.0).lived
    case = one.replayed.case
    row = int(BEGIN // 60) - case.trace.first
    assert case.capacity == 1.0
    assert case.trace.load[row + 720] == pytest.approx(load_at(BEGIN + 12 * 3600 + 7) / 85, rel=1e-6)
    assert case.trace.load[row + 2 * 1440 + 720] == pytest.approx(load_at(BEGIN + 12 * 3600 + 7) / 170, rel=1e-6)
    assert "the load is told in replicas" in one.replayed.notes[0]


def test_what_really_happened_is_the_first_policy(past: Past) -> None:
    field, ran = replay(past, [parse("hpa:70", 0.001), parse("oracle", 0.001)], memory)
    told = together(past, field, ran, 0.001, Rate())
    assert [row.name for row in told.rows] == ["recorded", "hpa:70", "oracle"]
    recorded = told.rows[0].score
    assert recorded.replica_hours == pytest.approx(10 * recorded.minutes.sum() / 60)
    assert 0 < recorded.unserved_fraction < 0.1  # ten of twelve at noon
    answer = told.as_json()
    assert list(answer["workloads"]) == [str(WEB)]
    assert answer["policies"] == answer["workloads"][str(WEB)]["policies"]


def test_what_would_have_helped_and_hurt_is_named_by_its_moments(past: Past) -> None:
    field, ran = replay(past, [parse("hpa:70", 0.001), parse("static:3", 0.001)], memory)
    helped = shadowed(field, 0, ran[0], ran[1], 0)
    assert helped.hurt == ()
    assert len(helped.helped) in (1, 2)  # noon of each judged day
    assert helped.helped[0].worst == 2
    assert helped.helped[0].words().endswith("up to 2 replicas too few")
    hurt = shadowed(field, 0, ran[0], ran[2], 0)
    assert hurt.verdict(0.001) == "would have hurt"
    assert (hurt.saved_hours, hurt.helped) == (pytest.approx(7 * hurt.was.minutes.sum() / 60), ())


def test_the_sum_of_workloads_is_day_by_day(past: Past) -> None:
    _, ran = replay(past, [parse("static:3", 0.001)], memory)
    one = ran[1].scores[0]
    both = added([one, one])
    assert (both.paid.tolist(), both.replica_hours) == ((2 * one.paid).tolist(), 2 * one.replica_hours)


def test_too_little_or_nothing_recorded_is_said(tmp_path: Path) -> None:
    opening = contextlib.closing(Ledger.open(f"sqlite:///{tmp_path}/empty.db", state=tmp_path))
    with opening as empty, pytest.raises(KeyError, match="nothing"):
        lived.read(empty, 14, 60.0)
    folder = tmp_path / "young"
    folder.mkdir()
    with contextlib.closing(Ledger.open(laid(folder, 0.5), state=folder)) as young:
        told = lived.read(young, 14, 60.0)
    assert told.lived == ()
    assert told.missing == (f"{WEB}: load and replicas together are recorded for 0.5 days; expected two at least",)
