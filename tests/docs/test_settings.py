"""The settings' page is the models' own, and the variables it names do what it says."""

from __future__ import annotations

import pathlib
import re

import pytest
from tests.docs.pages import shell_lines
from tools import reference

from podium import settings

FIELDS = {field.path: field for field in reference.fields()}


def test_the_page_has_a_row_for_each_setting_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z][\w.\[\]]*)`", (reference.FOLDER / "settings.md").read_text(), re.MULTILINE)
    assert rows == list(FIELDS), "the settings changed: make docs"
    assert {"loop.history", "loop.suspect.fall", "sources[].url"} <= set(rows)  # the models were really asked


def test_every_setting_says_what_it_means() -> None:
    assert [field.path for field in FIELDS.values() if not field.sentence] == []


@pytest.mark.parametrize("field", [field for field in FIELDS.values() if field.variable and field.default], ids=str)
def test_a_variable_on_the_page_sets_its_setting(field: reference.Field, tmp_path: pathlib.Path) -> None:
    loaded = settings.load({}, {field.variable: field.default, "HOME": str(tmp_path)}, tmp_path, system=tmp_path)
    assert loaded.origin(field.path) == field.variable


def named() -> list[tuple[str, str]]:
    branches = {path.partition(".")[0].removesuffix("[]") for path in FIELDS}
    codes = ((code.page, re.fullmatch(r"([a-z]+)(\[\w*\])?(\.\w+)+", code.text)) for code in shell_lines())
    return sorted({(page, found[0]) for page, found in codes if found and found[1] in branches})


@pytest.mark.parametrize(("page", "path"), named())
def test_a_setting_that_the_documentation_names_is_one(page: str, path: str) -> None:
    wanted = re.sub(r"\[\w*\]", "[]", path)
    assert any(known == wanted or known.startswith(f"{wanted}.") for known in FIELDS), page
