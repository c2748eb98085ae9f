"""Random states and timelines, with the answers that Kubernetes' own controller gave (see upstream.py)."""

from __future__ import annotations

from tests.loop.decide import upstream

STATES, TIMELINES = upstream.recorded()


def test_every_recorded_state_gets_upstreams_proposal() -> None:
    assert upstream.proposals(STATES) == [state["answer"] for state in STATES]


def test_every_recorded_timeline_is_written_as_upstream_wrote_it() -> None:
    answers = [upstream.replay(timeline) for timeline in TIMELINES]
    assert answers == [timeline["answer"] for timeline in TIMELINES]


def test_the_recording_asks_for_every_kind_of_metric_and_both_kinds_of_windows() -> None:
    assert {state["kind"] for state in STATES} == set(upstream.KINDS)
    assert {"scaleUp" in timeline for timeline in TIMELINES} == {True, False}
    assert None in {state["answer"] for state in STATES}
