"""`podium policy`: documents checked before anybody acts on them, and their schemas."""

from __future__ import annotations

import collections
import dataclasses
import functools
import os
import pathlib
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import click

from podium.cli import evaluate, options, outcome, presets

if TYPE_CHECKING:
    from podium.documents.collection import Documents
    from podium.documents.loading import Asides
    from podium.documents.problem import Problem
    from podium.documents.source import Source
    from podium.settings import Settings


@click.group()
def command() -> None:
    """Check documents, list them, print their JSON Schemas and CRDs; answer HPA cases."""


command.add_command(evaluate.command)


command.add_command(presets.command)


@command.command("check", short_help="Check documents: every mistake at once.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=pathlib.Path), metavar="PATH…")
@options.config
@options.output
def check(
    paths: tuple[pathlib.Path, ...], config: str | None, flags: tuple[str, ...], form: str, output: str | None
) -> int:
    """Check files or folders of documents as one set: every mistake at once, each with file, line and column.

    With settings (--config, ./podium.yaml …) the sources that signals name must be among them. Fields that are valid
    and do nothing in this version are named, too.
    """
    from podium.documents.problem import Invalid

    try:
        found = _checked(paths, config, flags)
    except Invalid as error:
        if form == "table":
            raise
        refused = {"ok": False, "documents": None, "problems": error.as_json(), "warnings": [], "notes": []}
        options.emit(options.as_json(refused), output)
        return outcome.BAD_INPUT
    warnings = list(_unbuilt(found.documents))
    if form == "json":
        answer = {"ok": True, "documents": len(found.documents), "beside": found.beside, "problems": []}
        options.emit(options.as_json({**answer, "warnings": warnings, "notes": found.notes}), output)
        return outcome.DONE
    lines = [f"{one['file']}:{one['line']}:{one['column']}: {one['path']}: {one['words']}" for one in warnings]
    do = "does" if len(warnings) == 1 else "do"
    right = "all right" if not warnings else f"valid; {len(warnings)} of the fields asked for {do} nothing yet"
    options.emit("\n".join([*lines, *found.notes, f"{_counted(found)}: {right}"]), output)
    return outcome.DONE


@dataclasses.dataclass(frozen=True)
class _Checked:
    """What was found right, and what could not be looked at."""

    documents: Documents
    beside: dict[str, int]  # documents that are no part of the set, such as Settings, by kind
    notes: tuple[str, ...]


def _checked(paths: tuple[pathlib.Path, ...], config: str | None, flags: tuple[str, ...]) -> _Checked:
    """The documents at all `paths` as one set. Raises Invalid."""
    from podium import kinds
    from podium.documents.collection import gather
    from podium.documents.problem import Invalid, Problem

    settings, notes = _settings(config, flags)
    checks = kinds.folder(pathlib.Path(), settings).checks
    documents, problems = [], []
    beside = collections.Counter[str]()
    for path in dict.fromkeys(path.resolve() for path in paths):
        before = beside.total()
        folder = dataclasses.replace(kinds.folder(_near(path), settings), asides=_counting(kinds.ASIDES, beside))
        try:
            found, wrong = folder.read()
        except Invalid as error:
            found, wrong = [], list(error.problems)
        if not found and not wrong and beside.total() == before:
            wrong = [Problem(str(_near(path)), 0, 0, "", f"documents ({', '.join(kinds.KINDS)})", "none")]
        documents += found
        problems += wrong
    return _Checked(gather(documents, problems, checks), dict(beside), notes)


def _settings(config: str | None, flags: tuple[str, ...]) -> tuple[Settings | None, tuple[str, ...]]:
    """The settings, if there are any, and what to say when those that merely lie here are wrong."""
    from podium.documents.problem import Invalid

    try:
        loaded = options.load(config, flags)
    except Invalid as error:
        if config is not None or flags:
            raise
        return None, (f"not checked: whether the sources exist, because the settings are wrong: {error.problems[0]}",)
    return (loaded.value if loaded.file is not None or flags else None), ()


def _counting(asides: Asides, counts: collections.Counter[str]) -> Asides:
    """The same, and each one counted by kind."""

    def counted(kind: str, value: dict[str, Any], source: Source) -> Iterable[Problem]:
        counts[kind] += 1
        return asides[kind](value, source)

    return {kind: functools.partial(counted, kind) for kind in asides}


def _unbuilt(documents: Documents) -> Iterator[dict[str, Any]]:
    """Every field that is valid and does nothing in this version."""
    from podium.documents.problem import dotted
    from podium.loop import unbuilt
    from podium.loop.policy import ScalingPolicy

    for policy in documents.of(ScalingPolicy):
        for path, what in unbuilt.fields(policy.spec):
            mark = policy.source.at(path)
            words = f"this version does not act on {what} yet"
            place = {"line": mark.line if mark else None, "column": mark.column if mark else None}
            yield {"path": dotted(path), "file": policy.source.file, **place, "words": words}


def _near(path: pathlib.Path) -> pathlib.Path:
    """A path as a person here would write it."""
    here = pathlib.Path.cwd()
    return pathlib.Path(os.path.relpath(path)) if path.is_relative_to(here) else path


def _counted(found: _Checked) -> str:
    """`3 documents (2 ScalingPolicy, 1 Signal), beside them 1 Settings`."""
    number, by_kind = len(found.documents), collections.Counter(document.kind for document in found.documents)
    words = f"{number} document{'' if number == 1 else 's'}"
    if by_kind:
        words += f" ({_listed(by_kind)})"
    return f"{words}, beside them {_listed(found.beside)}" if found.beside else words


def _listed(by_kind: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(by_kind.items()))


@command.command("list", short_help="List the documents in force.")
@options.config
@options.demo
@options.output
def listed(config: str | None, flags: tuple[str, ...], of_demo: bool, form: str, output: str | None) -> int:
    """List the documents in force by the settings: kind, namespace, name, and where each is written."""
    import asyncio

    from podium.wiring import authority

    documents = asyncio.run(authority.load(options.as_run(config, flags, of_demo=of_demo)))
    rows = [
        {
            "kind": document.kind,
            "namespace": document.namespace or None,
            "name": document.metadata.name,
            "file": document.source.file,
            "line": mark.line if (mark := document.source.at(())) else None,
            "digest": document.digest(),
        }
        for document in sorted(documents, key=lambda document: document.key)
    ]
    if form == "json":
        options.emit(options.as_json(rows), output)
    else:
        _show(rows, output)
    return outcome.DONE


def _show(rows: list[dict[str, Any]], output: str | None) -> None:
    from podium.cli import tables

    table = tables.table("kind", "namespace", "name", "written in")
    for row in rows:
        place = f"{_near(pathlib.Path(row['file']))}:{row['line']}" if row["line"] else row["file"]
        table.add_row(row["kind"], row["namespace"] or tables.UNKNOWN, row["name"], place)
    tables.show([table], output)


@command.command("schema", short_help="Print JSON Schemas.")
@click.argument("kind", required=False)
@options.formats("json")
def schema(kind: str | None, form: str, output: str | None) -> int:
    """Print the JSON Schema of a KIND, or of every kind by name: for editors and other tools."""
    import json

    from podium import kinds
    from podium.cli.outcome import BadInput
    from podium.documents.problem import nearest

    del form
    schemas = kinds.json_schemas()
    by_fold = {name.casefold(): name for name in schemas}
    if kind is not None and kind.casefold() not in by_fold:
        raise BadInput(f"no kind {kind!r}{nearest(kind, list(schemas))}; there are {', '.join(schemas)}")
    wanted = schemas if kind is None else schemas[by_fold[kind.casefold()]]
    options.emit(json.dumps(wanted, indent=2), output)
    return outcome.DONE


@command.command("crds", short_help="Print the CustomResourceDefinitions.")
@options.formats("yaml", "json")
def crds(form: str, output: str | None) -> int:
    """Print the CustomResourceDefinitions, for `kubectl apply -f -`."""
    import json

    import yaml

    from podium import kinds

    every = kinds.crds()
    if form == "json":
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": every}, indent=2)
    else:
        # Sorted keys would put `versions` before what names the kind; aliases are not everybody's YAML.
        text = yaml.dump_all(every, Dumper=_plain(yaml), sort_keys=False, allow_unicode=True, width=120).rstrip("\n")
    options.emit(text, output)
    return outcome.DONE


def _plain(yaml: Any) -> type[Any]:
    class Plain(yaml.SafeDumper):  # type: ignore[misc]
        def ignore_aliases(self, data: object) -> bool:
            del data
            return True

    return Plain
