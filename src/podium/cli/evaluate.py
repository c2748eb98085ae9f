"""`podium policy eval`: HPA cases answered by the policies of the live loop."""

from __future__ import annotations

import contextlib
import os
import pathlib
import sys
import tempfile
from collections.abc import Iterator
from typing import BinaryIO

import click

from podium.cli import outcome


@click.command("eval", short_help="Answer HPA cases as Kubernetes' own controller would.")
@click.argument("file", metavar="FILE|-")
@click.option("--full", "-full", "full", is_flag=True, help="With the conditions' messages and currentMetrics.")
@click.option("--output", type=click.Path(dir_okay=False), metavar="FILE", help="Write there instead of to the screen.")
def command(file: str, *, full: bool, output: str | None) -> int:
    """Answer HPA cases, one line of JSON for each line of FILE (or of stdin).

    A line is a state (what does each metric propose?) or a timeline (what does the controller write, tick by tick?) in
    the shapes of Kubernetes' own objects; docs/guides/policy-eval.md has all of them. The answers come from the
    policies that decide in `podium run`.
    """
    from podium.loop.evaluate.answers import Invalid, answers

    name = "stdin" if file == "-" else file
    with _opened(file) as source, _written(output) as sink:
        try:
            for answer in answers(source, full=full):
                sink.write(answer + b"\n")
        except Invalid as error:
            sink.flush()
            raise outcome.BadInput(f"{name}: {error}") from error
    return outcome.DONE


@contextlib.contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == "-":
        yield sys.stdin.buffer
        return
    from podium.documents.problem import unreadable

    try:
        source = pathlib.Path(file).open("rb")  # noqa: SIM115  closed below
    except OSError as error:
        raise outcome.BadInput(f"{file}: {unreadable(error)}") from error
    with source:
        yield source


@contextlib.contextmanager
def _written(output: str | None) -> Iterator[BinaryIO]:
    """Where answers go. A file appears whole: half of its answers would look like all of them."""
    if output is None:
        yield sys.stdout.buffer
        return
    target = pathlib.Path(output)
    try:
        handle, part = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise outcome.BadInput(f"{output}: cannot be written: {error.strerror}") from error
    try:
        with os.fdopen(handle, "wb") as sink:
            yield sink
        pathlib.Path(part).chmod(0o644)
        pathlib.Path(part).replace(target)
    except BaseException:
        pathlib.Path(part).unlink(missing_ok=True)
        raise
