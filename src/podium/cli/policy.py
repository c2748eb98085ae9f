"""`podium policy`: documents checked before anybody acts on them, and their schemas."""

from __future__ import annotations

import os
import pathlib
from typing import TYPE_CHECKING, Any

import click

from podium.cli import options, outcome

if TYPE_CHECKING:
    from podium.documents.collection import Documents


@click.group()
def command() -> None:
    """Check documents, list them, print their JSON Schemas and CRDs."""


@command.command("check", short_help="Check documents: every mistake at once.")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=pathlib.Path), metavar="PATH…")
@options.config
@options.output
def check(
    paths: tuple[pathlib.Path, ...], config: str | None, flags: tuple[str, ...], form: str, output: str | None
) -> int:
    """Check files or folders of documents as one set: every mistake at once, each with file, line and column.

    With settings (--config, ./podium.yaml …) the sources that signals name must be among them.
    """
    from podium.documents.problem import Invalid

    try:
        documents = _checked(paths, config, flags)
    except Invalid as error:
        if form == "table":
            raise
        options.emit(options.as_json({"ok": False, "documents": None, "problems": error.as_json()}), output)
        return outcome.BAD_INPUT
    if form == "json":
        options.emit(options.as_json({"ok": True, "documents": len(documents), "problems": []}), output)
    else:
        options.emit(f"{_counted(documents)}: all right", output)
    return outcome.DONE


def _checked(paths: tuple[pathlib.Path, ...], config: str | None, flags: tuple[str, ...]) -> Documents:
    """The documents at all `paths` as one set. Raises Invalid."""
    from podium import kinds
    from podium.documents.collection import gather
    from podium.documents.problem import Invalid

    loaded = options.load(config, flags)
    settings = loaded.value if loaded.file is not None or flags else None
    checks = kinds.folder(pathlib.Path(), settings).checks
    documents, problems = [], []
    for path in dict.fromkeys(path.resolve() for path in paths):
        try:
            found, wrong = kinds.folder(_near(path), settings).read()
        except Invalid as error:
            found, wrong = [], list(error.problems)
        documents += found
        problems += wrong
    return gather(documents, problems, checks)


def _near(path: pathlib.Path) -> pathlib.Path:
    """A path as a person here would write it."""
    here = pathlib.Path.cwd()
    return pathlib.Path(os.path.relpath(path)) if path.is_relative_to(here) else path


def _counted(documents: Documents) -> str:
    """`3 documents (2 ScalingPolicy, 1 Signal)`."""
    import collections

    by_kind = collections.Counter(document.kind for document in documents)
    listed = ", ".join(f"{count} {kind}" for kind, count in sorted(by_kind.items()))
    number = len(documents)
    return f"{number} document{'' if number == 1 else 's'}" + (f" ({listed})" if listed else "")


@command.command("list", short_help="List the documents in force.")
@options.config
@options.demo
@options.output
def listed(config: str | None, flags: tuple[str, ...], of_demo: bool, form: str, output: str | None) -> int:
    """List the documents in force by the settings: kind, namespace, name, and where each is written."""
    from podium import kinds
    from podium.cli.outcome import BadInput

    settings = options.as_run(config, flags, of_demo=of_demo).value
    if settings.documents.path is None:
        raise BadInput("documents.path: no folder of documents is set; name one in podium.yaml or with --set")
    documents = kinds.folder(settings.documents.path, settings).load()
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
        place = f"{_near(pathlib.Path(row['file']))}:{row['line']}"
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
