"""A link inside the project leads somewhere."""

from __future__ import annotations

import pathlib

import pytest
from tests.docs.pages import ROOT, anchors, links


@pytest.mark.parametrize(
    ("page", "target"), [pytest.param(page, to, id=f"{page.relative_to(ROOT)}:{to}") for page, to in links()]
)
def test_a_link_leads_to_a_file_and_to_a_heading_in_it(page: pathlib.Path, target: str) -> None:
    path, _, fragment = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    assert file.is_relative_to(ROOT)
    assert file.exists()
    assert not fragment or fragment in anchors(file)
