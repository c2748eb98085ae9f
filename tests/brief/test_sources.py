"""Several sources in one turn: a recording, Prometheus, and what the cluster itself measures of its pods."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from tests.brief.stage import WEB, by_load, policy, signal, stage
from tests.journeys.afternoon import START

from podium.model.identity import WorkloadKey

CART = WorkloadKey("local", "shop", "deployment", "apps", "cart")
MAIL = WorkloadKey("local", "shop", "deployment", "apps", "mail")
RECORDED = """\
---
apiVersion: podium.dev/v1alpha1
kind: Signal
metadata: {name: recorded, namespace: shop}
spec: {unit: per_second, replay: {column: orders}, interval: 60s, staleAfter: 3m}
"""
HALF_CPU = "  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]\n"


def write_orders(path: Path) -> None:
    """Seventy orders a second, a row a minute for an hour."""
    at = START - 1800 + np.arange(60) * 60.0
    path.write_text("ts,orders\n" + "".join(f"{moment:.0f},{69 + moment / 60 % 2}\n" for moment in at))


async def test_a_recording_prometheus_and_the_cluster_are_read_in_one_turn(tmp_path: Path) -> None:
    write_orders(tmp_path / "orders.csv")
    documents = signal("load", "load", "per_second") + RECORDED
    documents += policy("web", rest=by_load("load")) + policy("cart", rest=by_load("recorded"))
    documents += policy("mail", rest=HALF_CPU)
    load = lambda _key, at: 300.0 - at % 7  # noqa: E731  what pods truly get
    begun = {WEB: 4, CART: 4, MAIL: 4}
    async with stage(tmp_path, documents, replicas=begun, load=load, recording="orders.csv") as run:
        run.measured.of_workloads["load"] = lambda: {"web": 80.0 - run.pace() % 7 / 10}
        await run.minutes(3)
        replicas = {key.name: run.replicas(key) for key in begun}
        told = {key.name: run.explained(key).reasons[0].partition(":")[0] for key in begun}
    assert replicas == {"web": 8, "cart": 7, "mail": 6}
    assert told == {"web": "load asks for 8", "cart": "recorded asks for 7", "mail": "cpu asks for 6"}


async def test_a_breaker_asks_a_broken_source_less_and_believes_it_when_it_is_back(tmp_path: Path) -> None:
    async with stage(tmp_path, signal("load", "load", "per_second") + policy(rest=by_load("load"))) as run:
        run.measured.of_workloads["load"] = lambda: {"web": 80.0 - run.pace() % 7 / 10}
        asked = []
        for broken in (False, True, False):
            run.measured.broken = broken
            run.measured.asked.clear()
            await run.minutes(10)
            asked.append(len(run.measured.asked))
        lowered = [write.after for write in run.writes() if write.after < write.before]
        replicas = run.replicas()
        (source,) = [row for row in run.program.live.fleet().sources if row.name == "prom"]
    assert asked[0] >= 40
    assert asked[1] < 20
    assert source.state == "ok"
    assert (replicas, lowered) == (8, [])
