"""Fields of one document changed where they are written: comments, order and everything around them stay as they are.

What was written is read again afterwards and compared as a whole: a text in which one change would touch more (an
anchor, a `<<`, a key of two lines) is refused, never half changed.
"""

from __future__ import annotations

import decimal
import json
import os
import pathlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import yaml

from podium.documents import reading
from podium.documents.source import Mark, Path

Names: TypeAlias = tuple[str, ...]
Scalar: TypeAlias = bool | int | float | str
INDENT = 2


class Uneditable(Exception):
    """The text cannot be changed in place; the message says what stands in the way."""


def edited(data: bytes, place: Mark, given: Mapping[Names, Scalar], removed: Sequence[Names] = ()) -> bytes:
    """The text with the fields `given` set and those `removed` gone, in the document that begins at `place`.

    What is not written yet comes last in its mapping. Raises Uneditable, and reading.Unreadable.
    """
    # Through text, for an alias is one object in several places.
    wanted = [json.loads(json.dumps(parsed.value)) for parsed in reading.read(data)]
    document = _document(data, place, wanted)
    text = data.decode()
    for path, value in given.items():
        text = _with(text, _node(text, place), path, value, "", place.column - 1)
        _set(document, path, value)
    for path in removed:
        if _drop(document, path):
            text = _without(text, _node(text, place), path)
    out = text.encode()
    try:
        same = [parsed.value for parsed in reading.read(out)] == wanted
    except reading.Unreadable:
        same = False
    if not same:
        raise Uneditable(
            "it is written in a way (anchors, merges, keys over several lines) that only a person can change"
        )
    return out


def replace(file: pathlib.Path, data: bytes) -> None:
    """Put `data` in the place of a file at once, whole, with its mode; a link stays a link. Raises OSError."""
    real = file.resolve()
    mode = real.stat().st_mode
    # Hidden, so that nobody who reads the folder sees it half written.
    number, name = tempfile.mkstemp(prefix=".", suffix=".new", dir=real.parent)
    try:
        with os.fdopen(number, "wb") as opened:
            opened.write(data)
            opened.flush()
            os.fsync(opened.fileno())
        pathlib.Path(name).chmod(mode & 0o7777)
        pathlib.Path(name).replace(real)
    except OSError:
        pathlib.Path(name).unlink(missing_ok=True)
        raise


def _document(data: bytes, place: Mark, values: Sequence[Any]) -> dict[str, Any]:
    """The value among `values`, the documents of `data`, that begins at `place`."""
    for parsed, value in zip(reading.read(data), values, strict=True):
        for path in sorted((path for path, mark in parsed.marks.items() if mark == place), key=len):
            found = _at(value, path)
            if isinstance(found, dict):
                return found
    raise Uneditable(f"no document begins at line {place.line}, column {place.column} any more")


def _at(value: Any, path: Path) -> Any:
    for part in path:
        value = value[part]
    return value


def _set(document: dict[str, Any], path: Names, value: Scalar) -> None:
    for name in path[:-1]:
        if document.get(name) is None:
            document[name] = {}
        document = document[name]
    document[path[-1]] = value


def _drop(document: dict[str, Any], path: Names) -> bool:
    """Take a field out, and every mapping around it that is then empty; False: it was not there."""
    if path[0] not in document:
        return False
    inner = document[path[0]]
    if len(path) > 1:
        if not isinstance(inner, dict) or not _drop(inner, path[1:]):
            return False
        if inner:
            return True
    del document[path[0]]
    return True


def _node(text: str, place: Mark) -> yaml.MappingNode:
    for root in yaml.compose_all(text, yaml.CSafeLoader):
        for node in _every(root):
            begun = node.start_mark
            if isinstance(node, yaml.MappingNode) and (begun.line + 1, begun.column + 1) == place:
                return node
    raise Uneditable(f"no document begins at line {place.line}, column {place.column} any more")


def _every(node: yaml.Node | None) -> Iterator[yaml.Node]:
    if node is not None:
        yield node
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _every(item)
    if isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _every(value)


def _pair(node: yaml.MappingNode, name: str) -> tuple[yaml.Node, yaml.Node] | None:
    return next((pair for pair in node.value if isinstance(pair[0], yaml.ScalarNode) and pair[0].value == name), None)


