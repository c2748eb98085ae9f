"""How the fleet stands after the last turn: workloads, replicas, forecasts, guards, and every source."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

import numpy as np

from podium.loop.cycle import Turned
from podium.loop.decide.guard import allowance
from podium.loop.decide.table import PolicyTable
from podium.loop.tell import standing
from podium.loop.tell.meters.gauges import Gauges, Row
from podium.loop.tell.meters.tenants import Tenants
from podium.model.arrays import UNKNOWN, Float64s, Int64s
from podium.model.decision import Reason

HOLDS = {
    "missing": (Reason.SIGNAL_MISSING, Reason.ALL_SIGNALS_MISSING),
    "suspect": (Reason.SOURCE_SUSPECT,),
    "frozen": (Reason.SOURCE_FROZEN,),
    "no_new_evidence": (Reason.NO_NEW_EVIDENCE,),
    "reduction": (Reason.REDUCTION_GUARD,),
}
STATES = ("ok", "silent", "broken", "suspect", "frozen")


class Present(Gauges):
    """The last turn, as gauges."""

    declared: ClassVar = {
        "podium_workloads": (("tenant",), "Workloads with a policy."),
        "podium_unread_workloads": ((), "Workloads that the cluster did not let us read in the last turn."),
        "podium_unclaimed_workloads": ((), "Workloads in mode own that could not be claimed, so are not written."),
        "podium_replicas": (("tenant",), "Replicas asked of the cluster (spec.replicas), where they are known."),
        "podium_ready_replicas": (("tenant",), "Pods that serve."),
        "podium_wanted_replicas": (("tenant",), "Replicas that the last turn decided."),
        "podium_forecasts": (
            ("tenant", "state"),
            "Workloads by what their forecast has earned (state: trusted, untrusted, unjudged).",
        ),
        "podium_forecast_coverage_ratio": (
            (),
            "Share of outcomes at or under the .95 quantile, over all judged workloads.",
        ),
        "podium_tenant_forecast_coverage_ratio": (("tenant",), "The same over one tenant's judged workloads."),
        "podium_lead_seconds": (
            ("statistic",),
            "From a decision to a ready pod, as the fleet's forecasts assume it (statistic: median, p95, longest).",
        ),
        "podium_held_workloads": (
            ("guard",),
            f"Workloads that a guard kept from going down in the last turn (guard: {', '.join(HOLDS)}).",
        ),
        "podium_paused_workloads": (("direction",), "Workloads that people paused (direction: up, down)."),
        "podium_reduction_taken_replicas": ((), "Replicas taken away within the window of the reduction guard."),
        "podium_reduction_allowed_replicas": ((), "Replicas that the guard lets go within its window."),
        "podium_source_up": (("source",), "1 while a source answers and is believed."),
        "podium_source_state": (("source", "state"), f"1 for the state a source is in (state: {', '.join(STATES)})."),
        "podium_source_staleness_seconds": (
            ("source",),
            "Age of the newest value a source gave, on the loop's clock.",
        ),
        "podium_source_series": (("source",), "Series in a source's last answers."),
        "podium_source_unusable_series": (
            ("source", "why"),
            "Series of the last answers that are left out (why: stale, garbage, unplaced).",
        ),
    }

    def __init__(self) -> None:
        self._last: tuple[Turned, PolicyTable, Tenants] | None = None

    def take(self, turned: Turned, table: PolicyTable, tenants: Tenants) -> None:
        """The newest turn."""
        self._last = (turned, table, tenants)

    def forget(self) -> None:
        """This process does not lead any more: how the fleet stands is another's to tell."""
        self._last = None

    def rows(self) -> Iterator[Row]:
        """See Gauges."""
        if self._last is None:
            return
        turned, table, tenants = self._last
        yield from _fleet(turned, tenants)
        yield from _forecasts(turned, tenants)
        yield from _guards(turned, table)
        yield from _sources(turned)


