"""The frozen answers of the Go library that the API server reads YAML with."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from podium.documents import reading

GROUPS = json.loads(pathlib.Path(__file__).with_name("scalars.json").read_text())["groups"]
CASES = [(group["why"], text, answer) for group in GROUPS for text, answer in group["cases"]]


def ours(text: str) -> Any:
    documents = list(reading.read(text.encode()))
    return documents[0].value if documents else None


def as_read(value: Any) -> Any:
    """Numbers as a Kubernetes client reads them: whole ones are integers, whatever their spelling."""
    if isinstance(value, dict):
        return {name: as_read(item) for name, item in value.items()}
    if isinstance(value, list):
        return [as_read(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() and abs(value) < 1e21 else value


@pytest.mark.parametrize(("why", "text", "answer"), CASES, ids=[f"{why}: {text!r}" for why, text, _ in CASES])
def test_a_text_means_what_it_means_to_the_api_server(why: str, text: str, answer: dict[str, Any]) -> None:
    if "error" in answer:
        with pytest.raises(reading.Unreadable):
            ours(text)
    else:
        assert json.dumps(ours(text), sort_keys=True) == json.dumps(as_read(answer["json"]), sort_keys=True), why
