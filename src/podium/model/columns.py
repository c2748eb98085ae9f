"""Dataclasses of arrays <-> flat named columns, for whatever stores or sends them.

`Snapshot.pods.requests["cpu"]` becomes the column `pods.requests.cpu`. Scalars and tuples of strings become arrays.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from typing import Any, TypeVar

import numpy as np

from podium.model.arrays import Columns

T = TypeVar("T")


def flatten(value: Any, prefix: str = "") -> Columns:
    """All arrays inside a dataclass, by dotted name, in the order of its fields."""
    if dataclasses.is_dataclass(value):
        parts = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    elif isinstance(value, dict):
        parts = value
    elif isinstance(value, tuple):
        # A cell per string, in UTF-8 and zero-padded: fixed-width columns compress and need no pickle.
        return {prefix: np.array([item.encode() for item in value], dtype=np.bytes_)}
    else:
        return {prefix: np.asarray(value)}
    out: Columns = {}
    for name, part in parts.items():
        out |= flatten(part, f"{prefix}.{name}" if prefix else name)
    return out


def restore(cls: type[T], columns: Columns, prefix: str = "") -> T:
    """The inverse of `flatten` for the dataclass `cls`. Raises KeyError that names a missing column.

    A field with a default is one that an older version did not write: without a column it has that default.
    """
    hints = typing.get_type_hints(cls)
    values = {}
    for field in dataclasses.fields(cls):  # type: ignore[arg-type]
        name = f"{prefix}.{field.name}" if prefix else field.name
        if _is_optional(field) and not any(one == name or one.startswith(name + ".") for one in columns):
            continue
        values[field.name] = _restore(hints[field.name], columns, name)
    return cls(**values)


def _is_optional(field: dataclasses.Field[Any]) -> bool:
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING


def _restore(hint: Any, columns: Columns, name: str) -> Any:
    origin = typing.get_origin(hint)
    if dataclasses.is_dataclass(hint):
        return restore(typing.cast("type[Any]", hint), columns, name)
    if origin is dict:
        inner = typing.get_args(hint)[1]
        start = name + "."
        nested = dataclasses.is_dataclass(inner)
        tails = [column[len(start) :] for column in columns if column.startswith(start)]
        # A key may itself hold dots (`http.rate`); the last part of a nested name is the field of the inner dataclass.
        keys = dict.fromkeys(tail.rpartition(".")[0] if nested else tail for tail in tails)
        return {key: _restore(inner, columns, start + key) for key in keys}
    if origin is tuple:
        return tuple(cell.decode() for cell in columns[name].tolist())
    if hint in (float, int, bool):
        return hint(columns[name].item())
    if origin is types.UnionType:
        raise TypeError(f"{name}: optional fields have no column form")
    return columns[name]
