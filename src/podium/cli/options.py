"""Options that several commands share, and what they mean: settings, formats, output."""

from __future__ import annotations

import os
import pathlib
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from podium.settings import Loaded

F = TypeVar("F", bound=Callable[..., Any])


def config(command: F) -> F:
    """`--config FILE` and `--set PATH=VALUE`."""
    command = click.option(
        "--set", "flags", multiple=True, metavar="PATH=VALUE", help="Override a setting, as in loop.interval=30s."
    )(command)
    return click.option("--config", metavar="FILE", help="The settings file (default: ./podium.yaml and others).")(
        command
    )


def output(command: F) -> F:
    """`-o/--format table|json` and `--output FILE`."""
    command = click.option("--output", type=click.Path(dir_okay=False), help="Write there instead of to the screen.")(
        command
    )
    return click.option("-o", "--format", "form", type=click.Choice(["table", "json"]), default="table")(command)


def load(config: str | None, flags: tuple[str, ...], defaults: dict[str, str] | None = None) -> Loaded:
    """The settings that a command runs under. `defaults` are flags of the command's own, under those given."""
    from podium import settings

    given = dict(defaults or {})
    for flag in flags:
        path, equals, value = flag.partition("=")
        if not equals:
            raise click.BadParameter(f"{flag!r}: expected PATH=VALUE, as in loop.interval=30s", param_hint="--set")
        given[path] = value
    if config is not None:
        given["config"] = config
    return settings.load(given, os.environ, pathlib.Path.cwd())


def emit(text: str, output: str | None) -> None:
    """Write an answer to a file or to stdout. Raises BadInput for a file that cannot be written."""
    if output is None:
        click.echo(text)
        return
    from podium.cli.outcome import BadInput

    try:
        pathlib.Path(output).write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{output}: cannot be written: {error.strerror}") from error


def moment(text: str | None) -> float | None:
    """Unix seconds of `--at`: RFC 3339. Raises BadParameter."""
    if text is None:
        return None
    from podium.model import clock

    try:
        return clock.parse_rfc3339(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--at") from error


def as_json(value: Any) -> str:
    """A msgspec value as indented JSON."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def terminal() -> bool:
    """Whether a person is looking at stdout."""
    return sys.stdout.isatty()
