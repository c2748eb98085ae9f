"""Fields changed where they are written: everything else stays, and what cannot be changed safely is refused."""

from __future__ import annotations

import pathlib
import stat

import pytest

from podium.documents import edit, reading
from podium.documents.source import Mark

BLOCK = """\
# who looks after it: the shop's team
apiVersion: v1
kind: Thing
metadata:
  name: web   # the shop window
spec:
  objective: {unservedFraction: 0.001}   # agreed in May
  replicas:
    min: 4  # two zones, two each

    # the licence's limit
    max: 60
---
kind: Other
spec: {replicas: {min: 4}}
"""
FIRST = Mark(2, 1)
MIN, RISK = ("spec", "replicas", "min"), ("spec", "objective", "unservedFraction")
WINDOW = ("spec", "behavior", "scaleDown", "window")
NOTE = ("metadata", "annotations", "podium.dev/tuned")


def edited(text: str, given: dict[tuple[str, ...], bool | float | str], *removed: tuple[str, ...]) -> str:
    return edit.edited(text.encode(), FIRST if text == BLOCK else Mark(1, 1), given, removed).decode()


def test_a_value_is_replaced_and_its_comment_stays() -> None:
    assert edited(BLOCK, {MIN: 2, RISK: 0.00005}) == BLOCK.replace("min: 4  #", "min: 2  #").replace("0.001", "0.00005")


def test_what_is_not_written_comes_last_in_its_mapping() -> None:
    new = edited(BLOCK, {WINDOW: 60, NOTE: '{"at": 1, "by": "o\'hara"}'})
    assert new == BLOCK.replace(
        "the shop window\n",
        'the shop window\n  annotations:\n    podium.dev/tuned: \'{"at": 1, "by": "o\'\'hara"}\'\n',
    ).replace("max: 60\n", "max: 60\n  behavior:\n    scaleDown:\n      window: 60\n")


def test_taking_back_leaves_the_text_as_it_was_before() -> None:
    there = edited(BLOCK, {WINDOW: 60, NOTE: "x: y"})
    assert edit.edited(there.encode(), FIRST, {}, [WINDOW, NOTE]).decode() == BLOCK
    assert edit.edited(BLOCK.encode(), FIRST, {}, [NOTE]).decode() == BLOCK


@pytest.mark.parametrize(
    ("text", "given", "removed", "expected"),
    [
        ('{"spec": {"a": 1}}', {("spec", "b", "c"): 2}, (), '{"spec": {"a": 1, "b": {"c": 2}}}'),
        ("{}\n", {("a",): "word"}, (), '{"a": "word"}\n'),
        ("a: {b: 1, c: 2}\n", {}, ("a", "b"), "a: {c: 2}\n"),
        ("a: {b: 1, c: 2}\n", {}, ("a", "c"), "a: {b: 1}\n"),
        ("a: {b: 1}\nc: 1\n", {}, ("a", "b"), "c: 1\n"),
        ("a:\nb: 1\n", {("a", "c"): 1}, (), 'a: {"c": 1}\nb: 1\n'),
        ("a: null\n", {("a",): 1}, (), "a: 1\n"),
        ("a: 1\r\nb: ä # ö\r\n", {("c",): True}, (), "a: 1\r\nb: ä # ö\r\nc: true\r\n"),
        ("a: |\n  text\n\n# end\n", {("b",): 1}, (), "a: |\n  text\nb: 1\n\n# end\n"),
        ("a: 1", {("b",): 1}, (), "a: 1\nb: 1"),
    ],
)
def test_every_way_of_writing_is_kept(
    text: str, given: dict[tuple[str, ...], bool | float | str], removed: tuple[str, ...], expected: str
) -> None:
    new = edited(text, given, *([removed] if removed else []))
    assert new == expected
    assert list(reading.read(new.encode()))


@pytest.mark.parametrize(
    ("text", "path", "said"),
    [
        ("a: &x {b: 1}\nc: *x\n", ("a", "b"), "only a person can change"),
        ("a: [1]\n", ("a", "b"), "a is no mapping"),
        ("a: {b: {c: 1}}\n", ("a", "b"), "b is no single value"),
    ],
)
def test_what_would_touch_more_is_refused(text: str, path: tuple[str, ...], said: str) -> None:
    with pytest.raises(edit.Uneditable, match=said):
        edited(text, {path: 2})


def test_a_document_that_is_no_longer_there_is_refused() -> None:
    with pytest.raises(edit.Uneditable, match="begins at line 9"):
        edit.edited(b"a: 1\n", Mark(9, 1), {("a",): 2})


def test_a_file_is_replaced_whole_with_its_mode_and_through_a_link(tmp_path: pathlib.Path) -> None:
    file, link = tmp_path / "web.yaml", tmp_path / "link.yaml"
    file.write_text("a: 1\n")
    file.chmod(0o640)
    link.symlink_to(file)
    edit.replace(link, b"a: 2\n")
    assert (file.read_text(), stat.S_IMODE(file.stat().st_mode), link.is_symlink()) == ("a: 2\n", 0o640, True)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["link.yaml", "web.yaml"]


def test_a_folder_that_is_gone_is_an_error_and_leaves_nothing(tmp_path: pathlib.Path) -> None:
    with pytest.raises(FileNotFoundError):
        edit.replace(tmp_path / "away" / "web.yaml", b"a: 2\n")
