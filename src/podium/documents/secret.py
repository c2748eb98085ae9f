"""References to secrets. A secret itself is never written into a document, only where to find it."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Mapping
from typing import Annotated

import pydantic
from pydantic import Field

from podium.documents.values import unexpected

HIDDEN = "***"

_REFERENCE = re.compile(r"file:.+|env:[A-Za-z_][A-Za-z0-9_]*")


class Unreadable(Exception):
    """A secret is not where its reference says. The message names the place, never the secret."""


def _reference(value: str) -> str:
    if _REFERENCE.fullmatch(value) is None:
        raise unexpected("a reference to a secret: file:PATH or env:NAME")
    return value


Secret = Annotated[
    str,
    pydantic.AfterValidator(_reference),
    Field(pattern="^(file:.+|env:[A-Za-z_][A-Za-z0-9_]*)$", json_schema_extra={"writeOnly": True}),
]
"""Where a secret is: `file:PATH` (read at every use, so that rotation is seen) or `env:NAME`."""


def reveal(reference: str, environ: Mapping[str, str]) -> str:
    """The secret behind a reference, without surrounding blanks. Raises Unreadable."""
    scheme, _, where = reference.partition(":")
    if scheme == "env":
        if not environ.get(where):
            raise Unreadable(f"the variable {where} is not set; a secret was expected in it")
        return environ[where].strip()
    try:
        text = pathlib.Path(where).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Unreadable(f"{where}: no secret can be read from it: {error}") from error
    if not text:
        raise Unreadable(f"{where} is empty; a secret was expected in it")
    return text
