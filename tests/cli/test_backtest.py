"""`podium backtest` on files, as people call it."""

from __future__ import annotations

import csv
import json
import math
import pathlib
from functools import partial

import pytest
from tests.cli import inside

from podium.cli import outcome

HOURS = 40
call, answered = partial(inside.podium, "backtest"), partial(inside.answered, "backtest")


def laid(folder: pathlib.Path, hours: int = HOURS, lines: str = "") -> pathlib.Path:
    """A load with a day's rhythm, per minute."""
    rows = (
        f"{1_780_272_000 + 60 * minute},{max(0.0, 500 - 380 * math.cos(minute * 2 * math.pi / 1440)):.1f}\n"
        for minute in range(hours * 60)
    )
    path = folder / "web.csv"
    path.write_text("ts,rps\n" + "".join(rows) + lines)
    return path


def test_the_contract_of_the_answer_holds(tmp_path: pathlib.Path) -> None:
    names = ("podium", "hpa:70", "kpa", "static:12", "oracle")
    policies = [word for name in names for word in ("--policy", name)]
    answer = answered(
        laid(tmp_path), "--column", "rps", "--capacity", "40", "--startup", "120s", "--history", "30h",
        "--risk", "0.001", *policies,
    )  # fmt: skip
    assert list(answer["policies"]) == list(names)
    for figures in answer["policies"].values():
        assert {"unserved_fraction", "violation_minutes", "replica_hours", "oracle_replica_hours", "changes"} <= set(
            figures
        )
        assert figures["oracle_replica_hours"] == answer["policies"]["oracle"]["replica_hours"]
    assert answer["policies"]["static:12"]["replica_hours"] == 12 * 10
    assert answer["policies"]["oracle"]["unserved_fraction"] == 0
    assert answer["judged"] == {"from": "2026-06-02T06:00:00Z", "until": "2026-06-02T16:00:00Z", "minutes": 600}


def test_people_read_a_table_and_a_sentence(tmp_path: pathlib.Path) -> None:
    result = call(laid(tmp_path), "--history", "30h", "--policy", "hpa:50", "--policy", "static:1")
    lines = result.stdout.splitlines()
    assert any(line.split()[:2] == ["policy", "unserved"] for line in lines)
    assert any(line.startswith("hpa:50 ") and line.endswith("yes") for line in lines)
    assert any(line.startswith("static:1 ") and line.endswith("no") for line in lines)
    assert "--capacity was not given: fifty replicas serve all but one minute in a thousand" in result.stdout
    assert lines[-1] == "Of those that keep the unserved load to 0.1 %, hpa:50 costs least."


def test_prices_turn_hours_into_money_and_none_are_never_zero(tmp_path: pathlib.Path) -> None:
    file = laid(tmp_path)
    plain = (file, "--history", "30h", "--policy", "static:10", "--capacity", "40")
    assert answered(*plain)["policies"]["static:10"]["cost_micro"] is None
    asked = (*plain, "--price-cpu-hour", "0.04", "--price-memory-hour", "0.004", "--currency", "EUR")
    assert answered(*asked)["policies"]["static:10"]["cost_micro"] is None  # nobody said what a replica requests
    priced = answered(*asked, "--request-cpu", "500m", "--request-memory", "1Gi")
    assert (priced["policies"]["static:10"]["cost_micro"], priced["currency"]) == (10 * 10 * 24_000, "EUR")


def test_courses_and_chart_are_written_beside_the_answer(tmp_path: pathlib.Path) -> None:
    courses, plot, out = tmp_path / "courses.csv", tmp_path / "o.svg", tmp_path / "answer.json"
    result = call(
        laid(tmp_path), "--history", "30h", "--policy", "hpa:70", "--capacity", "40", "--trace", courses,
        "--plot", plot, "-o", "json", "--output", out,
    )  # fmt: skip
    assert (result.exit_code, result.stdout) == (0, "")
    rows = list(csv.DictReader(courses.read_text().splitlines()))
    assert list(rows[0]) == ["ts", "load", "hpa:70.replicas", "hpa:70.ready"]
    paid = json.loads(out.read_text())["policies"]["hpa:70"]["replica_hours"]
    assert sum(int(row["hpa:70.replicas"]) for row in rows) / 60 == pytest.approx(paid)
    assert plot.read_text().startswith("<svg ")


