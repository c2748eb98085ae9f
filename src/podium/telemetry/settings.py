"""The `telemetry` branch of the settings: what `/metrics` holds, and where spans go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated

import pydantic
from pydantic import Field

from podium.documents.secret import Secret
from podium.documents.shape import Shape
from podium.documents.values import PositiveSeconds, Text, unexpected

_URL = re.compile(r"https?://[^\s/@]+(/\S*)?")


def _url(value: str) -> str:
    if _URL.fullmatch(value) is None:
        raise unexpected("the URL of a collector, as in http://127.0.0.1:4318/v1/traces, without a password")
    return value


def _attributes(value: str) -> str:
    for pair in filter(None, (one.strip() for one in value.split(","))):
        name, equals, _ = pair.partition("=")
        if not name.strip() or not equals:
            raise unexpected("attributes as name=value, between commas")
    return value


class MetricsSettings(Shape):
    """`/metrics`. Without these bounds, a fleet of 100,000 workloads would be as many series in Prometheus."""

    tenants: Annotated[int, Field(ge=0, le=10_000)] = 100
    """How many tenants have series of their own, the largest first; the others are added up as `(others)`."""
    workloads: Annotated[int, Field(ge=0, le=10_000)] = 0
    """How many workloads have series of their own, by their keys' order; ten series each."""


class TracesSettings(Shape):
    """Spans over OTLP/HTTP, with the extra `otel`. A collector that is slow or gone loses spans and slows nothing."""

    endpoint: Annotated[str, pydantic.AfterValidator(_url)] | None = None
    """Where spans are posted, with its path; left out, there are none."""
    headers: Secret | None = None
    """Reference to headers for the collector, `name=value` between commas, such as its token."""
    service: Text = "podium"
    """`service.name` of the spans."""
    attributes: Annotated[str, pydantic.AfterValidator(_attributes)] = ""
    """Further attributes of this installation on every span, `name=value` between commas."""
    timeout: PositiveSeconds = 10.0
    """How long the collector may take for one batch before its spans are lost."""
    disabled: bool = False
    """Send nothing, whatever else is set."""


class TelemetrySettings(Shape):
    """Podium's own telemetry."""

    metrics: MetricsSettings = MetricsSettings()
    """What `/metrics` holds."""
    traces: TracesSettings = TracesSettings()
    """Where spans go."""


# OpenTelemetry's own variables that mean one of our fields, the more special ones last.
VARIABLES: Mapping[str, str] = {
    "OTEL_SERVICE_NAME": "service",
    "OTEL_RESOURCE_ATTRIBUTES": "attributes",
    "OTEL_EXPORTER_OTLP_HEADERS": "headers",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "headers",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "timeout",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "timeout",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "endpoint",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "endpoint",
    "OTEL_SDK_DISABLED": "disabled",
}
_MEANT: Mapping[str, str] = {
    "OTEL_EXPORTER_OTLP_ENDPOINT": "with `/v1/traces` behind it",
    "OTEL_EXPORTER_OTLP_TIMEOUT": "in milliseconds",
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "in milliseconds",
    "OTEL_EXPORTER_OTLP_HEADERS": "by reference, so that it is never shown",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "by reference, so that it is never shown",
}


def meant(variable: str) -> str:
    """How a variable becomes its field, in words; "" when it is taken as it stands."""
    return _MEANT.get(variable, "")


def of_variables(environ: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """(variable, field, text) of every variable of OpenTelemetry that is set and means a field here."""
    for name, field in VARIABLES.items():
        if name in environ:
            yield name, f"telemetry.traces.{field}", _translated(name, field, environ[name])


def _translated(name: str, field: str, text: str) -> str:
    if field == "headers":
        return f"env:{name}"
    if field == "timeout" and text.strip().isdecimal():
        return f"{text.strip()}ms"
    if name == "OTEL_EXPORTER_OTLP_ENDPOINT":
        return text.rstrip("/") + "/v1/traces"
    return text.lower() if field == "disabled" else text


def unspoken(environ: Mapping[str, str]) -> Iterator[str]:
    """Sentences about variables of OpenTelemetry that ask for what is not here."""
    for name in ("OTEL_EXPORTER_OTLP_PROTOCOL", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"):
        if environ.get(name, "http/protobuf") != "http/protobuf":
            yield f"{name}: spans are sent as http/protobuf alone, usually to port 4318"
