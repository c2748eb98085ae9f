from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from podium import kinds
from podium.documents import schemas
from podium.documents.document import Document

INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]


def every(schema: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, schema
    for name, inner in schema.get("properties", {}).items():
        yield from every(inner, f"{path}.{name}")
    for name in ("items", "additionalProperties"):
        if isinstance(schema.get(name), dict):
            yield from every(schema[name], f"{path}.{name}")


@pytest.mark.parametrize("kind", kinds.KINDS.values())
def test_a_crd_is_structural(kind: type[Document]) -> None:
    for path, schema in every(schemas.structural(kind)):
        assert not schema.keys() & {"$ref", "$defs", "oneOf", "const", "title", "nullable"}, path
        assert isinstance(schema.get("type"), str) or schema["anyOf"] == INT_OR_STRING, path
        assert schema.get("additionalProperties") is not False, path


@pytest.mark.parametrize("kind", kinds.KINDS.values())
def test_every_field_of_a_spec_says_what_it_is(kind: type[Document]) -> None:
    named = [
        (f"{path}.{name}", field)
        for path, schema in every(schemas.structural(kind)["properties"]["spec"])
        for name, field in schema.get("properties", {}).items()
    ]
    assert [path for path, field in named if not field.get("description")] == []


def test_defaults_stand_as_people_would_write_them() -> None:
    policy = schemas.structural(kinds.KINDS["ScalingPolicy"])["properties"]["spec"]["properties"]
    assert policy["objective"]["default"] == {"unservedFraction": 0.001}
    assert policy["mode"]["default"] == "recommend"


def test_what_a_preset_fills_in_has_no_default_of_its_own() -> None:
    spec = schemas.structural(kinds.KINDS["Signal"])["properties"]["spec"]["properties"]
    assert [name for name, field in spec.items() if "default" in field] == []


def test_bounds_take_the_form_of_openapi() -> None:
    spec = schemas.structural(kinds.KINDS["ScalingPolicy"])["properties"]["spec"]["properties"]
    capacity = spec["load"]["properties"]["capacityPerReplica"]
    del capacity["description"]
    assert capacity == {"type": "number", "minimum": 0, "exclusiveMinimum": True}
    assert spec["replicas"]["x-kubernetes-validations"] == [
        {"rule": "self.min <= self.max", "message": "min is above max"}
    ]


def test_a_crd_names_its_kind_in_every_form() -> None:
    (crd, *_) = kinds.crds()
    assert crd["metadata"]["name"] == "scalingpolicies.podium.dev"
    assert crd["spec"]["names"]["plural"] == "scalingpolicies"
    assert [column["name"] for column in crd["spec"]["versions"][0]["additionalPrinterColumns"]] == [
        "Target",
        "Mode",
        "Min",
        "Max",
        "Pause",
        "Ready",
        "Age",
    ]


def test_editors_are_told_what_a_document_has_to_say() -> None:
    schema = kinds.json_schemas()["ScalingPolicy"]
    assert schema["required"] == ["apiVersion", "kind", "metadata", "spec"]
    assert schema["additionalProperties"] is False
