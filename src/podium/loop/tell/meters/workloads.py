"""Series of single workloads, as many as the settings allow: none, unless somebody asks for them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import ClassVar

from podium.loop.cycle import Turned
from podium.loop.decide.ahead import expected_load, loads
from podium.loop.decide.table import PolicyTable
from podium.loop.tell.meters.gauges import Gauges, Row
from podium.model.arrays import UNKNOWN
from podium.model.fleet import Fleet

_OF = ("workload", "tenant")


class Workloads(Gauges):
    """The first so many workloads, in the order of their keys."""

    declared: ClassVar = {
        "podium_workload_replicas": (_OF, "spec.replicas of one workload (all of these: telemetry.metrics.workloads)."),
        "podium_workload_ready_replicas": (_OF, "Pods of it that serve."),
        "podium_workload_wanted_replicas": (_OF, "Replicas that the last turn decided."),
        "podium_workload_min_replicas": (_OF, "The fewest its policy allows."),
        "podium_workload_max_replicas": (_OF, "The most its policy allows."),
        "podium_workload_load": (_OF, "Its load, in its signal's unit."),
        "podium_workload_expected_load": (_OF, "The quantile of its load that it asks for, over its lead time."),
        "podium_workload_lead_seconds": (_OF, "From a decision to a ready pod."),
        "podium_workload_forecast_coverage_ratio": (_OF, "Share of outcomes at or under its .95 quantile."),
        "podium_workload_forecast_trusted": (_OF, "1 while its forecast has earned a say."),
    }  # fmt: skip

    def __init__(self, most: int) -> None:
        self._most = most
        self._slots: tuple[tuple[int, tuple[str, str]], ...] = ()
        self._fleet = Fleet()
        self._last: tuple[Turned, PolicyTable] | None = None

    def take(self, turned: Turned, fleet: Fleet, table: PolicyTable) -> None:
        """The newest turn."""
        if not self._most:
            return
        if fleet is not self._fleet:
            keys = sorted((str(key), slot) for key, slot in fleet.index.items())[: self._most]
            self._slots = tuple((slot, (key, fleet.slots[slot].tenant)) for key, slot in keys)
            self._fleet = fleet
        self._last = (turned, table)

    def forget(self) -> None:
        """This process does not lead any more."""
        self._last = None

    def rows(self) -> Iterator[Row]:
        """See Gauges."""
        if self._last is None:
            return
        turned, table = self._last
        turn = turned.turn
        for name, values in (
            ("replicas", turn.snapshot.replicas),
            ("ready_replicas", turn.ready),
            ("wanted_replicas", turn.decisions.replicas),
            ("min_replicas", table.minimum),
            ("max_replicas", table.maximum),
        ):
            for slot, labels in self._slots:
                yield f"podium_workload_{name}", labels, math.nan if values[slot] == UNKNOWN else float(values[slot])
        for name, numbers in (
            ("load", loads(turn.snapshot, table)),
            ("expected_load", expected_load(table, turn.forecast, turn.lead)),
            ("lead_seconds", turn.lead),
            ("forecast_coverage_ratio", turn.forecast.coverage),
            ("forecast_trusted", turn.forecast.trusted),
        ):
            for slot, labels in self._slots:
                yield f"podium_workload_{name}", labels, float(numbers[slot])
