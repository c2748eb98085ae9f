"""The page on the HTTP API: what its doors are called and take, and the shapes of what they answer, from the source."""

from __future__ import annotations

import inspect
import pathlib
import re
from collections.abc import Iterable, Iterator
from types import ModuleType

from podium.api import decisions, problems, session, sources, stream, tenants, workloads
from podium.api import orders as api_orders
from podium.loop import needs
from podium.loop.orders import book, order, tuning
from podium.loop.tell import figures, fleetmap, view

# Shapes in the order in which somebody reads them: what is asked first stands first.
SHAPES: tuple[tuple[str, ModuleType, tuple[str, ...]], ...] = (
    ("The fleet", view, ("FleetView", "SourceRow")),
    ("", figures, ("Totals", "Reduction")),
    ("", order, ("Pause",)),
    ("", figures, ("Comparison", "Pair", "Cost")),
    ("", tenants, ("TenantPage",)),
    ("Workloads", workloads, ("WorkloadPage",)),
    ("", view, ("WorkloadRow", "Sparks", "WorkloadSeries", "Band")),
    ("", workloads, ("Forecast",)),
    ("What will be needed", needs, ("Prediction", "Predictions")),
    ("The map", fleetmap, ("MapView", "MapColumns", "MapChange", "ChangedColumns")),
    ("Decisions", decisions, ("DecisionPage",)),
    ("", view, ("DecisionRow", "Explanation")),
    ("Sources and clusters", sources, ("SourceList", "ClusterList", "ClusterRow")),
    ("Orders", api_orders, ("Standing",)),
    ("", book, ("Given",)),
    ("", order, ("Order", "Target")),
    ("", tuning, ("Noted", "Tuning")),
    ("On the stream", view, ("WorkloadTail",)),
    ("", stream, ("Gone", "Beat")),
    ("Sessions and problems", session, ("Session",)),
    ("", problems, ("Body", "Fault")),
)

INTRODUCTION = (pathlib.Path(__file__).parent / "http.md").read_text(encoding="utf-8")

_CLASS = re.compile(
    r'^class (\w+)\((?:msgspec\.Struct|[A-Z]\w+), [^\n]*\n    """(.*?)"""\n(.*?)(?=^\S|\Z)', re.MULTILINE | re.DOTALL
)
_FIELD = re.compile(r"^    (\w+): ([^=#\n]+?)(?: = [^#\n]+?)?(?:  # (.*))?$", re.MULTILINE)
_WORDS = {"float": "number", "int": "whole number", "str": "text", "bool": "true or false"}


def render() -> str:
    """The page."""
    lines = [INTRODUCTION]
    for heading, module, names in SHAPES:
        if heading:
            lines += ["", f"### {heading}"]
        found = {name: (sentence, body) for name, sentence, body in _CLASS.findall(inspect.getsource(module))}
        for name in names:
            lines += list(_shape(name, *found[name]))
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _shape(name: str, sentence: str, body: str) -> Iterator[str]:
    yield from ("", f"**{name}**: {' '.join(sentence.split())}", "", "| field | holds | meaning |", "|---|---|---|")
    for field, kind, meaning in _FIELD.findall(body):
        yield _row((f"`{field}`", _words(kind), meaning))


def _words(kind: str) -> str:
    """`tuple[float | None, ...]` as people say it: `list of (number or null)`."""
    kind = kind.strip()
    if kind.endswith(" | None"):
        return f"{_words(kind.removesuffix(' | None'))} or `null`"
    if inner := re.fullmatch(r"tuple\[(.+), \.\.\.\]", kind):
        words = _words(inner[1])
        return f"list of ({words})" if " or " in words else f"list of {words}"
    if inner := re.fullmatch(r"dict\[str, (.+)\]", kind):
        return f"mapping of text to {_words(inner[1])}"
    return _WORDS.get(kind, f"`{kind}`")


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
