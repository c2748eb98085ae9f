"""What no committed file may hold: addresses of package registries, paths of one machine, credits, loose ends."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest
from tests.docs.pages import ROOT

# Spelled with a gap, so that this file does not hold them itself.
FORBIDDEN = {
    "a registry's address": r"pypi\.o_rg|python_hosted\.org|registry\.npm_js|proxy\.go_lang|sum\.go_lang|deb\.de_bian",
    "a path of one machine": r"(?<![\w.])/(?:ro_ot|wo_rk|Us_ers)/|/ho_me/[a-z]+/",
    "a credit": r"Co-auth_ored-by|Generated w_ith|@auth_or\b|Fahed Mla_iel",
    "a maker's name": r"\b(?:Clau_de|Anthro_pic|Chat_GPT|Copi_lot)\b",
    "unfinished business": r"\bTO_DO\b|\bFIX_ME\b|\bXX_X\b",
}
PATTERNS = {name: re.compile(words.replace("_", ""), re.IGNORECASE) for name, words in FORBIDDEN.items()}


def committed() -> list[pathlib.Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def text_of(path: pathlib.Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""  # a picture


@pytest.mark.parametrize("name", FORBIDDEN)
def test_no_committed_file_holds(name: str) -> None:
    files = committed()
    if not files:
        pytest.skip("not a git working tree: clone the repository to check its files")
    found = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:100]}"
        for path in files
        for number, line in enumerate(text_of(path).splitlines(), start=1)
        if PATTERNS[name].search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("a registry's address", "resolved: https://registry.npm" + "js.org/svelte"),
        ("a path of one machine", "open('/ro" + "ot/.cache/uv')"),
        ("a credit", "Co-Auth" + "ored-By: somebody"),
        ("unfinished business", "# TO" + "DO: later"),
    ],
)
def test_the_patterns_find_what_they_are_for(name: str, line: str) -> None:
    assert PATTERNS[name].search(line)


def test_the_changelog_has_a_place_for_what_is_not_released_yet() -> None:
    assert re.search(r"^## Unreleased$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