def test_parquet_is_read_and_written(tmp_path: pathlib.Path) -> None:
    duckdb = pytest.importorskip("duckdb")
    given, courses = tmp_path / "web.parquet", tmp_path / "courses.parquet"
    duckdb.read_csv(str(laid(tmp_path))).write_parquet(str(given))
    call(given, "--history", "30h", "--policy", "static:3", "--trace", courses)
    assert duckdb.read_parquet(str(courses)).aggregate('count(*), max("static:3.replicas")').fetchall() == [(600, 3)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--policy", "vpa"), "'vpa' is not a policy; expected podium"),
        (("--column", "rpm"), "no column or series 'rpm'; it has 'rps'"),
        (("--history", "7d"), "has 1.7 days, of which 7.0 are history"),
        (("--history", "soon"), "'soon' is not a duration"),
        (("--startup", "1d"), "expected at most 2h"),
        (("--startup", "20s,1d"), "expected at most 2h"),
        (("--startup", "20s,"), "--startup"),
        (("--risk", "2"), "expected a share between 0 and 1"),
        (("--capacity", "0.00001", "--history", "1d"), "is the capacity in the unit of the series?"),
        (("--capacity", "0", "--history", "1d"), "expected more than zero"),
        (("--min", "5", "--max", "3"), "expected at least --min, which is 5"),
        (("--price-place", "mars"), "one of aws/us-east-1/5"),
        (("--history", "30h", "--policy", "oracle", "--plot", "x.png"), "expected a name that ends in .svg"),
        (("--history", "30h", "--policy", "oracle", "--trace", "x.xls"), "ends in .csv, .csv.gz or .parquet"),
        (("--history", "30h", "--policy", "oracle", "--output", "/nowhere/x"), "cannot be written"),
    ],
)
def test_what_cannot_be_used_is_one_clear_error(tmp_path: pathlib.Path, words: tuple[str, ...], said: str) -> None:
    result = call(laid(tmp_path), *words)
    assert result.exit_code == outcome.BAD_INPUT
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("1780272000,-5\n1780999999,1\n", "value(s) below zero"),
        ("1780272000,inf\n", "infinite"),
        ("tomorrow,5\n", "is not a time"),
        ("2026-06-02T10:00:00,5\n", "has no time zone"),
    ],
)
def test_bad_lines_are_named(tmp_path: pathlib.Path, line: str, said: str) -> None:
    result = call(laid(tmp_path, 1, line), "--history", "10m")
    assert result.exit_code == outcome.BAD_INPUT
    assert said in result.stderr


def test_gaps_duplicates_and_disorder_are_put_right(tmp_path: pathlib.Path) -> None:
    file = laid(tmp_path)
    head, *rows = file.read_text().splitlines()
    clean = answered(file, "--history", "30h", "--policy", "hpa:70", "--capacity", "40")
    del rows[2000:2300]  # five hours cut out
    rows[2050] = rows[2050].split(",")[0] + ",NaN"
    file.write_text("\n".join([head, *reversed(rows), rows[50]]) + "\n")
    rough = answered(file, "--history", "30h", "--policy", "hpa:70", "--capacity", "40")
    assert (clean["cut_minutes"], rough["cut_minutes"], rough["judged"]["minutes"]) == (0, 300, 300)


def test_without_a_file_it_says_what_it_needs() -> None:
    result = call()
    assert result.exit_code == outcome.BAD_INPUT
    assert "FILE" in result.stderr


def test_several_startups_are_drawn_from_and_said(tmp_path: pathlib.Path) -> None:
    words = (laid(tmp_path), "--capacity", "40", "--history", "30h", "--policy", "hpa:100")
    spread, slowest = (answered(*words, "--startup", startup) for startup in ("20s,20s,20s,10m", "10m"))
    assert spread["startup_seconds"] == slowest["startup_seconds"] == 600.0
    assert spread["policies"]["hpa:100"]["unserved_fraction"] < slowest["policies"]["hpa:100"]["unserved_fraction"]
    assert [note for note in spread["notes"] if note.startswith("start-up")] == [
        "start-up: each order's is one of 4, drawn; their .95 quantile is 10m"
    ]
