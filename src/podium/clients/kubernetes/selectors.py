"""Label selectors, as text (`app=web,tier in (front,back),!canary`) and as structs, matched against labels.

https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping

from podium.clients.kubernetes.objects import LabelSelector

_TERM = re.compile(
    r"\s*(?:(?P<set_key>[^\s,=!()]+)\s+(?P<set_operator>in|notin)\s*\((?P<values>[^()]*)\)"
    r"|(?P<key>[^\s,=!()]+)\s*(?P<operator>==|=|!=)\s*(?P<value>[^\s,=!()]*)"
    r"|(?P<absent>!)?\s*(?P<bare>[^\s,=!()]+))\s*(?:,|$)"
)


@dataclasses.dataclass(frozen=True, slots=True)
class Requirement:
    """One condition. `operator` is In, NotIn, Exists or DoesNotExist."""

    key: str
    operator: str
    values: frozenset[str] = frozenset()

    def met(self, labels: Mapping[str, str]) -> bool:
        """An object without the label meets NotIn, as in Kubernetes."""
        value = labels.get(self.key)
        match self.operator:
            case "In":
                return value in self.values
            case "NotIn":
                return value not in self.values
            case "Exists":
                return value is not None
        return value is None


@dataclasses.dataclass(frozen=True, slots=True)
class Selector:
    """All requirements together. None of them at all: everything matches."""

    requirements: tuple[Requirement, ...]

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an object with these labels is selected."""
        return all(requirement.met(labels) for requirement in self.requirements)

    def pairs(self) -> list[tuple[str, str]]:
        """Labels of which every selected object has one, from the requirement with the fewest; [] where none says."""
        sets = [(one.key, one.values) for one in self.requirements if one.operator == "In"]
        if not sets:
            return []
        key, values = min(sets, key=lambda pair: len(pair[1]))
        return [(key, value) for value in values]


def parse(text: str) -> Selector:
    """Read a selector's text. Raises ValueError that shows it."""
    found, at = [], 0
    while at < len(text):
        match = _TERM.match(text, at)
        if match is None:
            raise ValueError(f"{text!r} is not a label selector; expected terms like app=web or tier in (a,b)")
        found.append(_requirement(match))
        at = match.end()
    return Selector(tuple(found))


def _requirement(match: re.Match[str]) -> Requirement:
    if match["set_key"]:
        values = frozenset(value.strip() for value in match["values"].split(","))
        return Requirement(match["set_key"], "In" if match["set_operator"] == "in" else "NotIn", values)
    if match["key"]:
        operator = "NotIn" if match["operator"] == "!=" else "In"
        return Requirement(match["key"], operator, frozenset({match["value"]}))
    return Requirement(match["bare"], "DoesNotExist" if match["absent"] else "Exists")


def of(selector: LabelSelector) -> Selector:
    """The same from the struct that workloads carry."""
    pairs = [Requirement(key, "In", frozenset({value})) for key, value in (selector.match_labels or {}).items()]
    rest = [Requirement(one.key, one.operator, frozenset(one.values or ())) for one in selector.match_expressions or ()]
    return Selector((*pairs, *rest))
