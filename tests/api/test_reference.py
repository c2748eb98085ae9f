"""docs/reference/http.md names every door there is, with every parameter it takes, and no other."""

from __future__ import annotations

import pathlib
import re

import pytest
from tests.api.fakes import FakeView, ask, visited

from podium.loop.tell.selection import FIELDS, SORTS
from podium.loop.tell.sheet import STATES

PAGE = (pathlib.Path(__file__).parents[2] / "docs/reference/http.md").read_text()
ROWS = dict(re.findall(r"^\| `GET (/api/v1/\S+)` \|(.*?)\|", PAGE, re.MULTILINE))
ONE = "/workloads/{cluster}/{namespace}/{kind}/{name}"


async def test_every_door_and_its_parameters_are_on_the_page() -> None:
    async with visited(FakeView()) as client:
        paths = (await ask(client.get("/api/v1/openapi.json"))).json()["paths"]
    doors = {
        path.replace(ONE, "/workloads/KEY"): {one["name"] for one in asked["get"]["parameters"] if one["in"] == "query"}
        for path, asked in paths.items()
        if "get" in asked and path.startswith("/api/v1/") and "parameters" in asked["get"]
    }
    written = {path: set(re.findall(r"`(\w+)`", cell)) for path, cell in ROWS.items()}
    assert {path: written.get(path) for path in doors} == dict(doors.items())


@pytest.mark.parametrize("words", [STATES, SORTS, FIELDS], ids=["states", "sorts", "fields"])
def test_the_words_that_questions_take_are_on_the_page(words: tuple[str, ...]) -> None:
    assert [word for word in words if f"`{word}`" not in PAGE] == []
