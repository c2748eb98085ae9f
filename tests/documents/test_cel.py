from __future__ import annotations

import pytest

from podium.documents import cel


@pytest.mark.parametrize(
    "text",
    [
        "queue > 100.0 && !(lag < duration('5m'))", "{'a': [1, 2]}.size() > 0", "name == '('", r"name == 'it\'s'",
        r"name.matches(r'\')", 'name == """two\n(lines"""', "queue > 1 // (not yet", "b'(' == bytes(name)",
    ],
)  # fmt: skip
def test_expressions_with_everything_closed_pass(text: str) -> None:
    assert cel.problem(text) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("(queue > 1", "the ( at its character 1 is not closed"),
        ("queue > 1)", "the ) at its character 10 closes nothing"),
        ("queue[(1])", "the ] at its character 9 closes nothing"),
        ("name == 'a", "the ' at its character 9 is not"),
        ("name == 'a\nb'", "the ' at its character 9 is not"),
        (" ", "a CEL expression"),
    ],
)
def test_what_is_not_closed_is_named(text: str, said: str) -> None:
    assert said in cel.problem(text)
