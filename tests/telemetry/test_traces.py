"""Spans of a running program, received over HTTP by a collector of ours."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs
from tests.brief.stage import Stage, by_load, policy, signal, stage
from tests.servers.collector import Collector, Received, collecting
from tests.servers.prometheus import free_port

from podium.telemetry import traces
from podium.telemetry.settings import TracesSettings

DOCUMENTS = signal("load", "load", "per_second") + policy(rest=by_load())
STEPS = ["observe", "forecast", "decide", "verify", "record", "act"]


def asked(endpoint: str, **more: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": endpoint, **more}


async def turned(folder: Path, environ: dict[str, str], turns: int = 3) -> tuple[Stage, float]:
    """A program that made so many turns and was stopped, and how long stopping took."""
    async with stage(folder, DOCUMENTS, environ=environ) as stood:
        stood.measured.of_workloads["load"] = lambda: {"web": 75.0}
        await stood.turns(turns)
        began = time.monotonic()
        stood.running.cancel()
        await asyncio.gather(stood.running, return_exceptions=True)
        return stood, time.monotonic() - began


def counted(stood: Stage, what: str) -> float:
    return stood.program.registry.get_sample_value(what) or 0.0


def lost(stood: Stage) -> float:
    return stood.program.registry.get_sample_value("podium_spans_total", {"fate": "lost"}) or 0.0


def eventually(holds: Callable[[], bool]) -> None:
    for _ in range(200):
        if holds():
            return
        time.sleep(0.05)
    raise TimeoutError("it never held")


def of_turn(collector: Collector, number: int) -> tuple[Received, list[Received]]:
    """The span of a turn, and its children in the order they began to be told of."""
    (turn,) = [span for span in collector.spans if span.attributes.get("podium.turn") == number]
    return turn, [span for span in collector.spans if span.parent == turn.id]


async def test_a_turn_is_a_span_and_its_steps_are_its_children(tmp_path: Path) -> None:
    async with collecting() as collector:
        await turned(tmp_path, asked(collector.url))
        turn, steps = of_turn(collector, 1)
        assert [step.name for step in steps] == STEPS
        assert {step.trace for step in steps} == {turn.trace}
        assert (turn.name, turn.parent) == ("turn", b"")
        assert 0 < sum(step.seconds for step in steps) <= turn.seconds


async def test_a_turn_says_what_it_did(tmp_path: Path) -> None:
    async with collecting() as collector:
        await turned(tmp_path, asked(collector.url))
        said = [of_turn(collector, number)[0].attributes for number in (1, 2)]
        changed = next(one for one in said if one["podium.changed"])
        assert {name.removeprefix("podium."): value for name, value in changed.items() if name != "podium.at"} == {
            "turn": changed["podium.turn"], "skipped": 0, "workloads": 1, "changed": 1,
            "commands.written": 1, "commands.refused": 0, "commands.failed": 0, "commands.withheld": 0,
            "verdicts": 0, "events": changed["podium.events"], "sources.silent": 0,
        }  # fmt: skip


async def test_the_collector_learns_who_sends_and_gets_its_headers(tmp_path: Path) -> None:
    told = {"OTEL_EXPORTER_OTLP_HEADERS": "authorization=Bearer%20abc", "OTEL_SERVICE_NAME": "podium-blue"}
    async with collecting() as collector:
        await turned(tmp_path, asked(collector.url, OTEL_RESOURCE_ATTRIBUTES="deployment=prod", **told))
        assert collector.headers[0]["authorization"] == "Bearer abc"
        resource = collector.resources[0]
        assert (resource["service.name"], resource["deployment"]) == ("podium-blue", "prod")


async def test_without_an_endpoint_nothing_is_traced(tmp_path: Path) -> None:
    stood, _ = await turned(tmp_path, {})
    assert stood.program._tracer is None


async def test_a_dead_collector_loses_spans_and_no_turn(tmp_path: Path) -> None:
    with capture_logs() as logs:
        stood, stopping = await turned(tmp_path, asked(f"http://127.0.0.1:{free_port()}/v1/traces"), turns=5)
    assert counted(stood, "podium_turns_total") >= 5
    assert stopping < traces.FLUSH_SECONDS + 1
    assert sum("spans" in entry["event"] for entry in logs) <= 1


async def test_a_slow_collector_delays_neither_turns_nor_the_end(tmp_path: Path) -> None:
    async with collecting() as collector:
        collector.pause = 60.0
        stood, stopping = await turned(tmp_path, asked(collector.url), turns=5)
        assert (counted(stood, "podium_turn_seconds_sum") / counted(stood, "podium_turns_total")) < 0.5
        assert stopping < traces.FLUSH_SECONDS + 1


@pytest.mark.parametrize(("status", "body"), [(400, b"\x00\xff not protobuf"), (404, b"<html>"), (500, b"")])
async def test_a_collector_that_refuses_or_answers_garbage_loses_spans_and_is_told_of_once(
    tmp_path: Path, status: int, body: bytes
) -> None:
    async with collecting() as collector:
        collector.status, collector.body = status, body
        with capture_logs() as logs:
            stood, _ = await turned(tmp_path, asked(collector.url, OTEL_EXPORTER_OTLP_TIMEOUT="500"))
            await asyncio.to_thread(eventually, lambda: lost(stood) > 0)
    assert [entry["event"] for entry in logs if "spans" in entry["event"]] == [
        "the collector takes no spans; they are lost until it does"
    ]


def test_a_missing_extra_is_one_line_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.trace", None)
    settings, meters = TracesSettings(endpoint="http://127.0.0.1:1/v1/traces"), traces.SpanMeters(CollectorRegistry())
    with capture_logs() as logs:
        assert traces.start(settings, "", "here", meters) is None
    assert logs == [
        {
            "event": "no traces: they need OpenTelemetry",
            "advice": "in a clone of Podium: make dev, or uv pip install '.[otel]'",
            "log_level": "warning",
        }
    ]


async def test_what_is_raised_in_a_step_passes_and_marks_its_span() -> None:
    async with collecting() as collector:
        meters = traces.SpanMeters(CollectorRegistry())
        tracer = traces.start(TracesSettings(endpoint=collector.url), "", "here", meters)
        assert tracer is not None
        with pytest.raises(ZeroDivisionError), tracer.span("decide"):
            raise ZeroDivisionError
        await asyncio.to_thread(tracer.close)
        assert [(span.name, span.failed) for span in collector.spans] == [("decide", True)]
