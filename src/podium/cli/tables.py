"""Answers for people: plain tables with few lines, which stay readable without colour and at 80 columns."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterable, Sequence
from typing import Literal

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from podium.cli import options

WIDE = 200  # columns where nobody's terminal sets a limit: a line in a file or a pipe is not broken
UNKNOWN = "-"


def show(parts: Iterable[RenderableType], output: str | None) -> None:
    """Print `parts` one below the other on the terminal, or as plain lines to a file or a pipe. Raises BadInput."""
    if output is None and sys.stdout.isatty():
        screen = Console(highlight=False, emoji=False, markup=False)
        for part in parts:
            screen.print(part)
        return
    options.emit(plain(parts), output)


def plain(parts: Iterable[RenderableType]) -> str:
    """`parts` as lines without colours and without blanks at their ends; as wide as $COLUMNS says, if it does."""
    text = io.StringIO()
    width = int(columns) if (columns := os.environ.get("COLUMNS", "")).isdecimal() else WIDE
    console = Console(file=text, width=width, highlight=False, emoji=False, markup=False, color_system=None)
    for part in parts:
        console.print(part)
    return "\n".join(line.rstrip() for line in text.getvalue().rstrip("\n").split("\n"))


def table(*columns: str | tuple[str, Literal["left", "right"]]) -> Table:
    """A table whose only line is under its head. A column is its name, or (name, "right") for numbers."""
    built = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False, header_style="bold", expand=False)
    for column in columns:
        name, side = (column, "left") if isinstance(column, str) else column
        # Numbers are never broken over two lines; words are.
        built.add_column(name, justify=side, no_wrap=side == "right", overflow="fold")  # type: ignore[arg-type]
    return built


def pairs(rows: Sequence[tuple[str, str]]) -> Table:
    """Names and values side by side, without a head."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in rows:
        grid.add_row(Text(name), Text(value))
    return grid


def words(state: str) -> Text:
    """A state's word in its colour; the word alone says it, too."""
    colours = {
        "ok": "green", "hint": "yellow", "wrong": "bold red", "silent": "yellow", "suspect": "bold yellow",
        "frozen": "bold yellow", "broken": "bold red",
    }  # fmt: skip
    return Text(state, style=colours.get(state, ""))


def count(value: int | None) -> str:
    """A whole number; "-" where it is unknown."""
    return UNKNOWN if value is None else f"{value:,}".replace(",", " ") if value >= 10_000 else str(value)
