from __future__ import annotations

import pathlib

import pytest

from podium.documents.secret import Unreadable, reveal


def test_a_secret_in_a_file_is_read_at_every_use(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "token"
    file.write_text("first\n")
    assert reveal(f"file:{file}", {}) == "first"
    file.write_text("second\n")
    assert reveal(f"file:{file}", {}) == "second"


def test_a_secret_in_a_variable_is_read() -> None:
    assert reveal("env:TOKEN", {"TOKEN": "s3cret"}) == "s3cret"


def test_a_secret_that_is_not_there_is_named_by_its_place(tmp_path: pathlib.Path) -> None:
    (tmp_path / "empty").touch()
    for reference, words in (
        ("env:TOKEN", "the variable TOKEN is not set"),
        (f"file:{tmp_path}/none", "none: no secret can be read from it"),
        (f"file:{tmp_path}/empty", "empty is empty"),
    ):
        with pytest.raises(Unreadable, match=words):
            reveal(reference, {})
