"""A document that the documentation shows is accepted as it stands, and a setting it names is a field."""

from __future__ import annotations

import importlib
import pathlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
from tests.docs.pages import ROOT, blocks, pages

import podium
from podium import settings
from podium.documents.document import Document
from podium.documents.loading import loads
from podium.documents.shape import Shape

_VARIABLE = re.compile(r"\bPODIUM_[A-Z][A-Z0-9_]*\b")


def every(base: type[Shape]) -> Iterator[type[Shape]]:
    for module in pkgutil.walk_packages(podium.__path__, "podium."):
        if "migrations" not in module.name and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    return _below(base)


def _below(base: type[Shape]) -> Iterator[type[Shape]]:
    for found in base.__subclasses__():
        yield found
        yield from _below(found)


def kinds() -> dict[str, type[Document]]:
    found = (shape for shape in every(Document) if "kind" in shape.model_fields)
    return {shape.model_fields["kind"].default: shape for shape in found if issubclass(shape, Document)}


@pytest.mark.parametrize(
    ("page", "text"), [(code.page, code.text) for code in blocks("yaml") if "podium.dev/" in code.text]
)
def test_a_shown_document_is_accepted(page: str, text: str, tmp_path: pathlib.Path) -> None:
    if "kind: Settings" in text:
        (tmp_path / "podium.yaml").write_text(text)
        assert settings.load({}, {"HOME": str(tmp_path)}, tmp_path, system=tmp_path).file
    else:
        assert loads(text.encode(), page, kinds())


def variables() -> list[tuple[str, str]]:
    found = {(path.name, name) for path in pages() for name in _VARIABLE.findall(path.read_text())}
    return sorted(found)


@pytest.mark.parametrize(("page", "variable"), variables())
def test_a_named_variable_is_read_by_something(page: str, variable: str) -> None:
    fields = {field.upper() for shape in every(Shape) for field in shape.model_fields}
    parts = variable.removeprefix("PODIUM_").split("__")
    sources = (path.read_text() for folder in ("src", "tests", ".ci") for path in (ROOT / folder).rglob("*.py"))
    assert all(part in fields for part in parts) or any(f'"{variable}"' in source for source in sources), page
