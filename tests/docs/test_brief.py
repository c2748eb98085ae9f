"""The brief's table says only what can be checked, and `make brief` finds out when it does not."""

from __future__ import annotations

import pathlib

import pytest
from tools import brief

GOOD = brief.Row("A001", "CPU", "planned", "", "signals: not built")


def test_the_table_has_nothing_wrong_in_itself() -> None:
    assert brief.problems(brief.read(brief.TABLE), None) == []


@pytest.mark.shared
def test_the_table_has_a_row_for_each_named_thing_of_the_brief_and_no_other() -> None:
    if not brief.ITEMS.exists():
        pytest.skip(f"the exam data is not here: put it at {brief.ITEMS.parent.parent.name}/ beside the project")
    assert brief.problems(brief.read(brief.TABLE), brief.names_of_items(brief.ITEMS)) == []


def test_the_page_is_the_table() -> None:
    assert brief.PAGE.read_text() == brief.render(brief.read(brief.TABLE)), "the table changed: make brief"


def test_an_id_without_a_row_an_unknown_id_another_name_and_a_second_row_are_found() -> None:
    rows = [GOOD, GOOD, GOOD._replace(id="A009")]
    assert brief.problems(rows, {"A001": "cpu", "A002": "memory"}) == [
        "A001: 2 rows",
        "A002: the brief names it, the table has no row",
        "A009: the table has a row, the brief does not name it",
        "A001: is called 'CPU'; the brief calls it 'cpu'",
    ]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"status": "done"}, "status 'done'; expected one of works, partial, planned, not software"),
        ({"status": "works", "missing": ""}, "works, and nothing shows it"),
        ({"status": "partial"}, "partial, and nothing shows it"),
        ({"missing": ""}, "planned, without a word on what is missing"),
        ({"shown_by": "$ true"}, "planned, and yet something shows it"),
        ({"status": "works", "shown_by": "$ true"}, "it works, and yet something is missing; then it is partial"),
        ({"status": "partial", "shown_by": "true"}, "shown by 'true'; expected '$ command' or 'test path::name'"),
        ({"status": "partial", "shown_by": "test tests/docs/x.py::test_x"}, "there is no test tests/docs/x.py::test_x"),
    ],
)
def test_a_row_that_cannot_be_checked_is_found(changes: dict[str, str], words: str) -> None:
    assert brief.problems([GOOD._replace(**changes)], None) == [f"A001: {words}"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("echo three tenants", ""),
        ("echo three tenants => ^three", ""),
        ("echo three tenants => four", "nothing matches 'four' in: three tenants"),
        ("echo no such thing >&2; exit 2", "exit code 2: no such thing"),
        ("sleep 9", "still running after 0.2 s"),
    ],
)
def test_a_command_shows_something_or_says_why_not(line: str, words: str, tmp_path: pathlib.Path) -> None:
    assert brief.show_command(line, tmp_path, seconds=9 if "sleep" not in line else 0.2) == words


def test_a_command_runs_with_an_empty_home_and_none_of_our_settings(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PODIUM_LOOP__INTERVAL", "1s")
    command = 'test "$HOME" = "' + str(tmp_path) + '" && test -z "$PODIUM_LOOP__INTERVAL"'
    assert brief.show_command(command, tmp_path) == ""


def test_failing_skipped_and_missing_tests_show_nothing(tmp_path: pathlib.Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "import pytest\n"
        "def test_right(): pass\n"
        "@pytest.mark.parametrize('n', [1, 2])\ndef test_half(n): assert n == 1\n"
        "def test_absent(): pytest.skip('no server here')\n"
    )
    (tmp_path / "pytest.ini").write_text("[pytest]\nasyncio_default_fixture_loop_scope = function\n")
    names = [f"test_it.py::test_{name}" for name in ("right", "half", "absent")]
    words = list(brief.show_tests(names, tmp_path).values())
    assert (words[0], words[1].startswith("call failed"), "no server here" in words[2]) == ("", True, True)
