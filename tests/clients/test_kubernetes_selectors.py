"""Label selectors: as the API server writes and matches them."""

from __future__ import annotations

import pytest

from podium.clients.kubernetes import selectors
from podium.clients.kubernetes.objects import LabelSelector, Requirement

CASES = [
    ("app=web", {"app": "web", "tier": "front"}, True),
    ("app=web", {"app": "api"}, False),
    ("app==web,tier=front", {"app": "web", "tier": "front"}, True),
    ("app=web,tier=front", {"app": "web"}, False),
    ("app!=web", {}, True),
    ("app!=web", {"app": "web"}, False),
    ("tier in (front,back)", {"tier": "back"}, True),
    ("tier in (front, back),app", {"tier": "back"}, False),
    ("tier notin (front,back)", {"tier": "db"}, True),
    ("tier notin (front,back)", {}, True),
    ("app", {"app": ""}, True),
    ("!app", {"app": "web"}, False),
    ("!app, k8s.io/name = x", {"k8s.io/name": "x"}, True),
    ("app=", {"app": ""}, True),
    ("", {"anything": "goes"}, True),
]


@pytest.mark.parametrize(("text", "labels", "matches"), CASES)
def test_a_selector_matches_as_kubernetes_does(text: str, labels: dict[str, str], matches: bool) -> None:
    assert selectors.parse(text).matches(labels) is matches


@pytest.mark.parametrize("text", ["app=(", "tier in front", "a b", "=", "app in (a"])
def test_a_text_that_is_no_selector_is_shown(text: str) -> None:
    with pytest.raises(ValueError, match="is not a label selector"):
        selectors.parse(text)


def test_text_and_struct_say_the_same() -> None:
    struct = LabelSelector({"app": "web"}, [Requirement("tier", "In", ["a", "b"]), Requirement("old", "DoesNotExist")])
    assert selectors.of(struct) == selectors.parse("app=web,tier in (a,b),!old")


def test_the_rarest_label_is_what_objects_are_looked_up_by() -> None:
    assert selectors.parse("tier in (a,b),app=web,!old").pairs() == [("app", "web")]
    assert selectors.parse("!old").pairs() == []
