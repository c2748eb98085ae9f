"""The base of everything people write: camelCase on paper, unknown fields refused, cross-checks collected.

A model says what is wrong with a whole value in `objections`, so that one reading names every mistake at its own field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, Self

import pydantic
import pydantic_core
from pydantic.alias_generators import to_camel
from pydantic_core import PydanticCustomError

OBJECTIONS = "objections"  # the type of the pydantic error that carries several objections


@dataclasses.dataclass(frozen=True, slots=True)
class Objection:
    """One thing wrong inside a value: at which field (as written, relative to the value), and what was expected."""

    path: tuple[str | int, ...]
    expected: str


class Shape(pydantic.BaseModel):
    """A frozen, strict model. Documents are read by the names on paper (`leadTime`), code may use Python's own."""

    model_config = pydantic.ConfigDict(
        alias_generator=to_camel,
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
    )

    @classmethod
    def cel_rules(cls) -> tuple[tuple[str, str], ...]:
        """(CEL, message): those of `objections` that an API server can check, so that `kubectl apply` says it too."""
        return ()

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core: pydantic_core.CoreSchema, handler: pydantic.GetJsonSchemaHandler
    ) -> dict[str, Any]:
        """The model's schema with its rules."""
        schema = handler.resolve_ref_schema(handler(core))
        if cls.cel_rules():
            schema["x-kubernetes-validations"] = [{"rule": rule, "message": text} for rule, text in cls.cel_rules()]
        return schema

    def objections(self) -> Iterator[Objection]:
        """What is wrong between fields that are each right. Models with such rules override this."""
        yield from ()

    @pydantic.model_validator(mode="after")
    def _collect(self) -> Self:
        found = tuple(self.objections())
        if found:
            text = "; ".join(f"{'.'.join(map(str, item.path))}: expected {item.expected}" for item in found)
            context: dict[str, Any] = {"text": text, OBJECTIONS: found}
            raise PydanticCustomError(OBJECTIONS, "{text}", context)
        return self
