"""What the documentation says, taken apart: the pages, their code, their links."""

from __future__ import annotations

import pathlib
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
GENERATED = ROOT / "docs" / "brief.md"  # speaks of what does not exist yet; its commands are run by `make brief`

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_INLINE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)


class Code(NamedTuple):
    """A line of shell, or a whole block of another language."""

    page: str
    language: str
    text: str


def pages() -> list[pathlib.Path]:
    """Every page that people write, and those generated for them."""
    folders = ("docs", "examples", "src", "testbed")
    found = [*ROOT.glob("*.md"), *(path for folder in folders for path in (ROOT / folder).rglob("*.md"))]
    return sorted(path for path in found if path != GENERATED)


def shell_lines() -> Iterator[Code]:
    """Each line of a shell block and each piece of inline code."""
    for page in pages():
        text = page.read_text()
        name = str(page.relative_to(ROOT))
        for language, block in _FENCE.findall(text):
            if language in ("sh", "bash", "console", ""):
                for line in block.replace("\\\n", " ").splitlines():
                    yield Code(name, "sh", line.strip().removeprefix("$ "))
        for inline in _INLINE.findall(_FENCE.sub("", text)):
            yield Code(name, "sh", inline)


def blocks(language: str) -> Iterator[Code]:
    """Each fenced block of a language."""
    for page in pages():
        for found, block in _FENCE.findall(page.read_text()):
            if found == language:
                yield Code(str(page.relative_to(ROOT)), language, block)


def printed_by(guide: str, folder: pathlib.Path) -> str:
    """What the one Python program of a guide prints, run in `folder`, from which it sees the examples."""
    (program,) = [text for language, text in _FENCE.findall(guide) if language == "python"]
    (folder / "examples").symlink_to(ROOT / "examples")
    words = [sys.executable, "-c", program]
    done = subprocess.run(words, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def links() -> Iterator[tuple[pathlib.Path, str]]:
    """(page, target) of each link and picture that stays inside the project."""
    for page in [*pages(), GENERATED]:
        prose = _INLINE.sub("", _FENCE.sub("", page.read_text()))
        for target in _LINK.findall(prose):
            if not re.match(r"[a-z]+:", target):
                yield page, target


def anchors(page: pathlib.Path) -> set[str]:
    """The fragments that a page's headings answer to."""
    headings = _HEADING.findall(_FENCE.sub("", page.read_text()))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
