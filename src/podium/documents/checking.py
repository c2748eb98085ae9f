"""A value somebody wrote -> a model, or every problem with it in words."""

from __future__ import annotations

import json
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import pydantic
from pydantic_core import ErrorDetails

from podium.documents.problem import MISSING, Problem, nearest, shown
from podium.documents.shape import OBJECTIONS, Objection, Shape
from podium.documents.source import Path, Source
from podium.documents.values import EXPECTED

S = TypeVar("S", bound=Shape)


class Finding(NamedTuple):
    """A problem before it has a place."""

    path: Path
    expected: str
    got: str


def check(model: type[S], value: Any) -> S | list[Finding]:
    """`value` (as JSON has it) as a model, or everything that is wrong with it."""
    value = without_nulls(value)
    try:
        # Strict JSON mode: a list is a tuple and text may be a path, but "5" is no number and 1 is no boolean.
        return model.model_validate_json(json.dumps(value), by_alias=True, by_name=False)
    except pydantic.ValidationError as error:
        return [finding for details in error.errors() for finding in _findings(model, value, details)]


def placed(findings: list[Finding], source: Source) -> list[Problem]:
    """Findings with the places of `source`."""
    return [Problem.at(source, *finding) for finding in findings]


def without_nulls(value: Any) -> Any:
    """Fields without a value are left out, as the API server does; list items stay."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def annotation_at(model: type[Shape], path: Path) -> Any:
    """The type of the field at `path` (as written) inside `model`; None where there is none."""
    kind: Any = model
    for part in path:
        kind = _inside(kind, part)
    return kind


def shape_at(model: type[Shape], path: Path) -> type[Shape] | None:
    """The model at `path`, if there is one."""
    for option in options(annotation_at(model, path)):
        if isinstance(option, type) and issubclass(option, Shape):
            return option
    return None


def description_at(model: type[Shape], path: Path) -> str:
    """What the field at `path` is, with its unit and the reason for its default; "" where nothing is said."""
    around = shape_at(model, path[:-1])
    if around is None:
        return ""
    for name, field in around.model_fields.items():
        if path[-1] == (field.alias or name):
            return " ".join((field.description or "").split())
    return ""


def options(kind: Any) -> tuple[Any, ...]:
    """The members of a union without annotations, or the type itself."""
    if typing.get_origin(kind) is typing.Annotated:
        return options(typing.get_args(kind)[0])
    if typing.get_origin(kind) is None or not _is_union(kind):
        return (kind,)
    return tuple(inner for option in typing.get_args(kind) for inner in options(option))


def field_names(model: type[Shape]) -> list[str]:
    """The names people write, in the model's order."""
    return [field.alias or name for name, field in model.model_fields.items()]


def nearest_elsewhere(model: type[Shape], name: str) -> str:
    """`; did you mean loop.interval?` when a field anywhere in `model` is called nearly `name`, else ""."""
    deep: dict[str, str] = {}
    for path in _paths(model, ()):
        deep.setdefault(path[-1], ".".join(path))
    hint = nearest(name, list(deep), cutoff=0.8)
    found = hint.removeprefix("; did you mean ").removesuffix("?")
    return f"; did you mean {deep[found]}?" if hint else ""


