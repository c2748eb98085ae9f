"""Objects as YAML or JSON, the same bytes every time, and the words that each of them carries."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import yaml

import podium

SELECTOR = {"app.kubernetes.io/name": "podium"}
LABELS = SELECTOR | {"app.kubernetes.io/version": podium.__version__}


def named(api_version: str, kind: str, name: str, namespace: str = "") -> dict[str, Any]:
    """The head of an object."""
    metadata: dict[str, Any] = {"name": name} | ({"namespace": namespace} if namespace else {})
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata | {"labels": dict(LABELS)}}


def as_yaml(objects: Sequence[dict[str, Any]]) -> str:
    """A document for each object, in their order, for `kubectl apply -f -`."""
    # Sorted keys would put `versions` before what names a kind; aliases are not everybody's YAML.
    text = yaml.dump_all(objects, Dumper=_Plain, sort_keys=False, allow_unicode=True, width=120)
    return text.rstrip("\n")


def as_json(objects: Sequence[dict[str, Any]]) -> str:
    """One List of all objects."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": list(objects)}, indent=2, ensure_ascii=False)


class _Plain(yaml.SafeDumper):
    def ignore_aliases(self, data: object) -> bool:
        del data
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Plain.add_representer(str, _text)
