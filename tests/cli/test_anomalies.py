"""`podium anomalies` on files, as people call it."""

from __future__ import annotations

import math
import pathlib
import random
from functools import partial

import pytest
from tests.cli import inside
from tests.cli.inside import laid

Row = tuple[float | str, float | str]
FIRST = 1_780_272_000
call, answered = partial(inside.podium, "anomalies"), partial(inside.answered, "anomalies")


def rows(days: float = 5, apart: int = 300) -> list[Row]:
    """A load with a day's rhythm and a little noise."""
    noise = random.Random(7)
    at = range(FIRST, FIRST + round(days * 86400), apart)
    return [(t, round(500 - 380 * math.cos(t * 2 * math.pi / 86400) + noise.gauss(0, 6), 2)) for t in at]


def spiked(row: int = 1200, by: float = 2000) -> list[Row]:
    """The same with one spike."""
    out = rows()
    at, value = out[row]
    out[row] = (at, float(value) + by)
    return out


def test_the_contract_of_the_answer_holds(tmp_path: pathlib.Path) -> None:
    lines = spiked()
    answer = answered(laid(tmp_path, lines))
    assert [row["ts"] for row in answer["rows"]] == [at for at, _ in lines]
    assert all(0 <= row["score"] <= 1 and isinstance(row["anomaly"], bool) for row in answer["rows"])
    assert answer["rows"][1200]["anomaly"]
    (one,) = [one for one in answer["episodes"] if one["begin"] == lines[1200][0]]
    assert one["kind"] == "spike"
    assert one["severity"] == "critical"
    assert answer["threshold"] == 2.5


def test_only_the_past_is_used_for_each_row(tmp_path: pathlib.Path) -> None:
    lines = spiked()
    whole = answered(laid(tmp_path, lines))["rows"]
    part = answered(laid(tmp_path, lines[:1201], "part.csv"))["rows"]
    assert part == whole[:1201]


def test_rows_are_answered_in_the_order_of_the_file_each_repeated_one_too(tmp_path: pathlib.Path) -> None:
    lines = spiked()
    lines[700] = lines[699]
    random.Random(3).shuffle(lines)
    answer = answered(laid(tmp_path, lines))
    assert [row["ts"] for row in answer["rows"]] == [at for at, _ in lines]


def test_a_person_reads_what_it_was_and_when(tmp_path: pathlib.Path) -> None:
    result = call(laid(tmp_path, spiked()))
    assert result.exit_code == 0
    assert "2026-06-05T04:00:00Z" in result.stdout
    assert "spike" in result.stdout
    assert "anomalies" in result.stdout.splitlines()[-1] or "anomaly" in result.stdout.splitlines()[-1]


def test_a_higher_threshold_raises_fewer_alarms(tmp_path: pathlib.Path) -> None:
    noise = random.Random(11)
    file = laid(tmp_path, [(at, noise.gauss(100, 3) / (noise.random() + 0.02)) for at, _ in rows(20)])
    count = [len(answered(file, "--threshold", threshold)["episodes"]) for threshold in (1, 2.5, 6)]
    assert count[0] > count[1] > count[2]


def test_the_drawing_shows_the_series_its_episodes_and_the_scores(tmp_path: pathlib.Path) -> None:
    drawing = tmp_path / "seen.svg"
    assert call(laid(tmp_path, spiked()), "--plot", drawing).exit_code == 0
    text = drawing.read_text()
    assert text.startswith("<svg ")
    assert '<path class="load" d="M' in text
    assert '<path class="score" d="M' in text
    assert "<title>spike, critical, score " in text


HARD: dict[str, list[Row]] = {
    "shorter than a day": rows(0.3),
    "one row": rows(5)[:1],
    "constant": [(at, 3) for at, _ in rows()],
    "all zero": [(at, 0) for at, _ in rows()],
    "half unknown": [(at, "" if row % 2 else value) for row, (at, value) in enumerate(rows())],
    "all unknown": [(at, "NaN") for at, _ in rows()],
    "an outlier of 1e9": spiked(by=1e9),
    "repeated times": [line for line in rows() for _ in range(2)],
    "a clock an hour off": [(float(at) - 3600 * (row > 700), value) for row, (at, value) in enumerate(rows())],
    "one time": [(FIRST, value) for _, value in rows()],
    "a row a day": rows(200, 86400),
    "a row a second": rows(0.02, 1),
}


@pytest.mark.parametrize("name", HARD)
def test_hard_series_have_an_answer_for_every_row(tmp_path: pathlib.Path, name: str) -> None:
    file = laid(tmp_path, HARD[name])
    answer = answered(file, "--plot", tmp_path / "drawn.svg")
    assert len(answer["rows"]) == len(HARD[name])
    assert all(0 <= row["score"] <= 1 for row in answer["rows"])
    assert call(file).exit_code == 0


@pytest.mark.parametrize(
    ("text", "words", "said"),
    [
        ("", (), "is empty"),
        ("ts,rps\n", (), "holds no rows"),
        ("ts,rps\n1,2\nsoon,3\n", (), "line 3"),
        ("ts,rps\n1,2\n2,many\n", (), "'many' is not a number"),
        ("at,rps\n1,2\n", (), "no column 'ts'"),
        ("ts,a,b\n1,2,3\n", (), "expected --column"),
        ("ts,rps\n1,2\n", ("--column", "load"), "'load'"),
        ("ts,rps\n1,2\n", ("--threshold", "0"), "above 0"),
        ("ts,rps\n1,2\n", ("--threshold", "nan"), "above 0"),
        ("ts,rps\n1,2\n", ("--plot", "drawn.png"), ".svg"),
    ],
)
def test_what_cannot_be_answered_is_refused_and_says_why(
    tmp_path: pathlib.Path, text: str, words: tuple[str, ...], said: str
) -> None:
    file = tmp_path / "bad.csv"
    file.write_text(text)
    result = call(file, *words)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stdout == ""


def test_a_file_that_is_not_there_is_refused(tmp_path: pathlib.Path) -> None:
    result = call(tmp_path / "none.csv")
    assert result.exit_code == 2
    assert "no such file" in result.stderr
