from __future__ import annotations

import pytest

from podium.loop.verify.expectation import LEAST_SECONDS, PATIENCE, expect, judge
from podium.model.command import Scale
from podium.model.identity import WorkloadKey
from podium.model.verdict import Expectation, Outcome, Verdict

WEB = WorkloadKey("local", "shop", "deployment", "apps", "web")


def expected(before: int, replicas: int, lead_seconds: float = 60.0) -> Expectation:
    scale = Scale(slot=0, key=WEB, current=before, replicas=replicas, resource_version="1", epoch=1)
    return expect(scale, at=1000.0, lead_seconds=lead_seconds)


def test_a_deadline_is_three_lead_times_and_never_nearer_than_five_minutes() -> None:
    assert expected(2, 5, 60.0).deadline == 1000.0 + LEAST_SECONDS
    assert expected(2, 5, 200.0).deadline == 1000.0 + PATIENCE * 200.0


@pytest.mark.parametrize(
    ("before", "replicas", "ready", "after", "outcome"),
    [
        (2, 5, 5, 30, Outcome.REACHED),
        (2, 5, 6, 30, Outcome.REACHED),
        (2, 5, 4, 299, None),
        (2, 5, 4, 300, Outcome.LATE),
        (2, 5, 5, 900, Outcome.REACHED),  # nobody looked before, and it is there
        (5, 2, 2, 15, Outcome.REACHED),
        (5, 2, 3, 15, None),
        (5, 2, 3, 300, Outcome.LATE),
    ],
)
def test_a_command_is_judged_by_the_ready_pods(
    before: int, replicas: int, ready: int, after: float, outcome: Outcome | None
) -> None:
    pending = expected(before, replicas)
    now = 1000.0 + after
    verdicts = judge({WEB: pending}, {WEB: ready}, now)
    assert verdicts == (
        () if outcome is None else (Verdict(expectation=pending, outcome=outcome, at=now, ready=ready),)
    )


def test_what_was_not_observed_is_not_judged_however_late() -> None:
    assert judge({WEB: expected(2, 5)}, {}, 1e6) == ()