def _paths(model: type[Shape], around: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Every field below `model` as people write it, the outer ones first; items of lists have no place of their own."""
    names = field_names(model)
    yield from ((*around, name) for name in names)
    for name in names:
        if (inner := shape_at(model, (name,))) is not None:
            yield from _paths(inner, (*around, name))


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _inside(kind: Any, part: str | int) -> Any:
    for option in options(kind):
        origin, args = typing.get_origin(option), typing.get_args(option)
        if isinstance(option, type) and issubclass(option, Shape):
            for name, field in option.model_fields.items():
                if part == (field.alias or name):
                    # pydantic moves Annotated's extras into metadata; the bare type is enough to walk on.
                    return field.annotation
        elif (origin is tuple and isinstance(part, int)) or (origin is dict and args):
            return args[-1] if origin is dict else args[0]
    return None


def _findings(model: type[Shape], value: Any, details: ErrorDetails) -> Iterator[Finding]:
    path: Path = details["loc"]
    context = details.get("ctx", {})
    if details["type"] == OBJECTIONS:
        for objection in typing.cast("tuple[Objection, ...]", context[OBJECTIONS]):
            inner = (*path, *objection.path)
            yield Finding(inner, objection.expected, _got(value, inner))
        return
    if details["type"] == "default_factory_not_called":
        return  # its default hangs on another field, which is wrong and is named
    found = _at(value, path)
    if details["type"] == "too_short" and isinstance(found, list) and len(found) >= context["min_length"]:
        return  # long enough; pydantic does not count the items that are wrong themselves
    got = MISSING if details["type"] == "missing" else _got(value, path)
    yield Finding(path, _expected(model, value, path, details), got)


_MISSING = object()


def _at(value: Any, path: Path) -> Any:
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return _MISSING
    return value


def _got(value: Any, path: Path) -> str:
    found = _at(value, path)
    return "nothing" if found is _MISSING else shown(found)


def _expected(model: type[Shape], value: Any, path: Path, details: ErrorDetails) -> str:
    kind, context = details["type"], details.get("ctx", {})
    if kind == EXPECTED:
        return str(context[EXPECTED])
    if kind == "extra_forbidden":
        return _known_field(model, path)
    if kind == "missing":
        return _noun(annotation_at(model, path))
    if kind == "literal_error":
        quotes = (
            "; YAML reads this word as true or false, write it in quotes" if _at(value, path) in (True, False) else ""
        )
        return _one_of(annotation_at(model, path), _at(value, path)) + quotes
    if kind in ("string_type", "string_sub_type") and isinstance(_at(value, path), (bool, int, float)):
        return "text; write it in quotes"
    word = _WORDS.get(kind)
    return word(context) if word is not None else f"something else ({details['msg']})"


def _known_field(model: type[Shape], path: Path) -> str:
    around = shape_at(model, path[:-1])
    names = field_names(around) if around is not None else []
    name = str(path[-1])
    hint = nearest(name, names)
    if not hint:
        hint = nearest_elsewhere(model, name)
    if hint:
        return f"a known field{hint.removesuffix('?')}" + "?"
    return f"one of the fields {', '.join(names)}"


def _one_of(kind: Any, found: object) -> str:
    words = [str(arg) for option in options(kind) for arg in typing.get_args(option)]
    return alternatives(words) + (nearest(found, words) if isinstance(found, str) and len(words) > 1 else "")


def alternatives(words: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _noun(kind: Any) -> str:
    option = next((option for option in options(kind) if option is not type(None)), None)
    origin = typing.get_origin(option)
    if origin is typing.Literal:
        return _one_of(option, None)
    if origin is tuple:
        return "a list"
    if origin is dict:
        return "a mapping"
    if isinstance(option, type) and issubclass(option, Shape):
        needed = [field.alias or name for name, field in option.model_fields.items() if field.is_required()]
        return f"a mapping with {' and '.join(needed)}" if needed else "a mapping"
    if option in _NOUNS:
        return _NOUNS[option]
    return "a value"


_NOUNS: Mapping[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}

_WORDS: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "int_type": lambda _: "a whole number",
    "int_from_float": lambda _: "a whole number",
    "int_parsing_size": lambda _: "a whole number of at most 64 bits",
    "float_type": lambda _: "a number",
    "finite_number": lambda _: "a finite number",
    "string_type": lambda _: "text",
    "path_type": lambda _: "a path",
    "bool_type": lambda _: "true or false",
    "dict_type": lambda _: "a mapping",
    "model_type": lambda _: "a mapping",
    "tuple_type": lambda _: "a list",
    "list_type": lambda _: "a list",
    "greater_than": lambda context: f"a number above {context['gt']:g}",
    "greater_than_equal": lambda context: f"a number of at least {context['ge']:g}",
    "less_than": lambda context: f"a number below {context['lt']:g}",
    "less_than_equal": lambda context: f"a number of at most {context['le']:g}",
    "string_too_short": lambda _: "text that is not empty",
    "string_too_long": lambda context: f"at most {context['max_length']} characters",
    "string_pattern_mismatch": lambda context: f"text of the form {context['pattern']}",
    "too_short": lambda context: f"a list of at least {context['min_length']}",
    "too_long": lambda context: f"a list of at most {context['max_length']}",
}