def _fleet(turned: Turned, tenants: Tenants) -> Iterator[Row]:
    turn = turned.turn
    for name, values in (
        ("podium_workloads", tenants.occupied.astype(np.int64)),
        ("podium_replicas", _counted(turn.snapshot.replicas)),
        ("podium_ready_replicas", _counted(turn.ready)),
        ("podium_wanted_replicas", _counted(turn.decisions.replicas)),
    ):
        for tenant, total in zip(tenants.names, tenants.summed(values).tolist(), strict=True):
            yield name, (tenant,), total
    yield "podium_unread_workloads", (), float(len(turned.sight.observation.troubles))
    yield "podium_unclaimed_workloads", (), float(len(turned.unclaimed))


def _counted(values: Int64s) -> Int64s:
    return np.where(values == UNKNOWN, 0, values)


def _forecasts(turned: Turned, tenants: Tenants) -> Iterator[Row]:
    forecast = turned.turn.forecast
    coverage = forecast.coverage.astype(np.float64)
    judged = ~np.isnan(coverage)
    for state, chosen in (
        ("trusted", forecast.trusted),
        ("untrusted", judged & ~forecast.trusted),
        ("unjudged", ~judged & ~forecast.trusted),
    ):
        for tenant, total in zip(tenants.names, tenants.summed(chosen.astype(np.int64)).tolist(), strict=True):
            yield "podium_forecasts", (tenant, state), total
    held, counted = tenants.summed(coverage), tenants.summed(judged.astype(np.int64))
    yield "podium_forecast_coverage_ratio", (), _ratio(float(held.sum()), float(counted.sum()))
    for tenant, one, of in zip(tenants.names, held.tolist(), counted.tolist(), strict=True):
        yield "podium_tenant_forecast_coverage_ratio", (tenant,), _ratio(one, of)
    if len(lead := np.sort(turned.turn.lead[tenants.occupied])):
        for statistic, share in (("median", 0.5), ("p95", 0.95), ("longest", 1.0)):
            yield "podium_lead_seconds", (statistic,), float(lead[int(np.ceil(share * len(lead))) - 1])


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")


def _guards(turned: Turned, table: PolicyTable) -> Iterator[Row]:
    reasons = turned.turn.decisions.reasons
    for guard, codes in HOLDS.items():
        held = np.unique(reasons.slot[np.isin(reasons.code, codes)])
        yield "podium_held_workloads", (guard,), float(len(held))
    for direction, paused in (("up", table.pause_up), ("down", table.pause_down)):
        yield "podium_paused_workloads", (direction,), float(paused.sum())
    yield "podium_reduction_taken_replicas", (), float(turned.reduced)
    allowed = allowance(table, turned.turn.snapshot.replicas, turned.reduced)
    yield "podium_reduction_allowed_replicas", (), float(allowed)


def _sources(turned: Turned) -> Iterator[Row]:
    snapshot = turned.turn.snapshot
    health, doubted = {one.name: one for one in turned.sight.health}, standing.doubts(turned)
    newest = _newest(turned)
    for number, name in enumerate(snapshot.sources):
        state = "silent" if turned.sight.cluster_trouble and name not in health else "ok"
        if name in health:
            state = str(health[name].state)
        if state == "ok" and name in doubted:
            state = doubted[name][0]
        yield "podium_source_up", (name,), float(state == "ok")
        for one in STATES:
            yield "podium_source_state", (name, one), float(one == state)
        yield "podium_source_staleness_seconds", (name,), snapshot.now - float(newest[number])
        if name in health:
            counts = health[name].counts
            yield "podium_source_series", (name,), float(counts.series + counts.unplaced)
            for why in ("stale", "garbage", "unplaced"):
                yield "podium_source_unusable_series", (name, why), float(getattr(counts, why))


def _newest(turned: Turned) -> Float64s:
    """[sources] when the newest value of each was measured; NaN: it gave none."""
    snapshot = turned.turn.snapshot
    newest = np.full(len(snapshot.sources) + 1, -np.inf)  # one more: UNKNOWN, -1, falls on it
    for level in snapshot.signals.values():
        known = ~np.isnan(level.at)
        np.maximum.at(newest, level.source[known], level.at[known])
    return np.where(np.isfinite(newest), newest, np.nan)
