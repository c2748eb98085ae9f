"""The pages of docs/reference are what `make docs` writes from the models today."""

from __future__ import annotations

import difflib
import pathlib

import pytest
from tools import reference

PAGES = reference.pages()


def differing(page: pathlib.Path) -> list[str]:
    """The lines in which a page and its models differ: `-` stands only on the page, `+` only in the models."""
    lines = difflib.unified_diff(page.read_text().splitlines(), PAGES[page].splitlines(), lineterm="", n=0)
    return [line for line in lines if not line.startswith(("---", "+++", "@@"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_page_is_what_make_docs_writes(page: pathlib.Path) -> None:
    assert differing(page) == [], "the models changed: make docs"


def test_no_page_is_left_over_from_a_model_that_is_gone() -> None:
    assert set(reference.FOLDER.glob("*.md")) == set(PAGES)


@pytest.mark.parametrize("model", reference.DOCUMENTS, ids=lambda model: model.__name__)
def test_every_field_of_a_document_says_what_it_holds_and_means(model: type[reference.Document]) -> None:
    assert [field.path for field in reference.fields(model) if not (field.values and field.sentence)] == []


def test_a_field_that_lags_behind_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path) -> None:
    (page := tmp_path / "settings.md").write_text("| `loop.interval` |\n")
    monkeypatch.setitem(PAGES, page, "| `loop.interval` |\n| `loop.history` |\n")
    assert differing(page) == ["+| `loop.history` |"]
