"""`podium doctor`: what is missing on this machine, and how to get it."""

from __future__ import annotations

import asyncio
import collections
from typing import TYPE_CHECKING

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.cli.checks.row import Row
    from podium.settings import Loaded


@click.command()
@options.config
@options.demo
@options.output
def command(config: str | None, flags: tuple[str, ...], of_demo: bool, form: str, output: str | None) -> int:
    """Look at the machine, the installation and what lies outside; say what is missing and how to get it.

    It changes nothing. Exit code 1 when something is wrong; hints alone are no trouble.
    """
    rows = _rows(config, flags, of_demo=of_demo)
    counts = collections.Counter[str](row.state for row in rows)
    if form == "json":
        options.emit(options.as_json({"ok": not counts["wrong"], "counts": dict(counts), "checks": rows}), output)
    else:
        _show(rows, counts, output)
    return outcome.NEGATIVE if counts["wrong"] else outcome.DONE


def _rows(config: str | None, flags: tuple[str, ...], *, of_demo: bool) -> list[Row]:
    from podium.cli.checks import installation, machine
    from podium.documents.problem import Invalid

    always = [machine.python(), machine.page(), *machine.builders()]
    try:
        loaded = options.as_run(config, flags, of_demo=of_demo)
    except Invalid as error:
        return [*always, *installation.wrong("settings", error)]
    return [*always, *asyncio.run(_installed(loaded))]


async def _installed(loaded: Loaded) -> list[Row]:
    from podium.cli.checks import installation, machine, outside, rules, targets

    rows = [*machine.extras(loaded), machine.disk(loaded), machine.address(loaded)]
    rows += [*installation.settings(loaded), installation.database(loaded)]
    about, documents = await installation.documents(loaded)
    rows += [*about, *targets.unacted(documents), *rules.slow(loaded)]
    rows += await outside.clusters(loaded, documents)
    rows += await outside.sources(loaded, documents)
    return rows + await installation.running_here(loaded)


def _show(rows: list[Row], counts: collections.Counter[str], output: str | None) -> None:
    from rich.text import Text

    from podium.cli import tables

    table = tables.table("", "what", "how it is")
    for row in rows:
        words = Text(row.words)
        if row.remedy and row.state != "ok":
            words.append(f"\n{row.remedy}", style="italic")
        table.add_row(tables.words(row.state), row.what, words)
    if counts["wrong"]:
        said = Text(f"{counts['wrong']} wrong, {counts['hint']} to know, {counts['ok']} ok", style="bold red")
    else:
        said = Text(f"nothing is wrong; {counts['hint']} to know, {counts['ok']} ok", style="bold")
    tables.show([table, "", said], output)
