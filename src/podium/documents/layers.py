"""One document from several hands: a file, then variables and flags over it; each value remembers whose it is."""

from __future__ import annotations

import dataclasses
import itertools
import pathlib
import re
from collections.abc import Callable, Iterator
from typing import Any, Literal, TypeAlias, TypeVar, get_origin

from podium.documents import checking, reading
from podium.documents.problem import Invalid, Problem, dotted, nearest, shown
from podium.documents.secret import HIDDEN, Secret
from podium.documents.shape import Shape
from podium.documents.source import Path, Source

S = TypeVar("S", bound=Shape)

DEFAULT = "default"

Ground: TypeAlias = Callable[[Any, str, pathlib.Path], str]
"""(type of the field, text, folder it was written in) -> the text with relative paths made absolute."""


class Misplaced(Exception):
    """A variable or flag names no field. `expected` says which there are."""

    def __init__(self, expected: str) -> None:
        super().__init__(expected)
        self.expected = expected


@dataclasses.dataclass
class Layers:
    """A value under construction, lowest layer first."""

    model: type[Shape]
    data: dict[str, Any] = dataclasses.field(default_factory=dict)
    source: Source = dataclasses.field(default_factory=Source)
    problems: list[Problem] = dataclasses.field(default_factory=list)
    _over: dict[Path, str] = dataclasses.field(default_factory=dict)  # path -> origin

    def read(self, value: dict[str, Any], source: Source) -> None:
        """Take a file's value as the lowest layer."""
        self.data, self.source = checking.without_nulls(value), source

    def default(self, path: Path, value: Any) -> None:
        """A default that the model cannot know; whatever is there already stays."""
        if not _holds(self.data, path):
            _put(self.data, path, value)
            self._over[path] = DEFAULT

    def put(self, words: list[str], text: str, origin: str) -> None:
        """Lay `text` over the field that `words` name (`loop`, `LEAD_TIME`); a problem names `origin`."""
        try:
            path = self._resolve(words)
        except Misplaced as error:
            self.problems.append(Problem(origin, 0, 0, "", error.expected, ".".join(words)))
            return
        value = _interpreted(checking.annotation_at(self.model, path), text)
        if checking.shape_at(self.model, path) is not None and not isinstance(value, dict):
            self.problems.append(Problem(origin, 0, 0, dotted(path), "a mapping, as in {name: value}", shown(text)))
            return
        for below in [known for known in self._over if known[: len(path)] == path]:
            del self._over[below]
        _put(self.data, path, value)
        self._over[path] = origin

    def origin(self, path: Path) -> str:
        """Where the value at `path` comes from: a variable, a flag, `file:line`, or `default`."""
        if not _holds(self.data, path):
            return DEFAULT
        for length in range(len(path), 0, -1):
            if path[:length] in self._over:
                return self._over[path[:length]]
            if path[:length] in self.source.marks:
                return f"{self.source.file}:{self.source.marks[path[:length]].line}"
        return DEFAULT

    def build(self, model: type[S], ground: Ground, cwd: pathlib.Path) -> S:
        """The finished value. Raises Invalid with every problem of every layer, each naming its own."""
        here = pathlib.Path(self.source.file).parent if self.source.file else cwd
        for path, kind, text in list(_texts(self.model, self.data, ())):
            base = cwd if self._is_over(path) else here
            _put(self.data, path, ground(kind, text, base))
        found = checking.check(model, self.data)
        if isinstance(found, list):
            self.problems += [self._placed(finding) for finding in found]
        if self.problems or isinstance(found, list):
            raise Invalid(self.problems)
        return found

    def _is_over(self, path: Path) -> bool:
        return any(path[:length] in self._over for length in range(1, len(path) + 1))

    def _placed(self, finding: checking.Finding) -> Problem:
        if _is_secret(self.model, finding.path):
            finding = finding._replace(got=HIDDEN)  # somebody wrote the secret itself: it must not reach a log
        for length in range(len(finding.path), 0, -1):
            if finding.path[:length] in self._over:
                origin = self._over[finding.path[:length]]
                return Problem(origin, 0, 0, dotted(finding.path), finding.expected, finding.got)
        return Problem.at(self.source, *finding)

    def _resolve(self, words: list[str]) -> Path:
        """The path of the field that `words` name: letter case and `_` do not matter; entries of lists go by name."""
        path: Path = ()
        for word in words:
            shape = checking.shape_at(self.model, path)
            if shape is not None:
                names = checking.field_names(shape)
                folded = {_fold(name): name for name in names}
                if _fold(word) not in folded:
                    name = word.replace("_", "")
                    hint = nearest(name, names) or ("" if path else checking.nearest_elsewhere(self.model, name))
                    raise Misplaced(f"a setting{hint or ': one of ' + ', '.join(names)}")
                path = (*path, folded[_fold(word)])
            else:
                path = (*path, self._entry(path, word))
        return path

    def _entry(self, path: Path, word: str) -> int:
        entries = self._entries(path)
        names = [str(entry.get("name", "")) if isinstance(entry, dict) else "" for entry in entries]
        for number, name in enumerate(names):
            if word == str(number) or (name and _fold(name) == _fold(word)):
                return number
        known = ", ".join(name for name in names if name) or "none is there yet"
        raise Misplaced(f"the name of one of {dotted(path)} ({known})")

    def _entries(self, path: Path) -> list[Any]:
        if len(path) == 1 and path[0] not in self.data:
            for name, field in self.model.model_fields.items():
                if (field.alias or name) == path[0] and isinstance(field.get_default(call_default_factory=True), tuple):
                    entries = field.get_default(call_default_factory=True)
                    self.data[str(path[0])] = [
                        entry.model_dump(mode="json", by_alias=True, exclude_unset=True) for entry in entries
                    ]
        value: Any = self.data
        for part in path:
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, list):
            raise Misplaced(f"nothing below {dotted(path)}")
        return value


def leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every value that is not itself a mapping or a list of mappings, with its path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from leaves(inner, (*path, name))
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for number, item in enumerate(value):
            yield from leaves(item, (*path, number))
    else:
        yield path, value


def printable(model: type[Shape], path: Path, value: Any) -> Any:
    """`value` as it may be shown: references to secrets and passwords inside URLs are hidden."""
    if value is not None and _is_secret(model, path):
        return HIDDEN
    return hide_password(value) if isinstance(value, str) else value


def hide_password(text: str) -> str:
    """`postgresql://podium:***@db/podium`."""
    return re.sub(r"(://[^:/@\s]*):[^@/\s]*@", rf"\1:{HIDDEN}@", text)


def _is_secret(model: type[Shape], path: Path) -> bool:
    kind = checking.annotation_at(model, path)
    return kind == Secret or Secret in getattr(kind, "__args__", ())


def _fold(word: str) -> str:
    return word.replace("_", "").replace("-", "").casefold()


def _texts(model: type[Shape], value: Any, path: Path) -> Iterator[tuple[Path, Any, str]]:
    for where, leaf in leaves(value, path):
        if isinstance(leaf, str):
            yield where, checking.annotation_at(model, where), leaf


def _interpreted(kind: Any, text: str) -> Any:
    """A variable's text as YAML has it, unless the field holds text."""
    for option in checking.options(kind):
        if option in (str, pathlib.Path) or get_origin(option) is Literal:
            return text
    try:
        parsed = list(reading.read(text.encode()))
    except reading.Unreadable:
        return text
    return parsed[0].value if len(parsed) == 1 else text


def _holds(data: Any, path: Path) -> bool:
    for part in path:
        inside = part in data if isinstance(data, dict) else isinstance(data, list) and part in range(len(data))
        if not inside:
            return False
        data = data[part]
    return True


def _put(data: Any, path: Path, value: Any) -> None:
    for part, following in itertools.pairwise(path):
        if isinstance(data, dict) and not isinstance(data.get(part), (dict, list)):
            data[part] = [] if isinstance(following, int) else {}
        data = data[part]
    data[path[-1]] = value
