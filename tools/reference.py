"""`make docs`: the pages of docs/reference, written from the models themselves, so that they cannot lag behind them."""

from __future__ import annotations

import json
import pathlib
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tools import http_reference, metrics_reference, preset_reference

from podium.documents.document import Document
from podium.documents.shape import Shape
from podium.loop.calendar.document import Calendar
from podium.loop.clusters.simulated.scenario import Scenario
from podium.loop.policy import ScalingPolicy
from podium.settings import BRIEF_VARIABLES, Settings
from podium.signals.signal import Signal
from podium.telemetry import settings as telemetry

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "docs" / "reference"
DOCUMENTS: tuple[type[Document], ...] = (ScalingPolicy, Signal, Calendar, Scenario)
INTRODUCTION = """# Settings

Written by `make docs` from the models.

A setting comes from the first of: a flag, its `PODIUM_…` variable, the brief's or OpenTelemetry's, the file, its
default. The file is the one that `--config` names, else `$PODIUM_CONFIG`, else `podium.yaml` here, in the user's
configuration directory, or in `/etc/podium`. `podium settings show --origin` prints each value and where it came from.
Durations are written `15s`, `5m`, `1h30m`, or as seconds. Secrets are references: `file:PATH` or `env:NAME`.
"""
KIND_INTRODUCTION = """# {kind}

Written by `make docs` from the models.

{sentence}

A document is YAML with `apiVersion: podium.dev/v1alpha1`, `kind: {kind}`, `metadata.name`{namespace} and `spec`.
`[]` stands for the items of a list. An unknown field is an error.
Durations are written `15s`, `5m`, `1h30m`, or as seconds.
Quantities are written as Kubernetes does: `250m`, `2`, `64Mi`.
{check}
"""


class Field(NamedTuple):
    """One field: its path as written (`sources[].url`), what it may hold, its default, its sentence."""

    path: str
    values: str
    default: str
    sentence: str
    required: bool = False

    @property
    def variable(self) -> str:
        """The variable that sets it; "" inside lists, whose items have no fixed name."""
        if "[]" in self.path:
            return ""
        words = (re.sub(r"(?<!^)([A-Z])", r"_\1", part).upper() for part in self.path.split("."))
        return "PODIUM_" + "__".join(words)


def fields(model: type[Shape] = Settings) -> list[Field]:
    """Every field, in the order of the model. Those of a document's metadata are Kubernetes' own, and left out."""
    schema = model.model_json_schema(by_alias=True, mode="serialization")
    found = _fields(schema, schema.get("$defs", {}), "")
    return [
        field for field in found if field.path.partition(".")[0] not in ("apiVersion", "kind", "metadata", "status")
    ]


def _fields(
    schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str, defaults: Mapping[str, Any] | None = None
) -> Iterator[Field]:
    for name, described in schema.get("properties", {}).items():
        path, required = f"{prefix}{name}", name in schema.get("required", ())
        # A duration is a whole number or text with a pattern, which is one thing to people.
        options = [described] if "x-kubernetes-int-or-string" in described else described.get("anyOf", [described])
        found = [_resolved(option, definitions) for option in options]
        inner, below = _below(found, definitions)
        if inner is not None:
            whole = described.get("default")
            inside = whole if isinstance(whole, Mapping) else None
            # What is required inside is asked for only where the whole is written.
            yield from _fields(inner, definitions, f"{path}{below}.", inside)
            continue
        default = (defaults or {}).get(name, described.get("default"))
        shown = "" if default in (None, "", []) else default if isinstance(default, str) else json.dumps(default)
        # Kubernetes' own shapes describe the whole, not each part.
        sentence = " ".join((described.get("description") or schema.get("description", "")).split())
        yield Field(path, " or ".join(dict.fromkeys(filter(None, map(_values, found)))), shown, sentence, required)


