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
    from podium.signals.series import Series

F = TypeVar("F", bound=Callable[..., Any])


def config(command: F) -> F:
    """`--config FILE` and `--set PATH=VALUE`."""
    command = click.option(
        "--set", "flags", multiple=True, metavar="PATH=VALUE", help="Override a setting, as in loop.interval=30s."
    )(command)
    return click.option("--config", metavar="FILE", help="The settings file (default: ./podium.yaml and others).")(
        command
    )


def demo(command: F) -> F:
    """`--demo`: the installation of `podium run --demo`, which is also meant when there are no settings."""
    return click.option("--demo", "of_demo", is_flag=True, help="Ask the demo, whatever the settings are.")(command)


def output(command: F) -> F:
    """`-o/--format table|json` and `--output FILE`."""
    return formats("table", "json")(command)


def formats(*names: str) -> Callable[[F], F]:
    """`-o/--format`, the first of `names` by default, and `--output FILE`."""

    def decorated(command: F) -> F:
        file = click.option(
            "--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write there instead of to the screen."
        )
        form = click.option(
            "-o", "--format", "form", type=click.Choice(names), default=names[0], show_default=True,
            help="For people, or for machines." if names[0] == "table" else "The form of the answer.",
        )  # fmt: skip
        return form(file(command))

    return decorated


def file(meant: str, *, required: bool = True) -> Callable[[F], F]:
    """`FILE`, `--column NAME` and `--time-column NAME`: a recorded series; `meant` says what it is."""

    def decorated(command: F) -> F:
        time_column = click.option(
            "--time-column", default="ts", show_default=True, metavar="NAME", help="Which column of FILE is the time."
        )
        words = f"Which column (or series) of FILE is {meant}; its only one by default."
        column = click.option("--column", metavar="NAME", help=words)
        path = click.Path(path_type=pathlib.Path)
        argument = click.argument("file", required=required, type=path, metavar="FILE" if required else "[FILE]")
        return argument(column(time_column(command)))

    return decorated


def plot(shows: str) -> Callable[[F], F]:
    """`--plot FILE.svg`; `shows` says what is drawn."""
    return click.option("--plot", type=click.Path(path_type=pathlib.Path), metavar="FILE.svg", help=shows)


def at(command: F) -> F:
    """`--at TIME`."""
    return click.option("--at", metavar="RFC3339", help="The moment, as in 2026-11-21T09:30:00Z (default: now).")(
        command
    )


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
    try:
        here = pathlib.Path.cwd()
    except FileNotFoundError as error:
        from podium.cli.outcome import BadInput

        raise BadInput("the current directory is no longer there; change to one that is") from error
    return settings.load(given, os.environ, here)


def as_run(config: str | None, flags: tuple[str, ...], *, of_demo: bool = False) -> Loaded:
    """The settings under which `podium run` runs with the same options: somebody's own, or else the demo's."""
    if of_demo:
        return demo_settings(flags)
    loaded = load(config, flags)
    documents = loaded.value.documents
    nobodys = loaded.file is None and documents.path is None and documents.authority == "folder"
    return demo_settings(flags) if nobodys else loaded


def recorded(config: str | None, flags: tuple[str, ...], *, of_demo: bool = False) -> Loaded:
    """The settings whose ledger is meant: as `podium run`, but a database that somebody names is enough."""
    loaded = None if of_demo else load(config, flags)
    if loaded is not None and loaded.origin("database.url") != "default":
        return loaded
    return as_run(config, flags, of_demo=of_demo)


def demo_settings(flags: tuple[str, ...]) -> Loaded:
    """The demo's settings. Its database lies in a folder of its own, apart from a real installation's."""
    from podium import demo as the_demo

    file = str(the_demo.folder() / "podium.yaml")
    return load(file, flags, {"database.url": f"sqlite:///{demo_folder() / 'podium.db'}"})


def is_demo(loaded: Loaded) -> bool:
    """Whether these are the demo's settings."""
    from podium import demo as the_demo

    return loaded.file == the_demo.folder() / "podium.yaml"


def demo_folder() -> pathlib.Path:
    """Where the demo keeps its state."""
    from podium.documents import places

    return places.state_folder(os.environ) / "demo"


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


def svg(path: pathlib.Path | None) -> None:
    """Refuse the name of a drawing that is none, before the work. Raises BadInput."""
    from podium.cli.outcome import BadInput

    if path is not None and path.suffix != ".svg":
        raise BadInput(f"{path}: expected a name that ends in .svg")
    if path is not None and not path.parent.is_dir():
        raise BadInput(f"{path}: cannot be written: there is no folder {path.parent}")


def write_text(path: pathlib.Path, text: str) -> None:
    """Write a drawing or a document. Raises BadInput for a file that cannot be written."""
    from podium.cli.outcome import BadInput

    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise BadInput(f"{path}: cannot be written: {error.strerror}") from error


def seconds(text: str, hint: str) -> float:
    """A duration. Raises BadParameter."""
    from podium.model.clock import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=hint) from error


def one_series(
    file: pathlib.Path, column: str | None, time_column: str, *, as_written: bool = False
) -> tuple[str, Series]:
    """The series of a file that is meant, by name; `as_written` row by row. Raises Permanent or BadInput."""
    from podium.cli.outcome import BadInput
    from podium.signals import series
    from podium.signals.replay import read_series

    order = series.as_written if as_written else series.in_order
    found = read_series(file, [column] if column is not None else None, time_column=time_column, order=order)
    if len(found) != 1:
        there = ", ".join(map(repr, list(found)[:20])) or "none"
        raise BadInput(f"{file}: expected --column, one of {there}")
    return next(iter(found.items()))


def moment(text: str | None, hint: str = "--at") -> float | None:
    """Unix seconds of a time in RFC 3339. Raises BadParameter."""
    if text is None:
        return None
    from podium.model import clock

    try:
        return clock.parse_rfc3339(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint=hint) from error


def as_json(value: Any) -> str:
    """A msgspec value as indented JSON."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def terminal() -> bool:
    """Whether a person is looking at stdout."""
    return sys.stdout.isatty()
