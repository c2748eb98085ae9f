"""docs/reference/metrics.md, written from the registry itself: what is registered is listed, and nothing else is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from prometheus_client import CollectorRegistry
from prometheus_client.metrics_core import Metric

from podium.api.metrics import DoorMetrics
from podium.loop.tell.meters.meters import Meters
from podium.telemetry.settings import MetricsSettings
from podium.telemetry.traces import SpanMeters

INTRODUCTION = """# Metrics

Written by `make docs` from the registry.

`GET /metrics` asks for no token, and answers Prometheus' text format, or OpenMetrics when asked for it:

```yaml
scrape_configs:
  - job_name: podium
    static_configs: [{targets: ["127.0.0.1:8080"]}]
```

Counters and histograms begin at zero with the process. Gauges speak of the last turn; what is unknown has no series.
Times run on the machine's clock; where a sentence says "the loop's clock", a simulation's own time is meant.

No label names a workload, unless `telemetry.metrics.workloads` asks for so many. Tenants beyond
`telemetry.metrics.tenants` are added up as `(others)`. So the number of series is bounded, whatever the fleet:
about 250, seventeen for each tenant that has its own, and thirty for each source.

In [deploy/monitoring](../../deploy/monitoring) lie a Grafana dashboard and alert rules on these metrics;
[what to do when one fires](../guides/alerts.md).
"""
SECTIONS = {
    "Turns": ("podium_turn", "podium_step", "podium_last_turn", "podium_interval"),
    "Decisions, commands, verdicts": (
        "podium_decision", "podium_command", "podium_verdict", "podium_ready_seconds", "podium_event",
    ),
    "Fleet": (
        "podium_workloads", "podium_unread", "podium_unclaimed", "podium_replicas", "podium_ready", "podium_wanted",
        "podium_needed", "podium_unserved",
    ),
    "Beside a plain HPA": ("podium_compared",),
    "Forecasts": ("podium_forecast", "podium_tenant_forecast", "podium_lead_seconds"),
    "Guards": ("podium_held", "podium_paused", "podium_reduction"),
    "Sources": ("podium_source",),
    "Ledger": ("podium_ledger", "podium_state_disk"),
    "Leadership": ("podium_lead", "podium_lease"),
    "Doors": ("podium_http", "podium_stream"),
    "Single workloads": ("podium_workload_",),
    "Traces": ("podium_spans",),
    "Program": ("podium_build", "podium_documents", "process_", "python_"),
}  # fmt: skip


class Described(NamedTuple):
    """One metric as its collector declares it."""

    name: str  # as it is queried; a histogram's stem
    kind: str
    labels: tuple[str, ...]
    sentence: str
    buckets: tuple[str, ...] = ()


def described() -> list[Described]:
    """Every metric that a running Podium registers."""
    registry = CollectorRegistry()
    Meters(registry, MetricsSettings(), 15.0)
    DoorMetrics(registry)
    SpanMeters(registry)
    # The registry's public face shows samples alone, and a labelled metric without samples would hide its labels.
    collectors = registry._collector_to_names  # noqa: SLF001
    return [one for collector in collectors for one in _of(collector)]


def _of(collector: object) -> Iterable[Described]:
    bounds = [bound for bound in getattr(collector, "_upper_bounds", ()) if bound != float("inf")]
    for family in _families(collector):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        labels = tuple(getattr(family, "_labelnames", ()) or getattr(collector, "_labelnames", ()))
        buckets = tuple(f"{bound:g}" for bound in bounds)
        yield Described(name, family.type, labels, family.documentation, buckets)


def _families(collector: object) -> Iterable[Metric]:
    describe = getattr(collector, "describe", None) or collector.collect  # type: ignore[attr-defined]
    return list(describe()) or list(collector.collect())  # type: ignore[attr-defined]


def section(name: str) -> str:
    """Under which heading a metric stands: that of its longest prefix. Raises LookupError when it has none."""
    fitting = [
        (len(prefix), title) for title, prefixes in SECTIONS.items() for prefix in prefixes if name.startswith(prefix)
    ]
    if not fitting:
        raise LookupError(f"{name} belongs to no section of tools/metrics_reference.py")
    return max(fitting)[1]


def render() -> str:
    """The page."""
    metrics = described()
    lines = [INTRODUCTION]
    for title in SECTIONS:
        lines += ["", f"## {title}", "", "| metric | kind | labels | meaning |", "|---|---|---|---|"]
        for one in metrics:
            if section(one.name) == title:
                buckets = f" Buckets: {', '.join(one.buckets)} s." if one.buckets else ""
                labels = ", ".join(f"`{label}`" for label in one.labels)
                sentence = one.sentence if one.sentence.endswith(".") else f"{one.sentence}."
                lines.append(f"| `{one.name}` | {one.kind} | {labels} | {sentence}{buckets} |")
    return "\n".join(lines) + "\n"
