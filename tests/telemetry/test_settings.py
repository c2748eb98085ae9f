from __future__ import annotations

from pathlib import Path

import pytest

from podium import settings
from podium.documents.problem import Invalid


def loaded(folder: Path, **environ: str) -> settings.Loaded:
    return settings.load({}, environ, folder, system=folder)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}, "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c:4318/"}, "http://c:4318/"),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://d:2/x"},
            "http://d:2/x",
        ),
        (
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:1", "PODIUM_TELEMETRY__TRACES__ENDPOINT": "http://e:3/y"},
            "http://e:3/y",
        ),
        ({}, None),
    ],
)
def test_the_collector_is_where_opentelemetrys_variables_or_ours_say(
    tmp_path: Path, environ: dict[str, str], expected: str | None
) -> None:
    assert loaded(tmp_path, **environ).value.telemetry.traces.endpoint == expected


def test_each_value_knows_which_variable_it_came_from_and_headers_are_never_shown(tmp_path: Path) -> None:
    found = loaded(tmp_path, OTEL_EXPORTER_OTLP_HEADERS="token=abc", OTEL_EXPORTER_OTLP_TIMEOUT="2500")
    traces = found.value.telemetry.traces
    assert (traces.timeout, found.origin("telemetry.traces.timeout")) == (2.5, "OTEL_EXPORTER_OTLP_TIMEOUT")
    assert traces.headers is not None
    assert found.reveal(traces.headers) == "token=abc"
    assert "abc" not in "".join(str(row) for row in found.rows())


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "localhost:4318"}, "the URL of a collector"),
        ({"OTEL_EXPORTER_OTLP_TIMEOUT": "soon"}, "a duration"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "prod"}, "attributes as name=value"),
    ],
)
def test_a_variable_that_makes_no_sense_is_named(tmp_path: Path, environ: dict[str, str], expected: str) -> None:
    with pytest.raises(Invalid) as caught:
        loaded(tmp_path, **environ)
    assert [problem.origin for problem in caught.value.problems] == list(environ)
    assert expected in str(caught.value)


def test_a_protocol_that_is_not_spoken_is_said(tmp_path: Path) -> None:
    environ = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}
    assert loaded(tmp_path, **environ).notes == (
        "OTEL_EXPORTER_OTLP_PROTOCOL: spans are sent as http/protobuf alone, usually to port 4318",
    )
    assert loaded(tmp_path, OTEL_EXPORTER_OTLP_PROTOCOL="grpc").notes == ()
