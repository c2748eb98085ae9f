from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podium.documents import reading
from podium.documents.reading import Unreadable, read
from podium.documents.source import Mark


def values(text: str | bytes) -> list[object]:
    return [parsed.value for parsed in read(text if isinstance(text, bytes) else text.encode())]


def complaint(text: str | bytes) -> tuple[int, int, str, str]:
    with pytest.raises(Unreadable) as caught:
        values(text)
    return (*caught.value.mark, caught.value.expected, caught.value.got)


def test_every_field_keeps_its_line_and_column() -> None:
    (parsed,) = read(b"# first\na:\n  b: [x, {c: 1}]\n")
    assert parsed.marks == {
        (): Mark(2, 1),
        ("a",): Mark(2, 1),
        ("a", "b"): Mark(3, 3),
        ("a", "b", 0): Mark(3, 7),
        ("a", "b", 1): Mark(3, 10),
        ("a", "b", 1, "c"): Mark(3, 11),
    }


def test_documents_follow_each_other_and_empty_ones_are_left_out() -> None:
    assert values("a: 1\n---\n---\n# only words\n---\nb: 2\n...\n") == [{"a": 1}, {"b": 2}]


def test_a_syntax_error_does_not_take_the_documents_before_it() -> None:
    documents = read(b"a: 1\n---\nb: [\n")
    assert next(documents).value == {"a": 1}
    with pytest.raises(Unreadable, match="line 4"):
        next(documents)


def test_a_key_twice_names_both_lines() -> None:
    assert complaint("spec:\n  a: 1\n  b: 2\n  a: 3\n") == (4, 3, "each key once", "'a' again, first at line 2")


def test_keys_that_become_the_same_text_are_the_same_key() -> None:
    assert complaint("1: a\n'1': b\n")[:3] == (2, 1, "each key once")


def test_a_merge_gives_way_to_keys_below_it() -> None:
    assert values("p: &p {a: 1, b: 2}\nq:\n  <<: *p\n  b: 3\n") == [{"p": {"a": 1, "b": 2}, "q": {"a": 1, "b": 3}}]


def test_the_first_of_several_merges_wins() -> None:
    assert values("- &p {a: 1}\n- &q {a: 2}\n- {<<: [*p, *q]}\n") == [[{"a": 1}, {"a": 2}, {"a": 1}]]


def test_a_merge_below_the_key_it_would_overrule_is_refused() -> None:
    line, _, expected, _ = complaint("x: &x {a: 1}\ny:\n  a: 3\n  <<: *x\n")
    assert (line, expected) == (4, "<< above the key 'a' that overrules it")


def test_a_bomb_of_aliases_is_refused_before_it_goes_off() -> None:
    levels = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    levels += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert complaint("\n".join(levels))[2] == "aliases that add at most 100,000 values"


def test_an_alias_of_its_own_container_is_refused() -> None:
    assert complaint("a: &x\n  b: [*x]\n") == (2, 7, "a value that does not contain itself", "*x")


@pytest.mark.parametrize("text", ["[" * 200_000, "- " * 5_000 + "x", "{a: " * 5_000], ids=["flow", "block", "mapping"])
def test_a_document_too_deep_is_refused_without_a_crash(text: str) -> None:
    assert complaint(text)[2] == "at most 100 levels of nesting"


def test_a_file_too_large_is_refused_unread() -> None:
    assert complaint(b"#" * (reading.MAX_BYTES + 1))[2:] == ("at most 16 MiB of text", "more")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_unicode_may_be_encoded_in_any_way_that_yaml_allows(encoding: str) -> None:
    assert values("größe: 1 µs\r\nb: 2\r\n".encode(encoding)) == [{"größe": "1 µs", "b": 2}]


def test_bytes_that_are_no_text_are_named_by_their_place() -> None:
    assert complaint(b"a: 1\nb: \xff\n")[:3] == (2, 4, "text in UTF-8 without control characters")


def test_a_tab_as_indentation_is_explained() -> None:
    line, column, _, got = complaint("a:\n\tb: 1\n")
    assert (line, column) == (2, 1)
    assert got.endswith("a tab cannot indent, use spaces")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [1\nb: 2\n", "an unclosed [, begun at line 1, or a comma missing in it"),
        ("b: 2\na: {c: 1\nd: 2\n", "an unclosed {, begun at line 2, or a comma missing in it"),
        ("a: 'x\n", "an unclosed quote, begun at line 1"),
        ('a: "\\q"\n', "a \\ in double quotes that begins no known sign; write the text in single quotes"),
        ("a: b: c\n", "a second colon, or a line indented too far: write text with ': ' in quotes"),
        ("a: 1\nb\nc: 2\n", "a line that is neither `name: value` nor `- item`: a colon is missing"),
        ("a:\n  - b\n c: d\n", "a line that is indented differently from the block around it, begun at line 1"),
        ("- a\nb: 1\n", "a line in a list that does not begin with -, begun at line 1"),
        ("a: *\n", "a * or & without a name; write text that begins so in quotes"),
    ],
)
def test_a_slip_of_the_pen_is_told_in_words(text: str, said: str) -> None:
    assert complaint(text)[2:] == ("YAML", said)


def test_infinity_is_named_by_its_place() -> None:
    assert complaint("a:\n- .inf\n") == (2, 3, "a number that JSON can hold", ".inf")


def test_json_is_read_like_yaml_with_lines() -> None:
    (parsed,) = read(b'{\n\t"a": {\n\t\t"b": [1, 2.5, null, "\\u00e9"]\n\t}\n}\n')
    assert (parsed.value, parsed.marks["a", "b"]) == ({"a": {"b": [1, 2.5, None, "é"]}}, Mark(3, 3))


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
def test_no_bytes_at_all_do_anything_but_read_or_be_refused(data: bytes) -> None:
    with contextlib.suppress(Unreadable):
        assert json.dumps(values(data), allow_nan=False)
