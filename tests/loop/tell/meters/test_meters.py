"""Podium's own metrics, counted by a running program whose clock is moved by hand."""

from __future__ import annotations

from pathlib import Path

from tests.brief.stage import Stage, by_load, policy, signal, stage

from podium.model.identity import WorkloadKey

QUERY = "sum by (namespace, deployment) (load)"
DOCUMENTS = signal("load", QUERY, "per_second") + policy(rest=by_load())
STEPS = ("observe", "forecast", "decide", "verify", "record", "act")


def sample(stood: Stage, name: str, **labels: str) -> float | None:
    return stood.program.registry.get_sample_value(name, labels)


def samples(stood: Stage, name: str) -> dict[tuple[str, ...], float]:
    """What one metric holds: the labels' values, and the number."""
    found = [one for family in stood.program.registry.collect() for one in family.samples if one.name == name]
    return {tuple(one.labels.values()): one.value for one in found}


def loaded(stood: Stage, load: float) -> None:
    stood.measured.of_workloads[QUERY] = lambda: {"web": load}


def replica_seconds(stood: Stage) -> tuple[float, float]:
    needed, unserved = (samples(stood, f"podium_{what}_replica_seconds_total") for what in ("needed", "unserved"))
    return needed["shop",], unserved["shop",]


async def test_turns_steps_decisions_and_commands_are_counted(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS) as stood:
        loaded(stood, 75.0)
        await stood.turns(4)
        turns = sample(stood, "podium_turns_total") or 0.0
        assert samples(stood, "podium_step_seconds_count") == {(step,): turns for step in STEPS}
        decided = samples(stood, "podium_decisions_total")
        assert (sum(decided.values()), decided["up",], decided["down",]) == (turns, 1, 0)
        assert sample(stood, "podium_decision_reasons_total", direction="up", reason="signal_proposes") == 1
        assert samples(stood, "podium_commands_total")["up", "written"] == 1
        assert sum(samples(stood, "podium_commands_total").values()) == 1


async def test_a_scale_up_that_was_reached_is_a_verdict_with_its_seconds(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS) as stood:
        loaded(stood, 75.0)
        await stood.turns(6)
        assert samples(stood, "podium_verdicts_total")["up", "reached"] == 1
        assert (sample(stood, "podium_ready_seconds_count"), sample(stood, "podium_ready_seconds_sum")) == (1, 15.0)


async def test_the_share_that_nobody_served_is_the_ratio_of_two_counters(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS, replicas=4) as stood:
        loaded(stood, 40.0)
        await stood.turns(2)
        needed, unserved = replica_seconds(stood)
        loaded(stood, 80.0)
        await stood.turns(1)
        # 15 s during which eight replicas' worth of load met four pods.
        assert replica_seconds(stood) == (needed + 120.0, unserved + 60.0)


async def test_gauges_tell_how_the_fleet_stands(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS) as stood:
        loaded(stood, 75.0)
        await stood.turns(4)
        for name, expected in (
            ("podium_workloads", {("shop",): 1.0}),
            ("podium_replicas", {("shop",): 8.0}),
            ("podium_ready_replicas", {("shop",): 8.0}),
            ("podium_wanted_replicas", {("shop",): 8.0}),
            ("podium_forecasts", {("shop", "trusted"): 0.0, ("shop", "untrusted"): 0.0, ("shop", "unjudged"): 1.0}),
            ("podium_forecast_coverage_ratio", {}),  # not judged yet: no number, not zero
            ("podium_lead_seconds", {("median",): 120.0, ("p95",): 120.0, ("longest",): 120.0}),
            ("podium_leader", {(): 1.0}),
            ("podium_leadership_changes_total", {("gained",): 1.0, ("lost",): 0.0}),
            ("podium_documents_wrong", {(): 0.0}),
        ):
            assert (name, samples(stood, name)) == (name, expected)


