"""`podium backtest --from-ledger` and `podium report shadow`, on what an installation recorded."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from click.testing import Result
from tests.cli.inside import podium as call
from tests.loop.backtest.made import memory
from tests.loop.backtest.past import laid

from podium.cli import outcome
from podium.loop.remember import anew

KEY = "local/shop/deployment.apps/web"


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> str:
    return laid(tmp_path_factory.mktemp("past"), days=2.5)


@pytest.fixture(autouse=True)
def _cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forecasts are not what is tested here."""
    monkeypatch.setattr(anew, "new_memory", memory)


def backtest(database: str, *words: str) -> Result:
    policies = ("--policy", "hpa:70", "--policy", "oracle")
    return call("backtest", "--from-ledger", "--set", f"database.url={database}", *policies, *words)


def test_the_contract_holds_for_all_and_for_each(database: str) -> None:
    answer: Any = json.loads(backtest(database, "-o", "json").stdout)
    assert list(answer["policies"]) == ["recorded", "hpa:70", "oracle"]
    one = answer["workloads"][KEY]
    assert one["capacity"] == 85
    assert {"unserved_fraction", "violation_minutes", "replica_hours", "oracle_replica_hours", "changes"} <= set(
        one["policies"]["recorded"]
    )
    assert answer["unseen"] == []


def test_people_read_what_each_policy_would_have_cost(database: str) -> None:
    done = backtest(database, "--workload", "shop/web")
    assert done.exit_code == 0, done.stderr
    assert any(line.startswith("recorded ") for line in done.stdout.splitlines())
    assert "capacity: 85 a replica, as its policy had it" in done.stdout


@pytest.mark.slow
def test_the_shadow_report_names_moments_and_judges(database: str) -> None:
    words = ("report", "shadow", "--set", f"database.url={database}", "--against", "static:13")
    done = call(*words, "-o", "json")
    (one,) = json.loads(done.stdout)["workloads"]
    assert (one["workload"], one["verdict"] == "would have hurt") == (KEY, done.exit_code == 1)
    assert one["saved_replica_hours"] > 0
    table = call("report", "shadow", "--set", f"database.url={database}")
    assert "Not served, and with Podium it would have been" in table.stdout
    assert "replicas too few" in table.stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--workload", "wep"), "no workload 'wep'"),
        (("--plot", "x.svg"), "goes with FILE or --prometheus"),
        (("--prometheus", "http://x"), "one of them"),
    ],
)
def test_what_cannot_be_used_is_one_clear_error(database: str, words: tuple[str, ...], said: str) -> None:
    done = backtest(database, *words)
    assert (done.exit_code, done.stdout) == (outcome.BAD_INPUT, "")
    assert said in " ".join(done.stderr.split())


def test_a_file_goes_with_no_workload_and_nothing_recorded_is_said(tmp_path: pathlib.Path) -> None:
    done = call("backtest", "x.csv", "--workload", "web")
    assert "goes with --from-ledger" in done.stderr
    none = backtest(f"sqlite:///{tmp_path}/none.db")
    assert (none.exit_code, "there is no database yet" in none.stderr) == (2, True)


def test_a_tuning_of_too_short_a_past_is_refused(database: str) -> None:
    done = call("tune", "web", "--set", f"database.url={database}")
    assert (done.exit_code, done.stdout) == (outcome.BAD_INPUT, "")
    assert "days can be judged; expected 6 at least" in done.stderr


def test_a_policy_that_was_never_tuned_has_no_promise_to_check(database: str) -> None:
    done = call("tune", "web", "--check", "--set", f"database.url={database}")
    assert (done.exit_code, "was never tuned" in done.stderr) == (outcome.BAD_INPUT, True)


@pytest.mark.slow
def test_a_proposal_is_told_for_people_and_for_machines(tmp_path: pathlib.Path) -> None:
    database, file = laid(tmp_path, days=9.5), tmp_path / "web.yaml"
    words = ("tune", "web", "--set", f"database.url={database}", "--output", file)
    machine = call(*words, "-o", "json")
    told: Any = json.loads(machine.stdout)
    assert (told["workload"], told["tried"]) == (KEY, 30)
    assert {told["holds"], machine.exit_code == 0, file.exists(), bool(told["changes"])} == {told["holds"]}
    assert call(*words).stdout.splitlines()[-1] == "Nothing was changed."
