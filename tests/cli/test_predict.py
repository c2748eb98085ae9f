"""`podium predict` against a running Podium."""

from __future__ import annotations

import pytest
from tests.cli.outside import Done, podium
from tests.journeys.installation import Installation

pytestmark = pytest.mark.slow


def asked(place: Installation, *words: str) -> Done:
    return podium("predict", *words, at=place.folder)


def test_a_workload_is_answered_for_machines_and_for_people(place: Installation) -> None:
    told = asked(place, "shop/web", "--horizon", "30m", "--confidence", "0.9", "-o", "json").answer
    assert (told["key"], told["confidence_threshold"]) == ("local/shop/deployment.apps/web", 0.9)
    assert told["should_scale_up"] is (told["scale_factor"] > 1)
    lines = asked(place, "web").out.splitlines()
    assert lines[0].startswith("local/shop/deployment.apps/web: ")
    assert any(line.startswith("largest ahead") for line in lines)


def test_all_workloads_are_asked_about_where_none_is_named(place: Installation) -> None:
    told = asked(place, "-o", "json").answer
    assert (told["workloads"], told["should_scale_up"]) == (4, bool(told["items"]))
    assert "more replicas" in asked(place).out.casefold()


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("wep",), 2, "no workload 'wep'"),
        (("web", "--horizon", "2h"), 2, "expected 1m to 30m"),
        (("web", "--confidence", "2"), 2, "expected 0.5 to 0.999"),
        (("web", "--url", "http://127.0.0.1:1", "--token", "x"), 3, "is `podium run` there?"),
    ],
)
def test_what_cannot_be_answered_is_said(place: Installation, words: tuple[str, ...], code: int, said: str) -> None:
    done = asked(place, *words)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