async def test_a_source_that_ceases_to_answer_is_told_with_its_age(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS) as stood:
        loaded(stood, 40.0)
        await stood.turns(2)
        assert samples(stood, "podium_source_up") == {("prom",): 1.0, ("local",): 1.0}
        assert sample(stood, "podium_source_staleness_seconds", source="prom") == 0.0
        stood.measured.broken = True
        await stood.turns(2)
        assert samples(stood, "podium_source_up") == {("prom",): 0.0, ("local",): 1.0}
        assert sample(stood, "podium_source_state", source="prom", state="silent") == 1.0
        assert sample(stood, "podium_source_staleness_seconds", source="prom") == 30.0
        assert sample(stood, "podium_source_errors_total", source="prom") == 2.0
        assert sample(stood, "podium_events_total", type="signal.lost.began") == 1.0


async def test_a_missing_signal_holds_and_the_held_are_counted(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS) as stood:
        loaded(stood, 40.0)
        await stood.turns(2)
        stood.measured.of_workloads[QUERY] = dict
        await stood.turns(6)  # longer than `staleAfter`
        assert samples(stood, "podium_held_workloads")["missing",] == 1.0


async def test_the_reduction_guard_tells_what_it_let_go_and_what_it_allows(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS, replicas=20) as stood:
        loaded(stood, 40.0)
        await stood.minutes(7)  # the HPA's five minutes of patience, and what follows
        taken, allowed = (sample(stood, f"podium_reduction_{what}_replicas") for what in ("taken", "allowed"))
        assert (taken, allowed) == (16.0, 20.0)  # the stage allows everything


async def test_single_workloads_have_series_only_when_the_settings_ask(tmp_path: Path) -> None:
    keys = {WorkloadKey("local", "shop", "deployment", "apps", name): 4 for name in ("cart", "web")}
    documents = DOCUMENTS + policy("cart", rest=by_load())
    for number, most, expected in ((0, "0", []), (1, "1", ["local/shop/deployment.apps/cart"])):
        (folder := tmp_path / str(number)).mkdir()
        environ = {"PODIUM_TELEMETRY__METRICS__WORKLOADS": most}
        async with stage(folder, documents, replicas=keys, environ=environ) as stood:
            await stood.turns(2)
            assert [key for key, _ in samples(stood, "podium_workload_replicas")] == expected


async def test_what_is_appended_is_counted_by_kind(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS) as stood:
        await stood.turns(2)
        turns = sample(stood, "podium_turns_total")
        assert sample(stood, "podium_ledger_entries_total", kind="turn") == turns
        assert (sample(stood, "podium_ledger_bytes_total", kind="turn") or 0) > 0
        assert (sample(stood, "podium_ledger_head_age_seconds") or 99) < 60
        assert (sample(stood, "podium_ledger_database_bytes") or 0) > 10_000


async def test_what_a_plain_hpa_would_have_had_is_told_beside_and_no_price_is_no_cost(tmp_path: Path) -> None:
    async with stage(tmp_path, DOCUMENTS) as stood:
        loaded(stood, 75.0)
        await stood.turns(5)
        paid = samples(stood, "podium_compared_replica_seconds")
        assert set(paid) == {("shop", "podium"), ("shop", "hpa")}
        assert min(paid.values()) >= 4 * 60.0  # four replicas at least, for a minute
        assert set(samples(stood, "podium_compared_unserved_ratio")) == set(paid)
        assert samples(stood, "podium_compared_cost") == {}


async def test_with_a_price_the_money_of_both_is_told_in_its_currency(tmp_path: Path) -> None:
    environ = {
        "PODIUM_PRICES__CPU_HOUR": "0.04",
        "PODIUM_PRICES__MEMORY_HOUR": "0.005",
        "PODIUM_PRICES__CURRENCY": "EUR",
    }
    async with stage(tmp_path, DOCUMENTS, environ=environ) as stood:
        loaded(stood, 75.0)
        await stood.turns(5)
        cost = samples(stood, "podium_compared_cost")
        assert set(cost) == {("shop", "podium", "EUR"), ("shop", "hpa", "EUR")}
        assert min(cost.values()) > 0
