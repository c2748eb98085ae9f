"""What an explanation lists as seen: what the workload's own policy speaks of, and nobody else's gaps."""

from __future__ import annotations

from pathlib import Path

from tests.brief.stage import WEB, by_load, policy, signal, stage

from podium.model.identity import WorkloadKey

MAIL = WorkloadKey("local", "shop", "deployment", "apps", "mail")


async def test_another_workload_s_signal_is_not_called_unknown_and_one_s_own_is(tmp_path: Path) -> None:
    documents = signal("load", "load", "per_second") + signal("queue", "queue", "count")
    documents += policy("web", rest=by_load("load")) + policy("mail", rest=by_load("queue"))
    async with stage(tmp_path, documents, replicas={WEB: 4, MAIL: 4}) as stood:
        stood.measured.of_workloads["load"] = lambda: {"web": 40.0}
        await stood.turns(2)
        seen = {key: stood.program.live.explain(str(key)).inputs for key in (WEB, MAIL)}
        assert seen[WEB]["load"].startswith("40/s from prom")
        assert "queue" not in seen[WEB]
        assert seen[MAIL]["queue"] == "unknown (source prom)"
        assert "load" not in seen[MAIL]