def _below(found: list[dict[str, Any]], definitions: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, str]:
    """The fields inside a mapping, a list or a mapping by name, and how the path goes on; None: it has none."""
    for option in found:
        if "properties" in option:
            return option, ""
        for word, below in (("items", "[]"), ("additionalProperties", ".NAME")):
            inner = _resolved(option[word], definitions) if isinstance(option.get(word), Mapping) else {}
            if "properties" in inner:
                return inner, below
    return None, ""


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    return {**definitions.get(reference.rpartition("/")[2], {}), **schema}


def _values(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        times = any(option.get("pattern", "").startswith("^x?") for option in schema.get("anyOf", ()))
        return "times, as in `x3`" if times else "quantity" if _is_quantity(schema) else "duration"
    if schema.get("additionalProperties"):
        return "mapping of text to text"
    if schema.get("type") == "array":
        return f"list of {_values(schema['items'])}"
    return {"string": "text", "integer": "whole number", "boolean": "true or false", "number": "number"}.get(
        schema.get("type", ""), ""
    )


def _is_quantity(schema: Mapping[str, Any]) -> bool:
    return any("KMGTPE" in option.get("pattern", "") for option in schema.get("anyOf", ()))


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _tables(found: Iterable[Field], what: str, *, variables: bool) -> Iterator[str]:
    """A table under a heading for each branch: the first word of a setting, the first under `spec` of a document."""
    branch = ""
    for field in found:
        first = re.split(r"[.\[]", field.path.removeprefix("spec."))[0]
        if first != branch:
            branch = first
            yield from ("", f"## {branch}", "", f"| {what} | holds | default | meaning |", "|---|---|---|---|")
        name = f"`{field.path}`" + (f"<br>`{field.variable}`" if variables and field.variable else "")
        default = f"`{field.default}`" if field.default else "required" if field.required else ""
        yield _row((name, field.values, default, field.sentence))


def render_kind(model: type[Document]) -> str:
    """The page of a kind of document."""
    scoped, kind = model.cluster_scoped(), model.__name__
    introduction = KIND_INTRODUCTION.format(
        kind=kind,
        sentence=" ".join((model.__doc__ or "").split()),
        namespace="" if scoped else ", `metadata.namespace`",
        check="A simulated cluster names its file in `clusters[].simulation.scenario` of the settings."
        if scoped
        else f"`podium policy check FILE` says all that is wrong with it, and what this version does not act on yet;\n"
        f"`podium policy schema {kind}` prints its JSON Schema.",
    )
    return _joined([introduction, *_tables(fields(model), "field", variables=False)])


def _joined(lines: Iterable[str]) -> str:
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def render() -> str:
    """The page of the settings."""
    lines = [INTRODUCTION, *_tables(fields(), "setting", variables=True)]
    lines += [
        "",
        "## The brief's variables",
        "",
        "| variable | setting | words that mean others here |",
        "|---|---|---|",
    ]
    for variable, (path, words) in BRIEF_VARIABLES.items():
        translated = ", ".join(f"`{theirs}` is `{ours}`" for theirs, ours in words.items() if theirs != ours)
        lines.append(f"| `{variable}` | `{path}` | {translated} |")
    lines += ["", "## OpenTelemetry's variables", "", "| variable | setting | how |", "|---|---|---|"]
    for variable, field in telemetry.VARIABLES.items():
        lines.append(f"| `{variable}` | `telemetry.traces.{field}` | {telemetry.meant(variable)} |")
    return _joined(lines)


def pages() -> dict[pathlib.Path, str]:
    """Every page and what it should hold."""
    kinds = {FOLDER / f"{model.__name__.lower()}.md": render_kind(model) for model in DOCUMENTS}
    return {
        FOLDER / "settings.md": render(),
        FOLDER / "http.md": http_reference.render(),
        FOLDER / "metrics.md": metrics_reference.render(),
        FOLDER / "presets.md": preset_reference.render(),
    } | kinds


def main() -> int:
    """Write the pages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, text in pages().items():
        path.write_text(text, encoding="utf-8")
        print(f"{path.name}: {text.count(chr(10))} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
