"""`make docs`: docs/reference/settings.md, written from the settings' own models, so that it cannot lag behind them."""

from __future__ import annotations

import json
import pathlib
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from podium.settings import BRIEF_VARIABLES, Settings

PAGE = pathlib.Path(__file__).resolve().parent.parent / "docs" / "reference" / "settings.md"
INTRODUCTION = """# Settings

Written by `make docs` from the models.

A setting comes from the first of: a flag, its `PODIUM_…` variable, the brief's variable, the file, the default.
The file is the one that `--config` names, else `$PODIUM_CONFIG`, else `podium.yaml` here, in the user's configuration
directory, or in `/etc/podium`. `podium settings show --origin` prints each value and where it came from.
Durations are written `15s`, `5m`, `1h30m`, or as seconds. Secrets are references: `file:PATH` or `env:NAME`.
"""


class Field(NamedTuple):
    """One setting: its path as written (`sources[].url`), what it may hold, its default, and its sentence."""

    path: str
    values: str
    default: str
    sentence: str

    @property
    def variable(self) -> str:
        """The variable that sets it; "" inside lists, whose items have no fixed name."""
        if "[]" in self.path:
            return ""
        words = (re.sub(r"(?<!^)([A-Z])", r"_\1", part).upper() for part in self.path.split("."))
        return "PODIUM_" + "__".join(words)


def fields() -> list[Field]:
    """Every setting, in the order of the model."""
    schema = Settings.model_json_schema(by_alias=True, mode="serialization")
    return list(_fields(schema, schema.get("$defs", {}), ""))


def _fields(schema: Mapping[str, Any], definitions: Mapping[str, Any], prefix: str) -> Iterator[Field]:
    for name, described in schema.get("properties", {}).items():
        path = f"{prefix}{name}"
        if path in ("apiVersion", "kind"):
            continue
        # A duration is a whole number or text with a pattern, which is one thing to people.
        options = [described] if "x-kubernetes-int-or-string" in described else described.get("anyOf", [described])
        found = [_resolved(option, definitions) for option in options]
        objects = [option for option in found if "properties" in option]
        lists = [_resolved(option["items"], definitions) for option in found if "items" in option]
        if objects:
            yield from _fields(objects[0], definitions, f"{path}.")
        elif lists and "properties" in lists[0]:
            yield from _fields(lists[0], definitions, f"{path}[].")
        else:
            default = described.get("default")
            shown = "" if default in (None, "", []) else default if isinstance(default, str) else json.dumps(default)
            sentence = " ".join(described.get("description", "").split())
            yield Field(path, " or ".join(dict.fromkeys(filter(None, map(_values, found)))), shown, sentence)


def _resolved(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref", "")
    return {**definitions.get(reference.rpartition("/")[2], {}), **schema}


def _values(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return ", ".join(f"`{word}`" for word in schema["enum"])
    if schema.get("x-kubernetes-int-or-string"):
        return "duration"
    if schema.get("type") == "array":
        return f"list of {_values(schema['items'])}"
    return {"string": "text", "integer": "whole number", "boolean": "true or false", "number": "number"}.get(
        schema.get("type", ""), ""
    )


def render() -> str:
    """The page."""
    lines = [INTRODUCTION]
    branch = ""
    for field in fields():
        first = re.split(r"[.\[]", field.path)[0]
        if first != branch:
            branch = first
            lines += ["", f"## {branch}", "", "| setting | holds | default | meaning |", "|---|---|---|---|"]
        name = f"`{field.path}`" + (f"<br>`{field.variable}`" if field.variable else "")
        default = f"`{field.default}`" if field.default else ""
        lines.append(
            "| " + " | ".join(cell.replace("|", "\\|") for cell in (name, field.values, default, field.sentence)) + " |"
        )
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
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def main() -> int:
    """Write the page."""
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render(), encoding="utf-8")
    print(f"{PAGE.name}: {len(fields())} settings")
    return 0


if __name__ == "__main__":
    sys.exit(main())
