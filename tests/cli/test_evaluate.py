"""`podium policy eval`: lines in, lines out, as a program among others."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.outside import podium
from tests.loop.evaluate.worlds import line, loads, pods, resource, spec

CASE = json.dumps(
    line(
        spec(resource("cpu", averageUtilization=50)),
        replicas=2,
        pods=pods(2),
        metrics={"pods": loads(2, cpu="80m")},
    )
)
ANSWER = '{"id":"case","metrics":[{"replicas":4,"usage":80,"utilization":80}]}\n'


def test_a_file_of_cases_is_answered_line_by_line(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text(f"{CASE}\n\n{CASE}\n")
    done = podium("policy", "eval", "cases.jsonl", at=tmp_path)
    assert (done.code, done.out, done.err) == (0, ANSWER * 2, "")


def test_answers_to_stdin_go_to_a_file_whole(tmp_path: Path) -> None:
    done = podium("policy", "eval", "-", "--output", "answers.jsonl", at=tmp_path, stdin=CASE)
    assert (done.code, done.out) == (0, "")
    assert (tmp_path / "answers.jsonl").read_text() == ANSWER


def test_a_bad_line_ends_with_its_name_and_leaves_no_half_file(tmp_path: Path) -> None:
    (tmp_path / "cases.jsonl").write_text(f'{CASE}\n{{"id": "b", "hpa": {{}}, "replicas": "two"}}\n')
    done = podium("policy", "eval", "-full", "cases.jsonl", "--output", "answers.jsonl", at=tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err == "podium: cases.jsonl: line 2: replicas: expected `int | null`, got `str`\n"
    assert [file.name for file in tmp_path.iterdir()] == ["cases.jsonl"]


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    done = podium("policy", "eval", "nowhere.jsonl", at=tmp_path)
    assert (done.code, done.out, done.err) == (2, "", "podium: nowhere.jsonl: no such file\n")
