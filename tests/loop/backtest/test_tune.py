"""Settings tried on one part of a history and judged on the rest, and what they promise."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from tests.loop.backtest.made import memory
from tests.loop.backtest.past import laid
from tests.loop.backtest.test_likely import score

from podium.ledger.ledger import Ledger
from podium.loop.backtest import lived, promise
from podium.loop.backtest.lived import Lived
from podium.loop.backtest.promise import Promise
from podium.loop.backtest.run import Unfit
from podium.loop.backtest.tune import Setting, TooShort, Tuned, candidates, choose, tune
from podium.loop.policy import ScalingPolicy

PRESENT = Setting(risk=0.001, window=300, minimum=2, maximum=60)
NEEDED = np.array([1] * 50 + [5] * 49 + [30])


def one_of(folder: Path, days: float) -> Lived:
    with contextlib.closing(Ledger.open(laid(folder, days), state=folder)) as ledger:
        (found,) = lived.read(ledger, 21, 60.0).lived
    return found


@pytest.fixture(scope="module")
def workload(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    return one_of(tmp_path_factory.mktemp("past"), 9.5)


@pytest.fixture(scope="module")
def tuned(workload: Lived) -> Tuned:
    return tune(workload, None, memory)


def test_the_present_settings_are_tried_first_and_everything_once() -> None:
    settings = candidates(PRESENT, 0.001, NEEDED)
    assert settings[0] == PRESENT
    assert len(settings) == len(set(settings)) == 5 * 3 * 2
    assert {one.minimum for one in settings} == {1, 2}


def test_a_maximum_is_raised_only_where_the_need_reached_past_it() -> None:
    tight = dataclasses.replace(PRESENT, maximum=20)
    assert {one.maximum for one in candidates(tight, 0.001, NEEDED)[1:]} == {38}
    assert {one.maximum for one in candidates(PRESENT, 0.001, NEEDED)} == {60}


def test_the_cheapest_that_keeps_to_the_risk_is_chosen() -> None:
    settings = candidates(PRESENT, 0.001, NEEDED)[:3]
    scores = [score([200] * 4), score([100] * 4, [5.0] * 4), score([150] * 4)]
    assert choose(settings, scores, 0.001) == 2
    assert choose(settings, scores, 0.1) == 1


def test_of_those_that_cost_about_as_much_the_one_that_changes_least_is_chosen() -> None:
    far = Setting(0.002, 60, 1, 60)
    near = Setting(0.001, 300, 1, 60)
    scores = [score([2000] * 4), score([1000] * 4), score([1004] * 4)]
    assert choose([PRESENT, far, near], scores, 0.001) == 2


def test_where_none_keeps_to_the_risk_the_safest_is_chosen() -> None:
    scores = [score([10] * 4, [9.0] * 4), score([30] * 4, [2.0] * 4), score([20] * 4, [4.0] * 4)]
    assert choose(candidates(PRESENT, 0.001, NEEDED)[:3], scores, 0.001) == 1


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_it_is_chosen_on_one_part_and_judged_on_another(tuned: Tuned) -> None:
    assert (tuned.risk, tuned.present.risk, tuned.present.minimum) == (0.001, 0.001, 2)
    assert (len(tuned.first[0].minutes), len(tuned.rest[0].minutes)) == (tuned.first_days, 6 - tuned.first_days)
    assert tuned.holds == bool(tuned.changes)
    if tuned.holds:
        assert tuned.rest[1].replica_hours < tuned.rest[0].replica_hours


def changed(tuned: Tuned) -> Tuned:
    """As if a lower risk had been found better."""
    from podium.loop.backtest.tune import Change

    change = Change("spec.objective.unservedFraction", 0.001, 0.004, "made")
    return dataclasses.replace(tuned, holds=True, changes=(change,))


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_the_proposed_document_is_valid_and_carries_its_promise(workload: Lived, tuned: Tuned) -> None:
    whole = promise.tuned_document(workload.document, changed(tuned), 1.8e9)
    read = ScalingPolicy.model_validate_json(json.dumps(yaml.safe_load(promise.as_yaml(whole))))
    assert read.spec.objective.unserved_fraction == 0.004
    given = promise.promise_of(read)
    assert given is not None
    assert (given.at, given.risk, given.before) == (1.8e9, 0.001, {"spec.objective.unservedFraction": 0.001})
    lines = promise.diff(workload.document, whole).splitlines()
    assert any(line.startswith("+") and "unservedFraction: 0.004" in line for line in lines)
    back = promise.withdrawn(read, given)
    assert ScalingPolicy.model_validate_json(json.dumps(back)).spec.objective.unserved_fraction == 0.001
    assert "annotations" not in back["metadata"] or promise.ANNOTATION not in back["metadata"]["annotations"]


def promised(workload: Lived, **changed: float) -> Promise:
    given = {"at": workload.replayed.case.trace.first * 60.0, "risk": 0.001, "unserved": 0.5, "cost": 9.0}
    return Promise(**(given | changed), before={})  # type: ignore[arg-type]


def test_a_promise_is_kept_or_broken_by_what_was_recorded_since(workload: Lived) -> None:
    assert promise.check(workload, promised(workload)).broken == ()
    # Ten replicas stood there under a load that needs twelve at noon and two at night.
    unserved = promise.check(workload, promised(workload, unserved=0.001)).broken
    assert (len(unserved), "of 0.100% at most" in unserved[0]) == (1, True)
    dear = promise.check(workload, promised(workload, cost=1.1)).broken
    assert (len(dear), "times the oracle's, of 1.10 at most" in dear[0]) == (1, True)


def test_too_short_a_time_since_is_said(workload: Lived) -> None:
    with pytest.raises(Unfit, match="days are recorded since; expected 2 at least"):
        promise.check(workload, promised(workload, at=2e9))


def test_a_damaged_promise_and_none_are_told_apart(workload: Lived) -> None:
    assert promise.promise_of(workload.document) is None
    whole = promise.plain(workload.document)
    whole["metadata"]["annotations"] = {promise.ANNOTATION: "{"}
    with pytest.raises(Unfit, match="is damaged"):
        promise.promise_of(ScalingPolicy.model_validate_json(json.dumps(whole)))


def test_a_history_without_two_parts_is_refused(tmp_path: Path) -> None:
    with pytest.raises(TooShort, match="expected 6 at least"):
        tune(one_of(tmp_path, 3.0), None, memory)
