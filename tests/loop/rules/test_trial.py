"""A first look at rules: mistakes are named with their line before anybody acts on them."""

from __future__ import annotations

import pytest
from tests.documents.samples import POLICY, SIGNAL
from tests.loop.rules.test_rules import HOSTILE

from podium.documents.collection import gather
from podium.documents.loading import loads
from podium.documents.problem import Invalid
from podium.kinds import KINDS
from podium.loop import checks
from podium.loop.rules.trial import TOO_LONG, trial


def said(when: str) -> list[str]:
    text = POLICY + f'  rules:\n    - when: "{when}"\n      then: {{minReplicas: 10}}\n'
    documents = loads(f"{text}---\n{SIGNAL}".encode(), "shop.yaml", KINDS)
    try:
        gather(documents, (), checks.CHECKS)
    except Invalid as error:
        return str(error).splitlines()
    return []


@pytest.mark.parametrize(
    "when",
    [
        "requests_per_second > 500 && hour >= 8",
        "requests_per_second in [1.0, 2.0] ? replicas < 5 : cpu > 2",
        "int(requests_per_second) % int(replicas) == 0",
        "[1.0, 2.0].exists(x, x * 10.0 > requests_per_second)",
    ],
)
def test_a_condition_over_known_names_is_right(when: str) -> None:
    assert said(when) == []


@pytest.mark.parametrize(
    ("when", "words"),
    [
        ("request_per_second > 500", "did you mean requests_per_second?"),
        ("requests_per_second + 1 > 500.0 || size('a') > 3", "Unsupported operation: float + int"),
        ("requests_per_second in [1.0] ? 1 : 2", "a condition, which is true or false; it gives 1"),
        ("requests_per_second > ", "mismatched input"),
        ("requests_per_second > 500 && replicas * 2 < 400", "Unsupported operation: float * int"),
        ("requests_per_second > 500 && 'x'", "No such overload"),
        ("requests_per_second < 20 || hour > 5 && size('a')", "No such overload"),
        ("nothing.here.at_all()", "one of replicas, ready"),
    ],
)
def test_a_mistake_is_named_with_its_line(when: str, words: str) -> None:
    (line,) = said(when)
    assert line.startswith("shop.yaml:9:7: spec.rules[0].when: expected ")
    assert words in line


def test_of_many_the_one_that_takes_too_long_is_named_alone() -> None:
    wrong = trial({"queue in [1.0]": ["queue"], HOSTILE: ["queue"], "queue in [2.0]": ["queue"], "queue >": ["queue"]})
    assert wrong.pop(HOSTILE) == TOO_LONG
    assert list(wrong) == ["queue >"]
