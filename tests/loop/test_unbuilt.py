from __future__ import annotations

import pytest
from tests.documents.samples import POLICY, policy

from podium.documents.loading import loads
from podium.kinds import KINDS
from podium.loop import unbuilt
from podium.loop.policy import ScalingPolicy


def said(document: object) -> tuple[str, ...]:
    assert isinstance(document, ScalingPolicy)
    return unbuilt.not_yet(document.spec)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ("  mode: own\n", ()),
        ("  objective: {unservedFraction: 0.01}\n", ()),
        ("  requests: {mode: 'off'}\n", ()),
        ("  mode: metric\n", ()),
        ("  mode: floor\n", ()),
        ("  objective: {latency: {quantile: 0.99, below: 1s}}\n", ()),
        ("  rules: [{when: cpu > 1, then: {pause: up}}]\n", ()),
        ("  schedule: [{cron: '@daily', duration: 1h, minReplicas: 3}]\n", ()),
        ("  requests: {mode: own}\n", ("requests.mode own",)),
        ("  requests: {}\n  mode: floor\n", ("requests.mode recommend",)),
    ],
)
def test_what_is_asked_for_and_not_done_is_named(lines: str, words: tuple[str, ...]) -> None:
    assert said(policy(lines)) == words


def test_a_load_whose_capacity_is_to_be_learned_is_acted_on() -> None:
    (document,) = loads(POLICY.replace(", capacityPerReplica: 85", "").encode(), "web.yaml", KINDS)
    assert said(document) == ()