def _with(text: str, node: yaml.Node, path: Names, value: Scalar, above: str, column: int) -> str:
    """The text with `path` below `node` set; `above` names the field that holds the node, `column` where it begins."""
    if isinstance(node, yaml.ScalarNode) and node.value in ("", "~", "null") and not node.style:
        start, end = node.start_mark.index, node.end_mark.index
        return f"{text[:start]}{' ' if start == end else ''}{_flow(path, value)}{text[end:]}"
    if not isinstance(node, yaml.MappingNode):
        raise Uneditable(f"{above} is no mapping")
    pair = _pair(node, path[0])
    if pair is None:
        return _inserted(text, node, path, value, column)
    found = pair[1]
    if len(path) > 1:
        return _with(text, found, path[1:], value, path[0], found.start_mark.column)
    if not isinstance(found, yaml.ScalarNode):
        raise Uneditable(f"{path[0]} is no single value")
    start, end = found.start_mark.index, found.end_mark.index
    return f"{text[:start]}{' ' if start == end else ''}{_written(value)}{text[end:]}"


def _inserted(text: str, node: yaml.MappingNode, path: Names, value: Scalar, column: int) -> str:
    if node.flow_style:
        inside = _flow(path, value)[1:-1]
        if not node.value:
            return f"{text[: node.start_mark.index]}{{{inside}}}{text[node.end_mark.index :]}"
        at = _end(text, node.value[-1][1])
        return f"{text[:at]}, {inside}{text[at:]}"
    line_end = "\r\n" if "\r\n" in text else "\n"
    at = _end(text, node)
    newline = text.find("\n", at)
    at = len(text) if newline < 0 else newline - text[:newline].endswith("\r")
    lines = [f"{' ' * (column + INDENT * depth)}{_key(name)}:" for depth, name in enumerate(path)]
    return f"{text[:at]}{line_end}{line_end.join(lines)} {_written(value)}{text[at:]}"


def _without(text: str, within: yaml.MappingNode, path: Names) -> str:
    """The text without a field, and without the mappings that are empty then."""
    node: yaml.Node = within
    gone = path[0]
    for name in path:
        if not isinstance(node, yaml.MappingNode) or (pair := _pair(node, name)) is None:
            raise Uneditable(f"{name} is not written here")
        if len(node.value) > 1:
            gone, within = name, node
        node = pair[1]
    pairs = within.value
    number = next(number for number, (key, _) in enumerate(pairs) if key.value == gone)
    start, end = pairs[number][0].start_mark.index, _end(text, pairs[number][1])
    if within.flow_style:
        if number:
            start = _end(text, pairs[number - 1][1])
        elif len(pairs) > 1:
            end = pairs[1][0].start_mark.index
        return text[:start] + text[end:]
    begun = text.rfind("\n", 0, start) + 1
    if text[begun:start].strip():
        raise Uneditable(f"{gone} does not begin its line")
    newline = text.find("\n", end)
    return text[:begun] + ("" if newline < 0 else text[newline + 1 :])


def _end(text: str, node: yaml.Node) -> int:
    """Where what is written of a node ends; libyaml's own mark of a block lies behind the comments after it."""
    if isinstance(node, yaml.MappingNode) and not node.flow_style and node.value:
        return _end(text, node.value[-1][1])
    if isinstance(node, yaml.SequenceNode) and not node.flow_style and node.value:
        return _end(text, node.value[-1])
    end = int(node.end_mark.index)
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        end = len(text[:end].rstrip())
    return end


def _flow(path: Names, value: Scalar) -> str:
    inner = _written(value) if len(path) == 1 else _flow(path[1:], value)
    return f"{{{json.dumps(path[0])}: {inner}}}"


def _key(name: str) -> str:
    return name if name.replace("-", "").replace("/", "").replace(".", "").isalnum() else json.dumps(name)


def _written(value: Scalar) -> str:
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False) if value.isalnum() else "'" + value.replace("'", "''") + "'"
    if isinstance(value, float):
        return format(decimal.Decimal(repr(value)), "f")  # 0.00005, not 5e-05
    return json.dumps(value)
