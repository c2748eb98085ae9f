"""What people write about pushed metrics: sources in the settings, Signals that read them, and what is wrong there."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from podium.signals.push.question import question
from podium.signals.settings import SourceSettings
from podium.signals.signal import SignalSpec

PUSH = {"metric": "http.server.requests", "match": {"http.route": "/pay"}, "rate": True}


def test_a_signal_asks_for_names_as_they_are_kept() -> None:
    spec = SignalSpec.model_validate({"unit": "per_second", "push": PUSH})
    assert (spec.origin_kind, spec.push is spec.origin) == ("push", True)
    assert spec.push is not None
    assert spec.push.query() == ('{"metric":"http_server_requests","match":[["http_route","/pay"]],"rate":true}')
    assert question("load", {}, rate=False) == '{"metric":"load"}'


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ({"push": PUSH}, "unit"),
        ({"unit": "count", "push": {"match": {}}}, "metric"),
        ({"unit": "count", "push": PUSH, "replay": {"column": "a"}}, "nothing here, because the origin is replay"),
        ({"unit": "count", "push": PUSH | {"query": "up"}}, "query"),
    ],
)
def test_what_is_wrong_with_an_origin_is_said(spec: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        SignalSpec.model_validate(spec)
    assert said in str(raised.value)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"kind": "push", "url": "http://127.0.0.1:1"}, "nothing here, because kind is push"),
        ({"kind": "push", "path": Path("a.csv")}, "nothing here, because kind is push"),
        ({"kind": "replay", "path": Path("a.csv"), "series": 5}, "nothing here, because kind is replay"),
        ({"kind": "push", "series": 0}, "greater than or equal to 1"),
    ],
)
def test_what_is_wrong_with_a_source_is_said(more: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as raised:
        SourceSettings.model_validate({"name": "pushed"} | more)
    assert said in str(raised.value)


def test_a_source_of_kind_push_needs_nothing_else_and_may_have_a_token_of_its_own() -> None:
    plain = SourceSettings.model_validate({"name": "pushed", "kind": "push"})
    own = SourceSettings.model_validate({"name": "pushed", "kind": "push", "bearer": "env:TOKEN", "series": 5})
    assert (plain.series, plain.bearer, own.series, own.bearer) == (None, None, 5, "env:TOKEN")
