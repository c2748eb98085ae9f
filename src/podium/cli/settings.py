"""`podium settings`: what the settings are, and where each comes from."""

from __future__ import annotations

import pathlib
from typing import TYPE_CHECKING, Any

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.settings import Loaded


@click.group()
def command() -> None:
    """Show the settings and where each comes from; check a settings file."""


@command.command("show", short_help="Show every setting.")
@click.option("--origin", is_flag=True, help="Also where each value came from: a flag, a variable, file:line, default.")
@options.config
@options.demo
@options.formats("table", "json", "yaml")
def show(origin: bool, config: str | None, flags: tuple[str, ...], of_demo: bool, form: str, output: str | None) -> int:
    """Show every setting. Secrets are references, and even those are shown as ***."""
    loaded = options.demo_settings(flags) if of_demo else options.load(config, flags)
    if form == "json":
        rows = [
            {"path": row.path, "value": row.value, "origin": row.origin, "description": row.description}
            for row in loaded.rows()
        ]
        file = str(loaded.file) if loaded.file else None
        notes = [*loaded.notes, *_demo_note(loaded, file)]
        options.emit(options.as_json({"file": file, "settings": rows, "notes": notes}), output)
    elif form == "yaml":
        options.emit(_yaml(loaded, origin=origin), output)
    else:
        _show(loaded, origin=origin, output=output)
    return outcome.DONE


def _demo_note(loaded: Loaded, file: str | None) -> list[str]:
    """Where nobody wrote settings, `podium run` and most questions mean the demo's, which are others."""
    nobodys = file is None and loaded.value.documents.path is None
    return ["the demo runs with other settings: add --demo"] if nobodys else []


def _show(loaded: Loaded, *, origin: bool, output: str | None) -> None:
    from rich.text import Text

    from podium.cli import tables

    table = tables.table("setting", "value", *(["from"] if origin else []))
    for row in loaded.rows():
        value = Text(_value(row.value), style="dim" if row.origin == "default" else "")
        table.add_row(row.path, value, *([Text(_near(row.origin))] if origin else []))
    file = str(loaded.file) if loaded.file else None
    rows = [("file", file or "none: everything is a default, a variable or a flag")]
    rows += [("note", note) for note in (*loaded.notes, *_demo_note(loaded, file))]
    tables.show([table, "", tables.pairs(rows)], output)


def _value(value: Any) -> str:
    if value is None or value in ([], {}):
        return "(none)"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _near(origin: str) -> str:
    """An origin with its file as short as it can be said from here."""
    here = f"{pathlib.Path.cwd()}/"
    return origin.removeprefix(here)


def _yaml(loaded: Loaded, *, origin: bool) -> str:
    """The settings as a document of their own, with their origins as comments when asked."""
    import yaml

    from podium.documents.document import API_VERSION

    lines = [f"apiVersion: {API_VERSION}", "kind: Settings"]
    tree: dict[str, Any] = {}
    for row in (row for row in loaded.rows() if row.value is not None):
        _put(tree, row.path.replace("[", ".[").split("."), (row.value, row.origin))

    def write(value: Any, indent: str) -> None:
        for name, inner in value.items():
            if isinstance(inner, tuple):
                scalar = yaml.safe_dump(inner[0], default_flow_style=True, width=1000).removesuffix("\n...\n").strip()
                lines.append(f"{indent}{name}: {scalar}" + (f"  # {_near(inner[1])}" if origin else ""))
            elif all(key.startswith("[") for key in inner):
                lines.append(f"{indent}{name}:")
                for entry in inner.values():
                    start = len(lines)
                    write(entry, indent + "    ")
                    lines[start] = f"{indent}  - {lines[start].lstrip()}"
            else:
                lines.append(f"{indent}{name}:")
                write(inner, indent + "  ")

    write(tree, "")
    return "\n".join(lines)


def _put(tree: dict[str, Any], parts: list[str], leaf: tuple[Any, str]) -> None:
    for part in parts[:-1]:
        tree = tree.setdefault(part, {})
    tree[parts[-1]] = leaf


@command.command("check", short_help="Check a settings file.")
@click.argument("file", type=click.Path())
@options.output
def check(file: str, form: str, output: str | None) -> int:
    """Check a settings FILE on its own, without variables and flags: all mistakes at once."""
    from podium import settings
    from podium.documents.problem import Invalid

    problems: list[dict[str, Any]] = []
    count = 0
    try:
        count = len(settings.load({"config": file}, {}, pathlib.Path.cwd()).rows())
    except Invalid as error:
        if form == "table":
            raise
        problems = error.as_json()
    if form == "json":
        options.emit(options.as_json({"file": file, "ok": not problems, "problems": problems}), output)
    else:
        options.emit(f"{file}: right; {count} settings", output)
    return outcome.BAD_INPUT if problems else outcome.DONE


@command.command("token", short_help="Make a token in a file.")
@click.argument("file", type=click.Path(path_type=pathlib.Path), metavar="FILE")
def token(file: pathlib.Path) -> int:
    """Write a new token for the API into FILE, for its owner alone, unless one lies there. It is not printed."""
    import os

    from podium.cli.outcome import BadInput
    from podium.wiring.installation import new_token

    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        click.echo(f"{file}: there is a token already; it stays", err=True)
        return outcome.DONE
    except OSError as error:
        raise BadInput(f"{file}: cannot be written: {error.strerror}") from error
    with os.fdopen(handle, "w") as written:
        written.write(new_token())
    click.echo(f"{file}: a new token lies there", err=True)
    return outcome.DONE
