"""The loop's own telemetry, for `/metrics`: turns, skipped moments, what each step took, decisions by fate."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from podium.loop.cycle import Turned
from podium.loop.tell import standing
from podium.model.arrays import UNKNOWN

_SECONDS = (0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


class Meters:
    """Counts one process's turns."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._turns = Counter("podium_turns", "Turns of the loop.", registry=registry)
        self._skipped = Counter("podium_turns_skipped", "Moments of the grid without a turn.", registry=registry)
        self._steps = Histogram(
            "podium_step_seconds", "How long a step of a turn took.", ["step"], buckets=_SECONDS, registry=registry
        )
        self._commands = Counter("podium_commands", "Commands by what became of them.", ["fate"], registry=registry)
        self._source_up = Gauge(
            "podium_source_up", "1 while a source answers and is believed.", ["source"], registry=registry
        )
        self._workloads = Gauge("podium_workloads", "Workloads that were observed.", registry=registry)
        self._trusted = Gauge("podium_forecasts_trusted", "Workloads whose forecast is trusted.", registry=registry)

    def count(self, turned: Turned, skipped: int) -> None:
        """Take in one turn; `skipped` moments went by without one since the last."""
        self._turns.inc()
        self._skipped.inc(skipped)
        for step, seconds in turned.step_seconds.items():
            self._steps.labels(step).observe(seconds)
        for result in turned.results:
            self._commands.labels(str(result.fate)).inc()
        doubted = standing.doubts(turned)
        for health in turned.sight.health:
            self._source_up.labels(health.name).set(health.state == "ok" and health.name not in doubted)
        self._workloads.set(int((turned.turn.snapshot.replicas != UNKNOWN).sum()))
        self._trusted.set(int(turned.turn.forecast.trusted.sum()))
