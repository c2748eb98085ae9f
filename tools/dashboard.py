"""`make docs`: deploy/monitoring/dashboard.json, Podium's Grafana dashboard, written from the lists below."""

from __future__ import annotations

import itertools
import json
import pathlib
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

FILE = pathlib.Path(__file__).resolve().parent.parent / "deploy" / "monitoring" / "dashboard.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24  # columns of Grafana's grid
ME = 'job=~"$job", instance=~"$instance"'
TENANT = f'{ME}, tenant=~"$tenant"'
RATE = "$__rate_interval"


class Query(NamedTuple):
    """A line of a panel: PromQL and its legend."""

    expr: str
    legend: str = ""


class Panel(NamedTuple):
    """One panel. `kind` is Grafana's: stat, timeseries, state-timeline, bargauge."""

    title: str
    unit: str
    queries: tuple[Query, ...]
    about: str
    kind: str = "timeseries"
    width: int = 8
    stacked: bool = False
    bad_above: float | None = None  # red from there on; a stat's colour
    bad_below: float | None = None


def rate(metric: str, by: str = "", labels: str = ME) -> str:
    """Per second, summed."""
    return f"sum{f' by ({by})' if by else ''} (rate({metric}{{{labels}}}[{RATE}]))"


def quantile(share: float, metric: str, by: str = "") -> str:
    """A quantile of a histogram."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{{{ME}}}[{RATE}])))"


def stat(
    title: str, expr: str, unit: str, about: str, *, above: float | None = None, below: float | None = None
) -> Panel:
    """A single number."""
    return Panel(title, unit, (Query(expr),), about, "stat", 3, bad_above=above, bad_below=below)


ROWS: dict[str, tuple[Panel, ...]] = {
    "Now": (
        stat("Leading", f"sum(podium_leader{{{ME}}})", "short", "Processes that lead: one of all, always.", below=1),
        stat(
            "Last turn", f"time() - max(podium_last_turn_timestamp_seconds{{{ME}}})", "s",
            "Since the last turn ended. The alert waits for five intervals.", above=75,
        ),
        stat("Workloads", f"sum(podium_workloads{{{TENANT}}})", "short", "Workloads with a policy."),
        stat("Ready", f"sum(podium_ready_replicas{{{TENANT}}})", "short", "Pods that serve."),
        stat("Wanted", f"sum(podium_wanted_replicas{{{TENANT}}})", "short", "Replicas that the last turn decided."),
        stat(
            "Unserved", f"sum(rate(podium_unserved_replica_seconds_total{{{TENANT}}}[1h]))"
            f" / sum(rate(podium_needed_replica_seconds_total{{{TENANT}}}[1h]))", "percentunit",
            "Share of the load, over the last hour, for which no ready pod was there.", above=0.01,
        ),
        stat(
            "Coverage", f"min(podium_forecast_coverage_ratio{{{ME}}})", "percentunit",
            "Share of outcomes at or under the forecasts' .95 quantile.", below=0.9,
        ),
        stat(
            "Sources up", f"sum(podium_source_up{{{ME}}}) / count(podium_source_up{{{ME}}})", "percentunit",
            "Share of the sources that answer and are believed.", below=1,
        ),
    ),
    "Turns": (
        Panel(
            "Time in each step", "s",
            (Query(f"{rate('podium_step_seconds_sum', 'step')} / ignoring (step) group_left"
                   f" {rate('podium_turns_total')}", "{{step}}"),),
            "Mean seconds of a turn, by step. What lies above the interval is skipped, never queued.", stacked=True,
        ),
        Panel(
            "A turn", "s",
            (
                Query(quantile(0.5, "podium_turn_seconds"), "median"),
                Query(quantile(0.99, "podium_turn_seconds"), "99 %"),
                Query(f"max(podium_interval_seconds{{{ME}}})", "interval"),
            ),
            "How long turns take, beside the time between two of them.",
        ),
        Panel(
            "Turns", "short",
            (
                Query(f"sum(increase(podium_turns_total{{{ME}}}[5m]))", "turns"),
                Query(f"sum(increase(podium_turns_skipped_total{{{ME}}}[5m]))", "missed"),
                Query(f"sum by (reason) (increase(podium_turns_failed_total{{{ME}}}[5m]))", "failed: {{reason}}"),
            ),
            "In five minutes: turns that were recorded, moments without one, and turns that ended unrecorded.",
        ),
    ),
    "Decisions": (
        Panel(
            "Decisions", "short", (Query(rate("podium_decisions_total", "direction"), "{{direction}}"),),
            "Workload decisions per second, by direction.", stacked=True,
        ),
        Panel(
            "Reasons", "short",
            (Query(f"topk(10, {rate('podium_decision_reasons_total', 'reason')})", "{{reason}}"),),
            "The ten most frequent reasons, per second; `podium explain` says them in words.",
        ),
        Panel(
            "Commands", "short", (Query(rate("podium_commands_total", "direction, fate"), "{{direction}} {{fate}}"),),
            "Writes to the cluster per second, by what became of them.",
        ),
        Panel(
            "Verdicts", "short",
            (Query(rate("podium_verdicts_total", "direction, outcome"), "{{direction}} {{outcome}}"),),
            "What was expected of a write and came, in time or late.",
        ),
        Panel(
            "From decision to ready", "s",
            (
                Query(quantile(0.5, "podium_ready_seconds"), "measured, median"),
                Query(quantile(0.95, "podium_ready_seconds"), "measured, 95 %"),
                Query(f"max by (statistic) (podium_lead_seconds{{{ME}}})", "assumed, {{statistic}}"),
            ),
            "How long scale-ups take, beside the lead time that forecasts assume.",
        ),
        Panel(
            "Events", "short", (Query(rate("podium_events_total", "type"), "{{type}}"),),
            "What began and what ended, per second.",
        ),
    ),
    "Load and forecasts": (
        Panel(
            "Replicas", "short",
            (
                Query(f"sum(podium_ready_replicas{{{TENANT}}})", "ready"),
                Query(f"sum(podium_wanted_replicas{{{TENANT}}})", "wanted"),
                Query(rate("podium_needed_replica_seconds_total", labels=TENANT), "needed by the load"),
            ),
            "Pods that serve, what was decided, and what the load of this moment would need at full use.",
        ),
        Panel(
            "Unserved share by tenant", "percentunit",
            (Query(f"{rate('podium_unserved_replica_seconds_total', 'tenant', TENANT)}"
                   f" / ({rate('podium_needed_replica_seconds_total', 'tenant', TENANT)} > 0)", "{{tenant}}"),),
            "Share of each tenant's load for which no ready pod was there.",
        ),
        Panel(
            "Coverage", "percentunit",
            (
                Query(f"min(podium_forecast_coverage_ratio{{{ME}}})", "fleet"),
                Query(f"min by (tenant) (podium_tenant_forecast_coverage_ratio{{{TENANT}}})", "{{tenant}}"),
                Query("vector(0.95)", "asked"),
            ),
            "Share of outcomes at or under the .95 quantile; forecasts that fall short lose their say.",
        ),
        Panel(
            "What forecasts have earned", "short",
            (Query(f"sum by (state) (podium_forecasts{{{TENANT}}})", "{{state}}"),),
            "Workloads whose forecast has a say, has none, or is not judged yet.", stacked=True,
        ),
        Panel(
            "Replica-hours beside a plain HPA", "short",
            (Query(f"sum by (of) (podium_compared_replica_seconds{{{TENANT}}}) / 3600", "{{of}}"),),
            "Paid since the comparison began, and what a plain HPA would have paid under the same load.",
        ),
        Panel(
            "Unserved beside a plain HPA", "percentunit",
            (Query(f"max by (tenant, of) (podium_compared_unserved_ratio{{{TENANT}}})", "{{tenant}} {{of}}"),),
            "Share of the load since the comparison began for which no ready pod was there, of both.",
        ),
        Panel(
            "Replicas by tenant", "short",
            (Query(f"sum by (tenant) (podium_ready_replicas{{{TENANT}}})", "{{tenant}}"),),
            "Pods that serve, by tenant.", stacked=True,
        ),
        Panel(
            "Workloads by tenant", "short", (Query(f"sum by (tenant) (podium_workloads{{{TENANT}}})", "{{tenant}}"),),
            "Workloads with a policy, by tenant.", "bargauge",
        ),
    ),
    "Guards": (
        Panel(
            "Held", "short", (Query(f"sum by (guard) (podium_held_workloads{{{ME}}})", "{{guard}}"),),
            "Workloads that a guard keeps from going down.",
        ),
        Panel(
            "Reduction", "short",
            (
                Query(f"sum(podium_reduction_taken_replicas{{{ME}}})", "taken away"),
                Query(f"sum(podium_reduction_allowed_replicas{{{ME}}})", "allowed"),
            ),
            "Replicas taken away within the guard's window, beside what it lets go.",
        ),
        Panel(
            "Not under control", "short",
            (
                Query(f"sum(podium_unread_workloads{{{ME}}})", "not read"),
                Query(f"sum(podium_unclaimed_workloads{{{ME}}})", "not claimed"),
                Query(f"sum by (direction) (podium_paused_workloads{{{ME}}})", "paused {{direction}}"),
            ),
            "Workloads that could not be read or claimed, and those that people paused.",
        ),
    ),
    "Sources": (
        Panel(
            "State", "short", (Query(f"max by (source) (podium_source_up{{{ME}}})", "{{source}}"),),
            "1 while a source answers and is believed.", "state-timeline",
        ),
        Panel(
            "Age of the newest value", "s",
            (Query(f"max by (source) (podium_source_staleness_seconds{{{ME}}})", "{{source}}"),),
            "On the loop's clock.",
        ),
        Panel(
            "Answers, 95 %", "s", (Query(quantile(0.95, "podium_source_answer_seconds", "source"), "{{source}}"),),
            "How long each source takes for all queries of a turn.",
        ),
        Panel(
            "Series", "short",
            (
                Query(f"sum by (source) (podium_source_series{{{ME}}})", "{{source}}"),
                Query(f"sum by (source, why) (podium_source_unusable_series{{{ME}}})", "{{source}}: {{why}}"),
            ),
            "In the last answers, and those that are left out.",
        ),
        Panel(
            "Queries", "short",
            (
                Query(rate("podium_source_questions_total", "source"), "{{source}}"),
                Query(rate("podium_source_errors_total", "source"), "{{source}}: failed"),
            ),
            "Asked per second, and those without a usable answer.",
        ),
        Panel(
            "In doubt", "short",
            (Query(f'sum by (source, state) (podium_source_state{{{ME}, state!="ok"}})', "{{source}} {{state}}"),),
            "Sources that are silent, broken, suspect or frozen.",
        ),
    ),
    "Ledger and lead": (
        Panel(
            "Append", "s",
            (
                Query(quantile(0.5, "podium_ledger_append_seconds"), "median"),
                Query(quantile(0.99, "podium_ledger_append_seconds"), "99 %"),
            ),
            "Until a turn is on the disk; what is not recorded is not done.",
        ),
        Panel(
            "Bytes", "Bps", (Query(rate("podium_ledger_bytes_total", "kind"), "{{kind}}"),),
            "Written per second, by kind of entry.", stacked=True,
        ),
        Panel(
            "Disk", "bytes",
            (
                Query(f"min(podium_state_disk_free_bytes{{{ME}}})", "free"),
                Query(f"max(podium_ledger_database_bytes{{{ME}}})", "database"),
            ),
            "Room on the disk of the ledger, and what the database takes.",
        ),
        Panel(
            "Head", "s", (Query(f"min(podium_ledger_head_age_seconds{{{ME}}})", "age of the signed head"),),
            "Since the newest head of the chain was signed outside the database.",
        ),
        Panel(
            "Failed appends", "short", (Query(rate("podium_ledger_append_errors_total", "reason"), "{{reason}}"),),
            "Per second.",
        ),
        Panel(
            "Epoch and lease", "short",
            (
                Query(f"max(podium_leader_epoch{{{ME}}})", "epoch"),
                Query(f"max(podium_lease_remaining_seconds{{{ME}}})", "lease remaining, s"),
            ),
            "The epoch rises by one with every change of leader.",
        ),
    ),
    "Doors and process": (
        Panel(
            "Requests", "reqps", (Query(rate("podium_http_requests_total", "route, status"), "{{route}} {{status}}"),),
            "By route and status.",
        ),
        Panel(
            "Answers, 99 %", "s", (Query(quantile(0.99, "podium_http_request_seconds", "route"), "{{route}}"),),
            "To the first byte, by route.",
        ),
        Panel(
            "Listeners", "short",
            (
                Query(f"sum(podium_stream_listeners{{{ME}}})", "open streams"),
                Query(rate("podium_stream_skipped_ticks_total"), "ticks skipped for slow ones, per second"),
            ),
            "Browsers that watch.",
        ),
        Panel(
            "CPU", "percentunit", (Query(rate("process_cpu_seconds_total", "instance"), "{{instance}}"),),
            "Of one core.",
        ),
        Panel(
            "Memory", "bytes", (Query(f"max by (instance) (process_resident_memory_bytes{{{ME}}})", "{{instance}}"),),
            "Resident.",
        ),
        Panel(
            "Descriptors and spans", "short",
            (
                Query(f"max by (instance) (process_open_fds{{{ME}}})", "{{instance}} open files"),
                Query(rate("podium_spans_total", "fate"), "spans {{fate}}, per second"),
            ),
            "Open files, and what became of spans.",
        ),
    ),
}  # fmt: skip


def dashboard() -> dict[str, Any]:
    """The dashboard as Grafana reads it."""
    return {
        "uid": "podium",
        "title": "Podium",
        "description": "Podium's own telemetry: turns, decisions, forecasts, guards, sources, ledger.",
        "tags": ["podium"],
        "schemaVersion": 38,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,  # one crosshair over all panels
        "refresh": "15s",
        "time": {"from": "now-3h", "to": "now"},
        "timepicker": {},
        "links": [],
        "annotations": {"list": [_alerts()]},
        "templating": {"list": [*_variables()]},
        "panels": [*_panels()],
    }


def queries() -> Iterator[tuple[str, str]]:
    """(panel, PromQL) of every line."""
    for row, panels in ROWS.items():
        for panel in panels:
            for query in panel.queries:
                yield f"{row}: {panel.title}", query.expr


def _alerts() -> dict[str, Any]:
    return {
        "name": "Alerts",
        "datasource": SOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": 'ALERTS{alertname=~"Podium.*", alertstate="firing"}',
        "titleFormat": "{{alertname}}",
    }


def _variables() -> Iterator[dict[str, Any]]:
    yield {"name": "datasource", "label": "Prometheus", "type": "datasource", "query": "prometheus", "hide": 0}
    for name, metric in (
        ("job", "podium_build_info"),
        ("instance", "podium_build_info"),
        ("tenant", "podium_workloads"),
    ):
        yield {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": SOURCE,
            "query": {"query": f"label_values({metric}, {name})", "refId": name},
            "definition": f"label_values({metric}, {name})",
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "allValue": ".*",
            "current": {"text": "All", "value": "$__all"},
        }


def _panels() -> Iterator[dict[str, Any]]:
    numbers, y = itertools.count(1), 0
    for row, panels in ROWS.items():
        yield {
            "id": next(numbers), "type": "row", "title": row, "collapsed": False, "panels": [],
            "gridPos": {"x": 0, "y": y, "w": WIDTH, "h": 1},
        }  # fmt: skip
        y, x = y + 1, 0
        for panel in panels:
            height = 4 if panel.kind == "stat" else 8
            if x + panel.width > WIDTH:
                x, y = 0, y + height
            yield _panel(panel, next(numbers), {"x": x, "y": y, "w": panel.width, "h": height})
            x += panel.width
        y += 4 if panels[-1].kind == "stat" else 8


def _panel(panel: Panel, number: int, place: dict[str, int]) -> dict[str, Any]:
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.about,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": [
            {
                "refId": chr(ord("A") + line),
                "datasource": SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
                "instant": panel.kind in ("stat", "bargauge"),
                "range": panel.kind not in ("stat", "bargauge"),
            }
            for line, query in enumerate(panel.queries)
        ],
        "fieldConfig": {"defaults": _fields(panel), "overrides": []},
        "options": _options(panel.kind),
    }


def _fields(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad_above is not None:
        steps.append({"color": "red", "value": panel.bad_above})
    if panel.bad_below is not None:
        steps = [{"color": "red", "value": None}, {"color": "green", "value": panel.bad_below}]
    shared = {"unit": panel.unit, "min": 0, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.kind != "timeseries":
        return shared
    style = {"lineWidth": 1, "fillOpacity": 30 if panel.stacked else 5, "showPoints": "never", "spanNulls": False}
    stacking = {"mode": "normal" if panel.stacked else "none", "group": "A"}
    return {**shared, "custom": {**style, "stacking": stacking}}


def _options(kind: str) -> dict[str, Any]:
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    if kind == "stat":
        return {"reduceOptions": reduced, "colorMode": "value", "graphMode": "none"}
    if kind == "bargauge":
        return {"reduceOptions": reduced, "orientation": "horizontal", "displayMode": "basic"}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
    return (
        {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}} if kind == "timeseries" else {"legend": legend}
    )


def render() -> str:
    """The file."""
    return json.dumps(dashboard(), indent=2) + "\n"


def main() -> int:
    """Write the file."""
    FILE.parent.mkdir(parents=True, exist_ok=True)
    FILE.write_text(render(), encoding="utf-8")
    print(f"{FILE.name}: {sum(1 for _ in queries())} queries")
    return 0


if __name__ == "__main__":
    sys.exit(main())
