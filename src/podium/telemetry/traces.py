"""Spans over OTLP/HTTP, with OpenTelemetry's own SDK (the extra `otel`).

A span ends into a bounded queue; a thread of the SDK posts it. A collector that is slow, dead or answers garbage loses
spans, which are counted, and is told of once; no turn waits for it.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import urllib.parse
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import structlog
from prometheus_client import CollectorRegistry, Counter

import podium
from podium.telemetry.settings import TracesSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
    from opentelemetry.trace import Span as TracedSpan

FLUSH_SECONDS = 2.0  # at the end: what the collector has not taken by then is lost
EVERY_SECONDS = 5.0  # between two posts
MOST_SPANS = 2048  # waiting to be posted: 290 turns
log = structlog.get_logger()


class SpanMeters:
    """Spans by what became of them."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.spans = Counter(
            "podium_spans",
            "Spans of turns and steps by what became of them (fate: sent, lost).",
            ["fate"],
            registry=registry,
        )
        for fate in ("sent", "lost"):
            self.spans.labels(fate)


class Traces:
    """Implements podium.loop.tracing.Tracer."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider
        self._tracer = provider.get_tracer("podium.loop", podium.__version__)

    @contextlib.contextmanager
    def span(self, name: str) -> Iterator[_Noted]:
        """From now until the block ends."""
        with self._tracer.start_as_current_span(name) as span:
            yield _Noted(span)

    def close(self) -> None:
        """Post what is left, for two seconds at most."""
        # A thread that nobody waits for: the SDK's own shutdown may take half a minute with a dead collector.
        closing = threading.Thread(target=self._provider.shutdown, name="traces-end", daemon=True)
        closing.start()
        closing.join(FLUSH_SECONDS)


class _Noted:
    def __init__(self, span: TracedSpan) -> None:
        self._span = span

    def note(self, facts: Mapping[str, str | int | float | bool]) -> None:
        """Attributes of the span."""
        self._span.set_attributes(facts)


def start(settings: TracesSettings, headers: str, instance: str, meters: SpanMeters) -> Traces | None:
    """Begin to trace; None when the settings name no collector, or tracing cannot be had, which is said in one line.

    `headers`: what `settings.headers` refers to. `instance`: which of several processes this is.
    """
    if settings.endpoint is None or settings.disabled:
        return None
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        advice = "in a clone of Podium: make dev, or uv pip install '.[otel]'"
        log.warning("no traces: they need OpenTelemetry", advice=advice)
        return None
    _quiet()
    try:
        exporter = OTLPSpanExporter(settings.endpoint, headers=_pairs(headers), timeout=settings.timeout)
    except ValueError as error:  # one of the variables that the SDK reads by itself
        log.warning("no traces", reason=str(error))
        return None
    resource = Resource.create(
        _pairs(settings.attributes)
        | {
            "service.name": settings.service,
            "service.version": podium.__version__,
            "service.instance.id": instance,
        }
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    counted = _counted(exporter, settings.endpoint, meters)
    provider.add_span_processor(
        BatchSpanProcessor(counted, max_queue_size=MOST_SPANS, schedule_delay_millis=EVERY_SECONDS * 1000)
    )
    return Traces(provider)


def _pairs(text: str) -> dict[str, str]:
    """`name=value` between commas, values percent-encoded where they hold a comma, as OpenTelemetry writes them."""
    pairs = (one.partition("=") for one in text.split(",") if one.strip())
    return {name.strip(): urllib.parse.unquote(value.strip()) for name, _, value in pairs}


def _quiet() -> None:
    """The SDK's own log lines, a few for every batch, go nowhere: what they say is said here, once."""
    logger = logging.getLogger("opentelemetry")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False


def _counted(exporter: SpanExporter, endpoint: str, meters: SpanMeters) -> SpanExporter:
    """`exporter`, with its results counted, and said when they change."""
    from opentelemetry.sdk.trace.export import SpanExporter as Exporter
    from opentelemetry.sdk.trace.export import SpanExportResult as Result

    class Counted(Exporter):
        def __init__(self) -> None:
            self._losing = False

        def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
            result = exporter.export(spans)
            losing = result is not Result.SUCCESS
            meters.spans.labels("lost" if losing else "sent").inc(len(spans))
            if losing and not self._losing:
                log.warning("the collector takes no spans; they are lost until it does", endpoint=endpoint)
            elif self._losing and not losing:
                log.info("the collector takes spans again", endpoint=endpoint)
            self._losing = losing
            return result

        def shutdown(self) -> None:
            exporter.shutdown()

    return Counted()
