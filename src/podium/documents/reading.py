"""YAML text -> JSON values with the place of every field, as the Kubernetes API server would read it.

libyaml parses; the scalars are `scalars.py`'s. Stricter than the server in three things, each a mistake in practice:
a key written twice, `<<` after a key that it would overrule, and NaN or infinity (which JSON has no word for).
Bounded: depth, size, and what aliases expand to.
"""

from __future__ import annotations

import dataclasses
import decimal
import json
import math
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias, cast

import yaml

from podium.documents import scalars
from podium.documents.source import Mark, Path

Json: TypeAlias = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

MAX_BYTES = 16 * 2**20  # an API server takes 3 MiB per object; a file may hold several
MAX_DEPTH = 100  # the deepest Kubernetes type nests about 20; libyaml's own composer crashes at 200,000
MAX_ALIASED = 100_000  # values that aliases may add to a document


class Unreadable(Exception):
    """The text is not YAML that can become JSON: where, what was expected, and what stood there."""

    def __init__(self, mark: Mark, expected: str, got: str) -> None:
        super().__init__(f"line {mark.line}, column {mark.column}: expected {expected}; got {got}")
        self.mark = mark
        self.expected = expected
        self.got = got


class Parsed(NamedTuple):
    """One document of a text: its value, and where each field stands."""

    value: Json
    marks: dict[Path, Mark]


def read(data: bytes) -> Iterator[Parsed]:
    """The documents of `data` in order, empty ones left out. Raises Unreadable at the first that cannot be read."""
    if len(data) > MAX_BYTES:
        raise Unreadable(Mark(1, 1), f"at most {MAX_BYTES // 2**20} MiB of text", "more")
    try:
        parser = cast("_Parser", yaml.CSafeLoader(data))
        parser.get_event()  # the start of the stream
        while not isinstance(event := parser.get_event(), yaml.StreamEndEvent):
            version = event.version
            if version not in (None, (1, 1)):
                raise Unreadable(
                    _mark(event), "YAML 1.1, which is what the API server reads", f"%YAML {version[0]}.{version[1]}"
                )
            document = _Reader(parser)
            value = document.value((), 0).value
            parser.get_event()  # the end of the document
            if value is not None:
                yield Parsed(value, document.marks)
    except yaml.MarkedYAMLError as error:
        raise _syntax_error(error) from error
    except yaml.reader.ReaderError as error:
        raise _encoding_error(data, error) from error


class _Parser:
    """What is used of yaml.CSafeLoader, which has no types of its own."""

    def get_event(self) -> Any: ...


@dataclasses.dataclass(slots=True)
class _Node:
    value: Json
    size: int = 1  # values in it, aliases expanded
    merge: bool = False  # an unquoted <<


class _Reader:
    """One document, read event by event: no tree in between, no recursion in C."""

    def __init__(self, parser: _Parser) -> None:
        self.marks: dict[Path, Mark] = {}
        self._parser = parser
        self._anchors: dict[str, _Node | None] = {}  # None: still being read
        self._aliased = 0

    def value(self, path: Path, depth: int, event: Any = None) -> _Node:
        """The next value, whose place in the document is `path`."""
        event = event or self._parser.get_event()
        self.marks.setdefault(path, _mark(event))
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        if depth > MAX_DEPTH:
            raise Unreadable(_mark(event), f"at most {MAX_DEPTH} levels of nesting", "a deeper one")
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        if isinstance(event, yaml.ScalarEvent):
            node = _scalar(event)
        elif isinstance(event, yaml.SequenceStartEvent):
            node = self._sequence(path, depth)
        else:
            node = self._mapping(path, depth)
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return node

    def _alias(self, event: Any) -> _Node:
        if event.anchor not in self._anchors:
            raise Unreadable(_mark(event), "an alias of something written above it", f"*{event.anchor}")
        node = self._anchors[event.anchor]
        if node is None:
            raise Unreadable(_mark(event), "a value that does not contain itself", f"*{event.anchor}")
        self._aliased += node.size
        if self._aliased > MAX_ALIASED:
            raise Unreadable(_mark(event), f"aliases that add at most {MAX_ALIASED:,} values", "more")
        return _Node(node.value, node.size)

    def _sequence(self, path: Path, depth: int) -> _Node:
        items: list[Json] = []
        size = 1
        while not isinstance(event := self._parser.get_event(), yaml.SequenceEndEvent):
            node = self.value((*path, len(items)), depth + 1, event)
            items.append(node.value)
            size += node.size
        return _Node(items, size)

    def _mapping(self, path: Path, depth: int) -> _Node:
        fields: dict[str, Json] = {}
        merged: set[str] = set()
        size = 1
        while not isinstance(event := self._parser.get_event(), yaml.MappingEndEvent):
            mark = _mark(event)
            head = self._key(event)
            if head.merge:
                node = self.value((*path, "<<"), depth + 1)
                self._merge(node, fields, merged, mark)
            else:
                name = cast("str", head.value)
                if name in fields and name not in merged:
                    raise Unreadable(mark, "each key once", f"{name!r} again, first at line {self._line(path, name)}")
                merged.discard(name)
                self.marks[(*path, name)] = mark
                node = self.value((*path, name), depth + 1)
                fields[name] = node.value
            size += node.size
        return _Node(fields, size)

    def _key(self, event: Any) -> _Node:
        mark = _mark(event)
        if isinstance(event, yaml.AliasEvent):
            node = self._alias(event)
        elif isinstance(event, yaml.ScalarEvent):
            node = _scalar(event, is_key=True)
            if event.anchor is not None:
                self._anchors[event.anchor] = node
        else:
            raise Unreadable(mark, "a key that is text", "a list or a mapping")
        if node.merge:
            return node
        if isinstance(node.value, (list, dict)):
            raise Unreadable(mark, "a key that is text", "a list or a mapping")
        try:
            return _Node(scalars.key(node.value))
        except ValueError as error:
            raise Unreadable(mark, str(error), "null" if node.value is None else str(node.value)) from None

    def _merge(self, node: _Node, fields: dict[str, Json], merged: set[str], mark: Mark) -> None:
        parts = node.value if isinstance(node.value, list) else [node.value]
        for part in parts:
            if not isinstance(part, dict):
                raise Unreadable(mark, "a mapping, or a list of mappings, after <<", _describe(part))
            for name, value in part.items():
                if name in fields and name not in merged:
                    # The API server would let << win here, YAML itself the key: whoever wrote it cannot know both.
                    raise Unreadable(mark, f"<< above the key {name!r} that overrules it", "<< below it")
                if name not in merged:
                    fields[name] = value
                    merged.add(name)

    def _line(self, path: Path, name: str) -> int:
        return self.marks[(*path, name)].line


