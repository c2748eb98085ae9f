"""The `telemetry` branch of the settings: what `/metrics` holds, and where spans go."""

from __future__ import annotations

import re
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
