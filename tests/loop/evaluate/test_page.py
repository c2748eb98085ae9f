"""The example of docs/guides/policy-eval.md is answered as it says, and every member of a line is named there."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from podium.loop.evaluate.answers import answers
from podium.loop.evaluate.cases import GATES, Line, Metrics, Tick

PAGE = (Path(__file__).parents[3] / "docs/guides/policy-eval.md").read_text()


def test_the_example_is_answered_as_the_page_says() -> None:
    case, answer = re.findall(r"```json\n(.*?)\n```", PAGE, re.DOTALL)
    assert [one.decode() for one in answers([case.encode()], full=False)] == [answer]


def test_every_member_is_on_the_page() -> None:
    members = {field.encode_name for kind in (Line, Tick) for field in msgspec.structs.fields(kind)} - {
        "load",
        "metrics",
    }
    parts = {f"metrics.{field.encode_name}" for field in msgspec.structs.fields(Metrics)}
    assert {name for name in members | parts | set(GATES) if f"`{name}`" not in PAGE} == set()