def _scalar(event: Any, *, is_key: bool = False) -> _Node:
    unquoted = event.implicit[0] and event.tag is None
    if unquoted:
        if event.value == "<<":
            return _Node("<<", merge=True)
        value = scalars.plain(event.value)
    elif event.tag is None or event.tag == "!":
        value = event.value
    else:
        try:
            value = scalars.tagged(event.tag, event.value)
        except ValueError as error:
            raise Unreadable(_mark(event), str(error), repr(event.value)) from None
    if isinstance(value, float) and not is_key:
        return _Node(_json_number(value, event))
    return _Node(value)


def _json_number(value: float, event: Any) -> int | float:
    if not math.isfinite(value):
        raise Unreadable(_mark(event), "a number that JSON can hold", event.value)
    # Go writes 1000.0 as 1000, and 2.0**70 as its shortest digits and zeros; from 1e21 it writes an exponent.
    return int(decimal.Decimal(repr(value))) if value.is_integer() and abs(value) < 1e21 else value


def _mark(event: Any) -> Mark:
    return Mark(event.start_mark.line + 1, event.start_mark.column + 1)


def _describe(value: Json) -> str:
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return json.dumps(value, ensure_ascii=False)


def _syntax_error(error: yaml.MarkedYAMLError) -> Unreadable:
    mark = error.problem_mark or error.context_mark
    place = Mark(mark.line + 1, mark.column + 1) if mark is not None else Mark(1, 1)
    return Unreadable(place, "YAML", _in_words(error))


def _in_words(error: yaml.MarkedYAMLError) -> str:
    """What is wrong, as people say it: libyaml tells the state of its parser."""
    context, problem = error.context or "", error.problem or ""
    begun = f", begun at line {error.context_mark.line + 1}" if error.context_mark else ""
    if "cannot start any token" in problem:
        return "a character that cannot begin a value; a tab cannot indent, use spaces"
    for said, words in _YAML_WORDS:
        if said in f"{context}, {problem}":
            return words.format(begun=begun)
    return ", ".join(part for part in (context, problem) if part)


# (what libyaml says, what people say), the first that fits; parsing ends where the text does, far from the cause.
_YAML_WORDS = (
    ("flow sequence", "an unclosed [{begun}, or a comma missing in it"),
    ("flow mapping", "an unclosed {{{begun}, or a comma missing in it"),
    ("flow node", "an unclosed [ or {{, or a value missing in one"),
    ("unknown escape", "a \\ in double quotes that begins no known sign; write the text in single quotes"),
    ("quoted scalar", "an unclosed quote{begun}"),
    ("mapping values are not allowed", "a second colon, or a line indented too far: write text with ': ' in quotes"),
    ("could not find expected ':'", "a line that is neither `name: value` nor `- item`: a colon is missing"),
    ("did not find expected key", "a line that is indented differently from the block around it{begun}"),
    ("did not find expected '-' indicator", "a line in a list that does not begin with -{begun}"),
    ("found undefined tag handle", "a tag that is not known; write text with ! in quotes"),
    ("block sequence entries are not allowed", "a list on the line of its name, or indented too far: - begins a line"),
    ("did not find expected <document start>", "something after the end of the document: --- separates documents"),
    ("did not find expected alphabetic or numeric", "a * or & without a name; write text that begins so in quotes"),
)


def _encoding_error(data: bytes, error: yaml.reader.ReaderError) -> Unreadable:
    before = data[: error.position]
    line = before.count(b"\n") + 1
    column = len(before) - (before.rfind(b"\n") + 1) + 1
    return Unreadable(Mark(line, column), "text in UTF-8 without control characters", error.reason)
