"""`podium forecast` on files, as people call it."""

from __future__ import annotations

import math
import pathlib
import random
from collections.abc import Callable
from functools import partial

import pytest
from tests.cli import inside
from tests.cli.inside import laid

from podium.cli import outcome

Row = tuple[float, float | str]
FIRST = 1_780_272_000
call, answered = partial(inside.podium, "forecast"), partial(inside.answered, "forecast")
CHEAP = ("--forecaster", "last-value", "--origins", "6")


def rows(days: float = 3, apart: int = 300) -> list[Row]:
    """A load with a day's rhythm."""
    at = range(FIRST, FIRST + round(days * 86400), apart)
    return [(float(t), round(500 - 380 * math.cos(t * 2 * math.pi / 86400), 2)) for t in at]


def test_the_contract_of_the_answer_holds(tmp_path: pathlib.Path) -> None:
    file = laid(tmp_path, rows())
    answer = answered(file, "--column", "rps", "--horizon", "30m", "--step", "1m", "--origins", "4")
    assert len(answer["origins"]) == 4
    for one in answer["origins"]:
        assert one["at"] == [one["origin"] + 60.0 * step for step in range(1, 31)]
        assert list(one["quantiles"]) == ["0.5", "0.9", "0.95", "0.99"]
        assert {len(values) for values in one["quantiles"].values()} == {30}
    assert {"wape", "pinball", "coverage"} <= set(answer["summary"])
    assert answer["origins"][-1]["origin"] == FIRST + 3 * 86400 - 300 - 1800


def test_a_file_by_the_minute_is_forecast_by_the_minute(tmp_path: pathlib.Path) -> None:
    answer = answered(laid(tmp_path, rows(1, 60)), *CHEAP, "--horizon", "10m")
    assert (answer["grid_seconds"], answer["summary"]["judged"]) == (60.0, 6 * 10)


def test_people_read_a_table_and_a_sentence(tmp_path: pathlib.Path) -> None:
    lines = call(laid(tmp_path, rows()), "--origins", "8").stdout.splitlines()
    assert any(line.startswith("the largest within 30m") for line in lines)
    assert any("the last value by" in line for line in lines)
    assert any("stayed under its 95 % quantile in" in line for line in lines)


def test_it_is_drawn_beside_the_answer(tmp_path: pathlib.Path) -> None:
    plot = tmp_path / "o.svg"
    assert call(laid(tmp_path, rows()), *CHEAP, "--plot", plot).exit_code == 0
    assert plot.read_text().startswith("<svg ")


def constant(given: list[Row]) -> list[Row]:
    return [(at, 7.0) for at, _ in given]


def zero(given: list[Row]) -> list[Row]:
    return [(at, 0.0) for at, _ in given]


def half_unknown(given: list[Row]) -> list[Row]:
    return [(at, value if number % 40 < 20 else "NaN") for number, (at, value) in enumerate(given)]


def outlier(given: list[Row]) -> list[Row]:
    return [(at, 1e9 if number == 500 else value) for number, (at, value) in enumerate(given)]


def hour_back(given: list[Row]) -> list[Row]:
    return [(at - 3600 * (number > 400), value) for number, (at, value) in enumerate(given)]


def hour_ahead(given: list[Row]) -> list[Row]:
    return [(at + 3600 * (number > 400), value) for number, (at, value) in enumerate(given)]


def repeated(given: list[Row]) -> list[Row]:
    return [row for row in given for _ in range(2)]


def unsorted(given: list[Row]) -> list[Row]:
    return random.Random(1).sample(given, len(given))


ODD = [constant, zero, half_unknown, outlier, hour_back, hour_ahead, repeated, unsorted]


@pytest.mark.parametrize("bent", ODD, ids=lambda one: one.__name__)
def test_an_odd_file_is_answered(tmp_path: pathlib.Path, bent: Callable[[list[Row]], list[Row]]) -> None:
    answer = answered(laid(tmp_path, bent(rows())), "--origins", "6", "--plot", tmp_path / "o.svg")
    assert len(answer["origins"]) == 6
    assert answer["summary"]["coverage"]["0.99"] is not None


def test_order_and_repetition_change_nothing(tmp_path: pathlib.Path) -> None:
    plain = answered(laid(tmp_path, rows()), *CHEAP)
    assert answered(laid(tmp_path, repeated(unsorted(rows()))), *CHEAP) == plain


def test_what_is_never_wrong_or_never_anything_is_said(tmp_path: pathlib.Path) -> None:
    assert "The load never changed" in call(laid(tmp_path, constant(rows())), *CHEAP).stdout
    assert "The load was zero all the while" in call(laid(tmp_path, zero(rows())), *CHEAP).stdout
    assert (
        "% of the load is unknown; there nothing is learned"
        in call(laid(tmp_path, half_unknown(rows())), *CHEAP).stdout
    )


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "0 value(s); expected a series of some days"),
        (rows(0.6), "expected a day at least"),
        (rows(20, 3600), "has a value every 1h; expected one in 30m at least"),
        ([(at, -1.0) for at, _ in rows()], "below zero"),
        ([(at, "inf") for at, _ in rows(1)], "infinite"),
    ],
)
def test_a_file_that_cannot_be_forecast_is_refused(tmp_path: pathlib.Path, lines: list[Row], said: str) -> None:
    result = call(laid(tmp_path, lines), *CHEAP)
    assert (result.exit_code, result.stdout) == (outcome.BAD_INPUT, "")
    assert said in result.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--horizon", "2h"), "expected at most 30m"),
        (("--horizon", "soon"), "'soon' is not a duration"),
        (("--horizon", "1m"), "expected at least a step of the file, 300 s"),
        (("--step", "1h"), "at most the horizon"),
        (("--step", "0s"), "expected 1s at least"),
        (("--origins", "0"), "0 is not in the range"),
        (("--origins", "100000", "--step", "1s"), "are too many"),
        (("--forecaster", "crystal"), "no forecaster is called 'crystal'; installed are"),
        (("--column", "rpm"), "no column or series 'rpm'; it has 'rps'"),
        (("--plot", "x.png"), "expected a name that ends in .svg"),
        (("--plot", "/nowhere/x.svg"), "cannot be written"),
    ],
)
def test_what_cannot_be_used_is_one_clear_error(tmp_path: pathlib.Path, words: tuple[str, ...], said: str) -> None:
    result = call(laid(tmp_path, rows(1.2)), *CHEAP, *words)
    assert (result.exit_code, result.stdout) == (outcome.BAD_INPUT, "")
    assert said in " ".join(result.stderr.split())
